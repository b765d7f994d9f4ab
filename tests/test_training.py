"""The parts of FoodVision that `train.ipynb` relies on."""

import subprocess
import sys
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.data.transforms import Pipeline
from fastai.vision.core import PILImage
from fastai.vision.learner import create_vision_model
from torch import nn
from torchvision import models

from foodvision.learn.training import (
    UNASKED,
    AnswersAndDishes,
    Grain,
    Sharpness,
    add_up,
    describe_body,
    fit_temperature,
    keep_dishes,
    photo_weights,
    scale_logits,
)

pytestmark = pytest.mark.learn


@pytest.fixture
def photo():
    return PILImage.create(np.random.default_rng(0).integers(60, 200, (32, 32, 3), dtype=np.uint8))


@pytest.mark.parametrize("alter", [Grain, Sharpness], ids=lambda alter: alter.__name__)
def test_only_training_photos_are_augmented_and_not_all_of_them(photo, alter):
    train, valid = (Pipeline([alter()], split_idx=split) for split in (0, 1))
    same = [np.array_equal(train(photo), photo) for _ in range(200)]
    assert isinstance(train(photo), PILImage)
    assert train(photo).size == photo.size
    assert 0 < sum(same) < 200
    assert all(np.array_equal(valid(photo), photo) for _ in range(200))


def test_each_label_is_drawn_as_often_as_its_share_says():
    photos = pd.DataFrame({"label": ["pizza"] * 6 + ["steak"] * 2, "split": ["train"] * 5 + ["valid"] + ["train"] * 2})
    drawn = np.array(photo_weights(photos, {"pizza": 0.25, "steak": 0.75}))[photos.split == "train"]
    assert drawn == pytest.approx([0.05] * 5 + [0.375] * 2)


def test_a_dish_that_could_be_any_answer_does_not_affect_the_answers_loss():
    loss = AnswersAndDishes([0, UNASKED, 1], answers=2)
    logits = torch.randn(4, 5, requires_grad=True)
    loss(logits, torch.tensor([0, 1, 1, 2])).backward()
    taught = logits.grad[:, :2].abs().sum(dim=1) > 0
    assert taught.tolist() == [True, False, False, True]
    assert (logits.grad[:, 2:].abs().sum(dim=1) > 0).all(), "Each of them is still a dish to be named."


def test_accuracy_counts_the_answers_that_were_asked_for():
    loss = AnswersAndDishes([0, UNASKED, 1], answers=2)
    logits = torch.tensor([[9.0, 0, 0, 0, 9], [9, 0, 0, 0, 9], [9, 0, 0, 0, 9]])
    assert loss.accuracy(logits, torch.tensor([0, 1, 2])) == 0.5


def test_the_dishes_stay_as_they_were_when_the_answers_go():
    model, features = nn.Sequential(nn.Flatten(), nn.Linear(6, 7, bias=False)), torch.randn(3, 6)
    expected = model(features)[:, 2:]
    assert torch.allclose(keep_dishes(model, 2)(features), expected)


def test_the_probabilities_of_dishes_add_up_to_those_of_answers():
    answers = add_up(["other", "steak", "steak", "pizza"], ["other", "pizza", "steak"])
    dishes = torch.tensor([[0.1, 0.2, 0.4, 0.3], [1, 0, 0, 0]])
    expected = torch.tensor([[0.1, 0.3, 0.6], [1, 0, 0]])
    torch.testing.assert_close(answers(dishes.log()).softmax(dim=1), expected, atol=1e-5, rtol=0)
    scale_logits(answers, 2)
    cooler = (expected**0.5) / (expected**0.5).sum(dim=1, keepdim=True)
    torch.testing.assert_close(answers(dishes.log()).softmax(dim=1), cooler, atol=4e-3, rtol=0)


def test_a_model_that_adds_up_loads_without_this_package(tmp_path):
    torch.save(add_up(["a", "b", "a"], ["a", "b"]), tmp_path / "answers.pkl")
    load = f"""
        import sys, torch
        sys.modules["foodvision"] = None
        answers = torch.load({str(tmp_path / "answers.pkl")!r}, weights_only=False)
        assert answers(torch.zeros(1, 3)).softmax(dim=1)[0, 0].item() > 0.66
    """
    subprocess.run([sys.executable, "-c", dedent(load)], check=True)


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_the_temperature_makes_confidence_match_accuracy_again(temperature):
    torch.manual_seed(0)
    honest = torch.randn(20_000, 4) * 2
    targets = torch.distributions.Categorical(logits=honest).sample()
    assert fit_temperature(honest * temperature, targets) == pytest.approx(temperature, rel=0.05)


def test_photos_with_a_wrong_label_need_not_move_the_temperature():
    torch.manual_seed(0)
    sure = torch.randn(20_000, 4) * 8
    targets = torch.distributions.Categorical(logits=sure).sample()
    targets[:600] = sure[:600].argmin(dim=1)
    assert fit_temperature(sure, targets) > 2
    assert fit_temperature(sure, targets, mislabelled=0.03) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("bias", [True, False])
def test_scaling_the_last_layer_divides_the_logits(bias):
    model, photos = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3, bias=bias)), torch.randn(5, 6)
    expected = model(photos) / 1.7
    scale_logits(model, 1.7)
    torch.testing.assert_close(model(photos), expected)


@pytest.mark.parametrize("body", [models.mobilenet_v2, models.googlenet, models.shufflenet_v2_x0_5])
def test_described_bodies_are_cut_where_their_features_end(body):
    describe_body(body)
    model = create_vision_model(body, 2, pretrained=False)
    assert model.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
    assert not [layer for layer in model[0].modules() if isinstance(layer, nn.Linear | nn.AdaptiveAvgPool2d)]


def test_a_body_that_cannot_be_cut_says_how_to_train_it():
    with pytest.raises(ValueError, match=r"VisionTransformer can't be cut. Train it whole: Learner"):
        describe_body(models.vit_b_16)
