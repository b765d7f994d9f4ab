"""Which photos are for training, and which are held out for the test."""

import pandas as pd
import pytest

from foodvision.learn.data import (
    answers_of,
    classes_of_labels,
    group_dishes,
    list_dishes,
    list_food_photos,
    list_photos,
)

DISHES = ["filet_mignon", "pizza", "prime_rib", "ramen", "steak", "sushi"]


@pytest.fixture
def folders(tmp_path):
    """Empty files in the layout of Food-101 and of the pictures without food: names are all that is looked at."""
    food101, not_food = tmp_path / "food-101", tmp_path / "not-food"
    for official, count in ("train", 40), ("test", 10):
        ids = [f"{dish}/{official}{number}" for dish in DISHES for number in range(count)]
        for photo_id in ids:
            touch(food101 / "images" / f"{photo_id}.jpg")
        touch(food101 / "meta" / f"{official}.txt").write_text("\n".join([*ids, "pizza/listed_but_absent"]))
    touch(food101 / "meta" / "classes.txt").write_text("\n".join(DISHES))
    for number in range(40):
        touch(not_food / "folder" / f"n01{number}_thing.JPEG")
        touch(not_food / "folder" / f"n07{number}_guacamole.JPEG")
    return food101, not_food


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_official_test_photos_are_the_test_photos_and_only_they(folders):
    photos = list_photos(*folders)
    food = photos[photos.label != "not_food"]
    assert (food.photo.map(lambda photo: photo.stem.startswith("test")) == (food.split == "test")).all()


def test_food_101s_photos_can_be_listed_alone(folders):
    photos = list_photos(*folders)
    pd.testing.assert_frame_equal(list_food_photos(folders[0]), photos[photos.source == "food101"])


def test_every_label_is_in_every_split_and_no_photo_in_two(folders):
    photos = list_photos(*folders)
    kinds = set(zip(photos.label, photos.split, strict=True))
    assert kinds == {(label, split) for label in [*DISHES, "not_food"] for split in ("train", "valid", "test")}
    assert photos.photo.is_unique


def test_the_split_does_not_depend_on_other_files(folders, tmp_path):
    before = list_photos(*folders).set_index("photo").split
    touch(folders[0] / "images" / "pizza" / "not_listed.jpg")
    touch(tmp_path / "own" / "ramen" / "1.jpg")
    after = list_photos(*folders, own=[tmp_path / "own"]).set_index("photo").split
    assert before.equals(after[before.index])


def test_pictures_of_food_are_not_without_food(folders):
    photos = list_photos(*folders)
    assert not photos.photo[photos.label == "not_food"].map(lambda photo: photo.name.startswith("n07")).any()


def test_your_own_photos_are_labelled_by_their_folder_as_precisely_as_it_says(folders, tmp_path):
    names = {
        "steak": "any steak",
        "prime_rib": "prime_rib",
        "other_food": "any other_food",
        "ramen": "ramen",
        "pizza": "pizza",
        "not_food": "not_food",
    }
    photos = {touch(tmp_path / "own" / name / "1.jpg"): label for name, label in names.items()}
    listed = list_photos(*folders, own=[tmp_path / "own", tmp_path / "nowhere"]).set_index("photo")
    assert listed.label[list(photos)].tolist() == list(photos.values())
    assert set(listed.split[list(photos)]) == {"train"}


def test_your_own_photos_are_read_by_the_answers_you_choose(folders, tmp_path):
    noodles = touch(tmp_path / "own" / "noodles" / "1.jpg")
    steak = touch(tmp_path / "own" / "steak" / "1.jpg")
    listed = list_photos(*folders, own=[tmp_path / "own"], foods={"noodles": ["ramen"]}).set_index("photo")
    assert listed.label[[noodles, steak]].tolist() == ["any noodles", "steak"]


def test_your_own_photos_can_be_set_aside_for_validation(folders, tmp_path):
    aside, taught = (touch(tmp_path / "own" / "sushi" / name) for name in ("1.jpg", "2.png"))
    (tmp_path / "own" / "valid.txt").write_text("sushi/1.jpg\n", encoding="utf-8")
    listed = list_photos(*folders, own=[tmp_path / "own"]).set_index("photo")
    assert listed.split[[aside, taught]].tolist() == ["valid", "train"]


def test_a_label_that_is_neither_dish_nor_answer_is_named(folders, tmp_path):
    touch(tmp_path / "own" / "soup" / "1.jpg")
    with pytest.raises(ValueError, match="soup is named after neither a dish"):
        list_photos(*folders, own=[tmp_path / "own"])


def test_small_photos_are_official_training_photos_that_validation_does_not_use(folders, tmp_path):
    for photo in list(folders[0].glob("images/*/*.jpg")):
        touch(tmp_path / "small" / "any split" / photo.parent.name / photo.name)
    photos = list_photos(*folders, small=tmp_path / "small")
    small, sharp = photos[photos.source == "small"], photos[photos.source == "food101"]
    taught = sharp[sharp.split == "train"].photo
    assert set(small.split) == {"train"}
    assert {photo.parts[-2:] for photo in small.photo} == {photo.parts[-2:] for photo in taught}


def test_a_folder_without_the_photos_is_named(folders, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No photos of not_food"):
        list_photos(folders[0], tmp_path / "elsewhere")


def test_dishes_are_grouped_into_answers_and_each_belongs_to_one(folders):
    dishes = list_dishes(folders[0])
    groups = group_dishes(dishes)
    assert groups["steak"] == ["steak", "filet_mignon", "prime_rib"] and groups["other_food"] == ["ramen"]
    assert sorted(name for names in groups.values() for name in names) == sorted([*dishes, "not_food"])
    with pytest.raises(ValueError, match="Food-101 has no burger"):
        group_dishes(dishes, {"burger": ["burger"]})


def test_a_label_stands_for_the_classes_that_it_may_mean(folders):
    groups = group_dishes(DISHES)
    classes = classes_of_labels([*DISHES, "not_food"], groups)
    assert classes["steak"] == ["steak"] and classes["any steak"] == groups["steak"]
    assert "any not_food" not in classes
    labels = pd.Series(["prime_rib", "any steak", "ramen", "not_food"])
    assert answers_of(labels, groups).tolist() == ["steak", "steak", "other_food", "not_food"]
