"""Which photos are for training, and which are held out for the test."""

import pytest

from foodvision.learn.data import list_photos

FOODS = ["pizza", "sushi"]


@pytest.fixture
def folders(tmp_path):
    """Empty files in the layout of Food-101 and of the pictures without food: names are all that is looked at."""
    food101, not_food = tmp_path / "food-101", tmp_path / "not-food"
    for official, count in ("train", 40), ("test", 10):
        ids = [f"{dish}/{official}{number}" for dish in [*FOODS, "ramen"] for number in range(count)]
        for photo_id in ids:
            touch(food101 / "images" / f"{photo_id}.jpg")
        touch(food101 / "meta" / f"{official}.txt").write_text("\n".join([*ids, "pizza/listed_but_absent"]))
    for number in range(40):
        touch(not_food / "folder" / f"n01{number}_thing.JPEG")
        touch(not_food / "folder" / f"n07{number}_guacamole.JPEG")
    return food101, not_food


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_official_test_photos_are_the_test_photos_and_only_they(folders):
    photos = list_photos(*folders, FOODS)
    food = photos[photos.label != "not_food"]
    assert (food.photo.map(lambda photo: photo.stem.startswith("test")) == (food.split == "test")).all()


def test_every_label_is_in_every_split_and_no_photo_in_two(folders):
    photos = list_photos(*folders, FOODS)
    kinds = set(zip(photos.label, photos.split, strict=True))
    labels = {*FOODS, "other_food", "not_food"}
    assert kinds == {(label, split) for label in labels for split in ("train", "valid", "test")}
    assert photos.photo.is_unique


def test_the_split_does_not_depend_on_other_files(folders):
    few = list_photos(*folders, ["pizza"]).set_index("photo").split
    many = list_photos(*folders, FOODS).set_index("photo").split
    assert few.equals(many)


def test_other_dishes_are_capped_and_pictures_of_food_are_not_without_food(folders):
    photos = list_photos(*folders, FOODS, others_per_class=3)
    assert (photos.label == "other_food").sum() == 6
    assert not photos.photo[photos.label == "not_food"].map(lambda photo: photo.name.startswith("n07")).any()


def test_what_visitors_corrected_is_for_training_only(folders, tmp_path):
    corrected = touch(tmp_path / "feedback-photos" / "sushi" / "key.jpg")
    photos = list_photos(*folders, FOODS, corrected=tmp_path / "feedback-photos").set_index("photo")
    assert photos.loc[corrected, ["label", "split"]].tolist() == ["sushi", "train"]


def test_a_folder_without_the_photos_is_named(folders, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No photos of not_food"):
        list_photos(folders[0], tmp_path / "elsewhere", FOODS)
