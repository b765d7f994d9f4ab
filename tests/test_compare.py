"""What `compare.ipynb` relies on: bodies trained and measured alike."""

from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.vision.all import accuracy, set_seed, vision_learner
from PIL import Image
from torchvision import models

from foodvision.learn import bodies, compare
from foodvision.learn.compare import NOT_AVAILABLE, compare_body, list_dish_photos, new_learner, square_dls, train_head

pytestmark = pytest.mark.learn
COLOURS = {"pizza": (220, 60, 40), "steak": (60, 180, 60), "sushi": (50, 70, 220)}
TRAIN, TEST = 11, 4  # photos of each label; 33 for training leave one over after a batch of 32
POOLED, UNPOOLED = "test_efficientnet", "test_vit"  # timm's smallest, of either kind


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Noise in a colour for each label."""
    folder, random, rows = tmp_path_factory.mktemp("photos"), np.random.default_rng(0), []
    for label, colour in COLOURS.items():
        for number in range(TRAIN + TEST):
            photo = folder / f"{label}{number}.png"
            pixels = np.array(colour) + random.integers(-30, 30, (160, 160, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(photo)
            rows.append((photo, label, "train" if number < TRAIN else "test"))
    return pd.DataFrame(rows, columns=["photo", "label", "split"])


def learner_of(photos, body):
    set_seed(0)
    return vision_learner(square_dls(photos, 160), body, pretrained=False, metrics=accuracy)


@pytest.mark.parametrize("body", [POOLED, UNPOOLED])
def test_a_head_learns_from_the_training_photos_and_is_scored_on_the_test_photos(photos, body):
    head = train_head(learner_of(photos, body), epochs=60)
    _, right = head.validate()
    assert right >= 0.8
    assert len(head.dls.valid.dataset) == TEST * len(COLOURS)


def test_the_body_stays_as_it_is_and_sees_each_photo_once(photos):
    learner, seen = learner_of(photos, POOLED), []
    body = learner.model[0]
    before = {name: value.clone() for name, value in body.state_dict().items()}
    body.register_forward_hook(lambda layer, given, found: seen.append(len(found)))
    train_head(learner, epochs=3)
    assert sum(seen) == len(photos)
    for name, value in body.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_learner_answers_with_the_head_that_was_trained(photos):
    learner = learner_of(photos, POOLED)
    head = train_head(learner, epochs=3)
    with learner.no_bar(), head.no_bar():
        torch.testing.assert_close(learner.get_preds()[0], head.get_preds()[0])


@pytest.fixture
def no_weights(monkeypatch):
    def refuse(*_, **__):
        raise URLError("offline")

    monkeypatch.setattr(bodies, "find_spec", lambda package: None)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)


@pytest.mark.parametrize("body", ["efficientnet_lite0", models.mobilenet_v3_small], ids=["timm", "torchvision"])
def test_a_body_whose_weights_are_not_available_is_still_built(no_weights, photos, body):
    learner, pretrained = new_learner(photos, body, "IMAGENET1K_V1", 64)
    assert not pretrained
    assert learner.get_preds()[0].shape == (TEST * len(COLOURS), len(COLOURS))


def test_a_body_without_weights_is_timed_but_not_scored(no_weights, photos, monkeypatch):
    monkeypatch.setattr(compare, "_cost", lambda learner, pictures: {"photos timed": len(pictures)})
    row = compare_body(photos, photos, "Lite", "efficientnet_lite0", "PyPI's", 64)
    assert row == {"body": "Lite", "weights": NOT_AVAILABLE, "photos timed": 20}


def test_a_body_with_weights_is_scored_on_the_foods_and_on_the_dishes(photos, monkeypatch):
    monkeypatch.setattr(compare, "_cost", lambda learner, pictures: {})
    dishes = photos[(photos.split == "train") | (photos.label != "sushi")]
    row = compare_body(photos, dishes, "Lite", "efficientnet_lite0", "PyPI's", 64, epochs=20)
    assert (row["right"], row["dishes right"]) == ("12/12", "8/8")
    assert row["weights"] == "PyPI's" and row["test accuracy"] == row["dishes"] == 1


def test_dish_photos_are_as_many_as_wanted_of_each_and_never_those_for_validation(tmp_path):
    for official, count in ("train", 40), ("test", 3):
        ids = [f"{dish}/{official}{number}" for dish in ("ramen", "tacos") for number in range(count)]
        for photo_id in ids:
            photo = tmp_path / "images" / f"{photo_id}.jpg"
            photo.parent.mkdir(parents=True, exist_ok=True)
            photo.touch()
        (tmp_path / "meta").mkdir(exist_ok=True)
        (tmp_path / "meta" / f"{official}.txt").write_text("\n".join(ids), encoding="utf-8")
    dishes = list_dish_photos(tmp_path, per_dish=5)
    counts = dishes.groupby(["label", "split"]).size().to_dict()
    assert counts == {(dish, split): n for dish in ("ramen", "tacos") for split, n in (("train", 5), ("test", 3))}
