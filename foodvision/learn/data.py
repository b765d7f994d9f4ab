"""Lists the photos that FoodVision is trained and tested on."""

from pathlib import Path
from zlib import crc32

import pandas as pd

NOT_FOOD_URL = (
    "https://github.com/EliSchwartz/imagenet-sample-images/archive/refs/heads/master.zip#/imagenet-sample-images.zip"
)
BACKGROUND = ["other_food", "not_food"]
VALID_ONE_IN, TEST_ONE_IN = 8, 5


def list_photos(
    food101: str | Path,
    not_food: str | Path,
    foods: list[str],
    others_per_class: int = 60,
    corrected: str | Path | None = None,
) -> pd.DataFrame:
    """Table of `photo` (path), `label`, `split` ("train", "valid", "test") and `dish` (the source's own class).

    `foods` keep their names. Food-101's other classes become `other_food`, with at most `others_per_class` photos each
    in the training half and in the test half. Food-101's official test photos are the test split, so the course's test
    photos are never trained on. `corrected` is a folder of photos by label, as exported by `feedback.ipynb`, for
    training only. Raises FileNotFoundError if a label has no photos.
    """
    rows = [*_food_photos(Path(food101), foods, others_per_class), *_other_photos(Path(not_food))]
    if corrected:
        rows += [(photo, photo.parent.name, "train", photo.parent.name) for photo in Path(corrected).glob("*/*.jpg")]
    photos = pd.DataFrame(rows, columns=["photo", "label", "split", "dish"])
    missing = {*foods, "other_food", "not_food"} - set(photos.label)
    if missing:
        raise FileNotFoundError(f"No photos of {', '.join(sorted(missing))} in {food101} or {not_food}.")
    return photos


def _food_photos(food101, foods, others_per_class):
    for official in ("train", "test"):
        taken: dict[str, int] = {}
        for photo_id in (food101 / "meta" / f"{official}.txt").read_text(encoding="utf-8").split():
            photo, dish = food101 / "images" / f"{photo_id}.jpg", photo_id.split("/")[0]
            if photo.exists() and (dish in foods or taken.get(dish, 0) < others_per_class):
                taken[dish] = taken.get(dish, 0) + 1
                split = "test" if official == "test" else _one_in(VALID_ONE_IN, photo_id, "valid")
                yield photo, dish if dish in foods else "other_food", split, dish


def _other_photos(not_food):
    """Pictures without food: ImageNet's n07* classes are food and drink, so they are left out."""
    for photo in sorted(not_food.glob("**/n*.JPEG")):
        if not photo.name.startswith("n07"):
            split = _one_in(TEST_ONE_IN, photo.name, "test")
            split = _one_in(VALID_ONE_IN, photo.stem, "valid") if split == "train" else split
            yield photo, "not_food", split, photo.stem.split("_", 1)[-1]


def _one_in(n, name, split):
    """Put one in `n` photos into a split: the same ones on every machine, whatever else is in the folder."""
    return split if crc32(name.encode()) % n == 0 else "train"
