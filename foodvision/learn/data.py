"""Lists the photos that FoodVision is trained and tested on, and groups dishes into the answers of its question."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

import pandas as pd

NOT_FOOD_URL = (
    "https://github.com/EliSchwartz/imagenet-sample-images/archive/refs/heads/master.zip#/imagenet-sample-images.zip"
)
FOODS = {"pizza": ["pizza"], "steak": ["steak", "filet_mignon", "prime_rib"], "sushi": ["sushi"]}
OTHER_FOOD, NOT_FOOD = BACKGROUND = ["other_food", "not_food"]
ANY = "any "  # before an answer: a label that says no more than that
VALID_ONE_IN, TEST_ONE_IN = 8, 5
COLUMNS = ["photo", "label", "split", "source"]

Rows = Iterator[tuple[Path, str, str, str]]


def list_photos(
    food101: str | Path,
    not_food: str | Path,
    own: Iterable[str | Path] = (),
    small: str | Path | None = None,
    foods: dict[str, list[str]] = FOODS,
) -> pd.DataFrame:
    """Table of `photo` (path), `label`, `split` ("train", "valid", "test") and `source`.

    A label is one of Food-101's dishes, `not_food`, or, for your own photos, "any" and an answer: one of `foods`, or
    other food. Food-101's official test photos are the test split. `own` are folders of photos by label, such as
    `feedback.ipynb` exports; those that don't exist are left out, and the photos that a folder's `valid.txt` lists are
    for validation. `small` is a folder of Food-101's photos at low resolution; official training photos that aren't
    used for validation are taken from it.
    Raises FileNotFoundError if one of the first two folders has no photos, and ValueError for a label that is neither a
    dish nor an answer.
    """
    food101, dishes = Path(food101), list_dishes(food101)
    rows = [*_food_photos(food101), *_other_photos(Path(not_food))]
    if missing := {"food101", NOT_FOOD} - {source for *_, source in rows}:
        raise FileNotFoundError(f"No photos of {', '.join(sorted(missing))} in {food101} or {not_food}.")
    for folder in map(Path, own):
        rows += _own_photos(folder, dishes, foods)
    rows += _small_photos(Path(small), food101) if small else []
    return pd.DataFrame(rows, columns=COLUMNS)


def list_food_photos(food101: str | Path) -> pd.DataFrame:
    """The rows of `list_photos` that are about Food-101."""
    return pd.DataFrame(_food_photos(Path(food101)), columns=COLUMNS)


def list_dishes(food101: str | Path) -> list[str]:
    """The names of Food-101's dishes, in its order."""
    return (Path(food101) / "meta" / "classes.txt").read_text(encoding="utf-8").split()


def group_dishes(dishes: list[str], foods: dict[str, list[str]] = FOODS) -> dict[str, list[str]]:
    """The classes that each answer stands for: `foods`, all other dishes as `other_food`, and `not_food`."""
    taken = {dish for kin in foods.values() for dish in kin}
    if unknown := taken - set(dishes):
        raise ValueError(f"Food-101 has no {', '.join(sorted(unknown))}.")
    return foods | {OTHER_FOOD: [dish for dish in dishes if dish not in taken], NOT_FOOD: [NOT_FOOD]}


def classes_of_labels(vocab: list[str], groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """The classes that each label stands for: a class of `vocab` for itself, and "any" answer for all its classes."""
    vague = {ANY + answer: names for answer, names in groups.items() if names != [answer]}
    return {name: [name] for name in vocab} | vague


def answers_of(labels: pd.Series, groups: dict[str, list[str]]) -> pd.Series:
    """The answer that each label belongs to."""
    answers = {name: answer for answer, names in groups.items() for name in names}
    return labels.map(answers | {ANY + answer: answer for answer in groups})


def _food_photos(food101: Path) -> Rows:
    for official in ("train", "test"):
        for photo_id in _official_ids(food101, official):
            photo = food101 / "images" / f"{photo_id}.jpg"
            if photo.exists():
                split = "test" if official == "test" else _one_in(VALID_ONE_IN, photo_id, "valid")
                yield photo, photo.parent.name, split, "food101"


def _other_photos(not_food: Path) -> Rows:
    """Pictures without food: ImageNet's n07* classes are food and drink, so they are left out."""
    for photo in sorted(not_food.glob("**/n*.JPEG")):
        if not photo.name.startswith("n07"):
            split = _one_in(TEST_ONE_IN, photo.name, "test")
            split = _one_in(VALID_ONE_IN, photo.stem, "valid") if split == "train" else split
            yield photo, NOT_FOOD, split, NOT_FOOD


def _own_photos(folder: Path, dishes: list[str], foods: dict[str, list[str]]) -> Rows:
    listed = folder / "valid.txt"
    valid = set(listed.read_text(encoding="utf-8").splitlines()) if listed.exists() else set()
    for photo in sorted(folder.glob("*/*.*")):
        name = f"{photo.parent.name}/{photo.name}"
        yield photo, _own_label(photo.parent, dishes, foods), "valid" if name in valid else "train", "own"


def _own_label(folder: Path, dishes: list[str], foods: dict[str, list[str]]) -> str:
    """A folder called "steak" holds photos of any steak; one called "prime_rib" is more precise."""
    if folder.name in (*foods, OTHER_FOOD):
        return folder.name if [folder.name] == foods.get(folder.name) else ANY + folder.name
    if folder.name in (*dishes, NOT_FOOD):
        return folder.name
    raise ValueError(f"{folder} is named after neither a dish of Food-101 nor an answer. Call it other_food, perhaps.")


def _small_photos(small: Path, food101: Path) -> Rows:
    for_validation = {_photo_id(photo) for photo, _, split, _ in _food_photos(food101) if split == "valid"}
    wanted = set(_official_ids(food101, "train")) - for_validation
    for photo in sorted(small.glob("**/*.jpg")):
        if (photo_id := _photo_id(photo)) in wanted:
            wanted.remove(photo_id)
            yield photo, photo.parent.name, "train", "small"


def _photo_id(photo: Path) -> str:
    return f"{photo.parent.name}/{photo.stem}"


def _official_ids(food101: Path, official: str) -> list[str]:
    return (food101 / "meta" / f"{official}.txt").read_text(encoding="utf-8").split()


def _one_in(n: int, name: str, split: str) -> str:
    """Put one in `n` photos into a split: the same ones on every machine, whatever else is in the folder."""
    return split if crc32(name.encode()) % n == 0 else "train"
