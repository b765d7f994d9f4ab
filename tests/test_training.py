"""The parts of FoodVision that `train.ipynb` relies on."""

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.data.transforms import Pipeline
from fastai.learner import Learner
from fastai.vision.core import PILImage
from fastai.vision.learner import create_vision_model
from torch import nn
from torch.nn import functional as F
from torchvision import models

from foodvision.learn.bodies import describe_body
from foodvision.learn.calibrate import add_up, calibrate, fit_temperature, fold_in
from foodvision.learn.dataloaders import ANSWER_SHARES, Dealer, Grain, Sharpness, photo_weights
from foodvision.learn.training import Averaged, CPUMixedPrecision, SumOfClasses, fit_stage

pytestmark = pytest.mark.learn

GROUPS = {"pizza": ["pizza"], "steak": ["steak", "prime_rib"], "other_food": ["ramen"], "not_food": ["not_food"]}
VOCAB = ["pizza", "prime_rib", "ramen", "steak", "not_food"]


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


def test_each_source_and_each_answer_in_it_is_drawn_as_often_as_its_share_says():
    labels = ["pizza"] * 6 + ["prime_rib"] + ["any steak"] * 2 + ["ramen"] + ["pizza"] * 2 + ["ramen"] * 3
    sources = ["food101"] * 7 + ["own"] * 3 + ["small"] * 5
    photos = pd.DataFrame({"label": labels, "source": sources})
    drawn = pd.Series(photo_weights(photos, GROUPS, {"food101": 0.5, "own": 0.2, "small": 0.3}))
    assert drawn.groupby(photos.source).sum().to_dict() == pytest.approx({"food101": 0.5, "own": 0.2, "small": 0.3})
    assert drawn[:6].sum() / drawn[6] == pytest.approx(ANSWER_SHARES["pizza"] / ANSWER_SHARES["steak"])
    assert drawn[10:].nunique() == 1, "Small photos are drawn alike."


def test_photos_are_dealt_like_cards():
    dealer = Dealer(np.array([1, 1, 2]) / 4, count=32)
    epochs = [dealer() for _ in range(50)]
    assert {len(epoch) for epoch in epochs} == {32}
    counts = np.bincount(np.concatenate(epochs)) / 1600
    assert counts == pytest.approx([0.25, 0.25, 0.5], abs=0.01)


def test_the_loss_of_a_coarse_label_is_that_of_its_classes_sum():
    loss, logits = SumOfClasses([[0], [1, 3]], classes=5, smoothing=0), torch.randn(2, 5)
    expected = [-logits[0].softmax(dim=0)[0].log(), -logits[1].softmax(dim=0)[[1, 3]].sum().log()]
    torch.testing.assert_close(loss(logits, torch.tensor([0, 1]), reduction="none"), torch.stack(expected))


def test_the_loss_of_a_precise_label_is_cross_entropy_with_smoothing():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    expected = F.cross_entropy(logits, labels, label_smoothing=0.1)
    torch.testing.assert_close(SumOfClasses([[0], [1], [2]], classes=3)(logits, labels), expected)


def test_a_coarse_label_is_right_if_any_of_its_classes_is_the_likeliest():
    loss = SumOfClasses([[0], [1, 2]], classes=3)
    logits = torch.tensor([[9.0, 0, 0], [0, 0, 9], [0, 9, 0], [0, 9, 0]])
    assert loss.accuracy(logits, torch.tensor([0, 1, 1, 0])) == 0.75


class Interrupt(Callback):
    """Ends training after so many epochs, as a closed laptop would."""

    def __init__(self, epochs):
        self.epochs = epochs

    def before_epoch(self):
        if self.epoch == self.epochs:
            raise KeyboardInterrupt


def small_learner(path):
    torch.manual_seed(0)
    data = [(torch.randn(4), torch.tensor(number % 2)) for number in range(32)]
    dls = DataLoaders(*(DataLoader(data, bs=8, num_workers=0) for _ in range(2)))
    return Learner(dls, nn.Linear(4, 2), nn.CrossEntropyLoss(), path=path)


def test_a_stage_that_was_interrupted_resumes_and_a_finished_one_is_loaded(tmp_path):
    learner = small_learner(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit_stage(learner, "stage", 4, 1e-2, cbs=[Interrupt(2)])
    again = small_learner(tmp_path)
    table = fit_stage(again, "stage", 4, 1e-2)
    assert table.index.tolist() == [0, 1, 2, 3] and table.train_loss.notna().all()
    third = small_learner(tmp_path)
    assert fit_stage(third, "stage", 4, 1e-2).equals(table)
    torch.testing.assert_close(third.model.weight, again.model.weight)


def test_the_average_of_the_weights_is_what_remains(tmp_path):
    learner = small_learner(tmp_path)
    seen = []

    class Watch(Callback):
        def after_step(self):
            seen.append(self.model.weight.detach().clone())

    fit_stage(learner, "stage", 1, 1.0, cbs=[Watch(), Averaged(decay=0.5)])
    mean = seen[0]
    for weight in seen[1:]:
        mean = 0.5 * mean + 0.5 * weight
    torch.testing.assert_close(learner.model.weight.data, mean)
    again = small_learner(tmp_path)
    fit_stage(again, "stage", 1, 1.0)
    torch.testing.assert_close(again.model.weight.data, mean)


def test_depthwise_convolutions_are_trained_in_float32_and_left_as_they_were(tmp_path):
    model = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    data = [(torch.randn(4, 8, 8), torch.tensor(number % 2)) for number in range(8)]
    dls = DataLoaders(*(DataLoader(data, bs=4, num_workers=0) for _ in range(2)))
    learner, dtypes = Learner(dls, model, nn.CrossEntropyLoss(), path=tmp_path, cbs=CPUMixedPrecision()), []
    model[1].register_forward_hook(lambda layer, given, made: dtypes.append((given[0].dtype, made.dtype)))
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)
    assert set(dtypes) == {(torch.bfloat16, torch.bfloat16)}
    assert "forward" not in model[0].__dict__
    assert model[0](torch.zeros(1, 4, 8, 8)).dtype == torch.float32


def test_answers_are_the_sums_of_their_classes():
    answers = add_up(torch.tensor([[0.1, 0.2, 0.4, 0.2, 0.1]]), VOCAB, GROUPS)
    assert answers.iloc[0].to_dict() == pytest.approx({"pizza": 0.1, "steak": 0.4, "other_food": 0.4, "not_food": 0.1})


def test_the_bias_lets_pass_no_more_than_it_may():
    torch.manual_seed(0)
    photos = pd.DataFrame({"label": ["any other_food"] * 400 + ["any steak"] * 100, "source": "own"})
    labels = torch.tensor([6] * 400 + [5] * 100)
    logits = torch.randn(500, 5) + 2.0 * F.one_hot(torch.tensor([2] * 400 + [1] * 100), 5)
    rates = {}
    for passing in (0.05, 0.2):
        temperature, bias = calibrate(logits, labels, photos, VOCAB, GROUPS, passing)
        given = add_up((logits / temperature + bias).softmax(dim=1), VOCAB, GROUPS).idxmax(axis=1)
        rates[passing] = given.isin(["pizza", "steak"])[:400].mean()
        assert rates[passing] <= passing + 1e-9
    assert rates[0.2] > 0.15, "It is the largest bias that may be."


def test_calibration_goes_into_the_last_layer():
    last, features, bias = nn.Linear(6, 5), torch.randn(3, 6), torch.randn(5)
    expected = last(features) / 1.7 + bias
    fold_in(last, 1.7, bias)
    torch.testing.assert_close(last(features), expected)


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_the_temperature_makes_confidence_match_accuracy_again(temperature):
    torch.manual_seed(0)
    honest = torch.randn(20_000, 4) * 2
    targets = torch.distributions.Categorical(logits=honest).sample()
    loss = SumOfClasses([[0], [1], [2], [3]], classes=4, smoothing=0)
    assert fit_temperature(honest * temperature, targets, loss) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("body", [models.mobilenet_v2, models.googlenet, models.shufflenet_v2_x0_5])
def test_described_bodies_are_cut_where_their_features_end(body):
    describe_body(body)
    model = create_vision_model(body, 2, pretrained=False)
    assert model.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
    assert not [layer for layer in model[0].modules() if isinstance(layer, nn.Linear | nn.AdaptiveAvgPool2d)]


def test_a_body_that_cannot_be_cut_says_how_to_train_it():
    with pytest.raises(ValueError, match=r"VisionTransformer can't be cut. Train it whole: Learner"):
        describe_body(models.vit_b_16)
