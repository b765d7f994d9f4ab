"""A model that knows finer classes than it is asked for: answers are sums of dishes, and heat maps show why."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from fastai.vision.all import PILImage
from learners import draw_photos, photo_dls, tiny_learner
from torch import nn

from foodvision import Classifier, ModelError, compile_learner
from foodvision.answer.classes import read_classes
from foodvision.learn.served import draw_noise

pytestmark = pytest.mark.learn

DISHES = ["filet_mignon", "not_food", "pizza", "ramen", "steak"]
GROUPS = {"pizza": ["pizza"], "steak": ["steak", "filet_mignon"], "other_food": ["ramen"], "not_food": ["not_food"]}


def body_and_head():
    body = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU())
    return nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, len(DISHES))))


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dishes")
    torch.manual_seed(1)
    learner = tiny_learner(photo_dls(draw_photos(folder / "photos", DISHES)), folder, body_and_head())
    learner.model[1][-1].weight.data *= 20  # or all answers are about as likely
    learner.groups, learner.titles = GROUPS, {"other_food": "another food"}
    return learner


@pytest.fixture(scope="module")
def classifier(learner, tmp_path_factory):
    return Classifier(compile_learner(learner, tmp_path_factory.mktemp("compiled") / "export.onnx"))


@pytest.fixture(scope="module")
def by_dish(learner):
    """The learner's own probabilities."""
    _, _, logits = learner.predict(PILImage.create(draw_noise()))
    return dict(zip(DISHES, logits.softmax(dim=0).tolist(), strict=True))


def test_an_answer_is_as_likely_as_its_dishes_together(classifier, by_dish):
    probabilities = classifier.predict(draw_noise()).probabilities
    assert list(probabilities) == classifier.answers == list(GROUPS)
    for answer, dishes in GROUPS.items():
        assert probabilities[answer] == pytest.approx(sum(by_dish[dish] for dish in dishes), abs=1e-4)


def test_the_label_is_the_likeliest_answer(classifier):
    for seed in range(8):
        prediction = classifier.predict(draw_noise(seed))
        assert prediction.probability == max(prediction.probabilities.values())


def test_the_dishes_come_best_first_and_without_background(classifier, by_dish):
    prediction = classifier.predict(draw_noise())
    expected = sorted(set(DISHES) - {"not_food"}, key=lambda dish: -by_dish[dish])
    assert list(prediction.dishes) == expected
    assert prediction.to_dict()["dishes"] == prediction.dishes
    assert json.loads(json.dumps(prediction.to_dict())) == prediction.to_dict()


def test_the_page_is_told_of_the_answers_and_of_the_dishes_that_belong_to_each(classifier):
    assert classifier.titles == {
        "pizza": "pizza",
        "steak": "steak",
        "other_food": "another food",
        "not_food": "not food",
    }
    known = {"titles": classifier.titles, "background": classifier.background, "dishes": classifier.dishes}
    assert read_classes(classifier.path) == known
    assert set(classifier.background) == {"other_food", "not_food"}
    assert classifier.dishes == {"filet_mignon": "steak", "pizza": "pizza", "ramen": "other_food", "steak": "steak"}


def test_a_model_without_groups_has_no_dishes(learner, tmp_path):
    plain = tiny_learner(learner.dls, tmp_path, learner.model)
    ungrouped = Classifier(compile_learner(plain, tmp_path / "export.onnx"))
    prediction = ungrouped.predict(draw_noise())
    assert list(prediction.probabilities) == DISHES
    assert "dishes" not in prediction.to_dict()


@pytest.mark.parametrize(
    "groups",
    [
        {"pizza": ["pizza"]},
        GROUPS | {"again": ["pizza"]},
        GROUPS | {"nothing": []},
        GROUPS | {"pizza": ["pasta"]},
        ["pizza"],
    ],
)
def test_groups_that_leave_out_or_repeat_a_dish_are_refused(learner, groups, tmp_path):
    wrong = tiny_learner(learner.dls, tmp_path, learner.model)
    wrong.groups = groups
    with pytest.raises(ModelError, match="groups in its metadata that can't be used"):
        compile_learner(wrong, tmp_path / "export.onnx")
    assert not list(tmp_path.iterdir())


def test_the_heat_map_is_the_gradient_of_the_answers_log_probability(classifier, learner):
    pixels = torch.tensor(classifier.pixels(classifier.read(draw_noise())))[None]
    body, head = learner.model.eval()
    features = body(pixels).detach().requires_grad_()
    probabilities = head(features).softmax(dim=1)[0]
    label = classifier.predict(draw_noise()).label
    sum(probabilities[DISHES.index(dish)] for dish in GROUPS[label]).log().backward()
    weights = features.grad[0].sum(dim=(1, 2), keepdim=True)
    expected = (weights * features[0]).sum(dim=0).detach()
    own = torch.tensor([dish in GROUPS[label] for dish in DISHES]) * probabilities.detach()
    bias = (head[-1].bias.detach() * (own / own.sum() - probabilities.detach())).sum()
    expected = (expected + bias).clip(min=0)
    np.testing.assert_allclose(classifier.heat_map(draw_noise()), expected / expected.max(), atol=1e-3)


def test_every_answer_has_a_heat_map_of_its_own(classifier):
    maps = [classifier.heat_map(draw_noise(), answer) for answer in GROUPS]
    assert all(heat.shape == (7, 7) and 0 <= heat.min() <= heat.max() <= 1 for heat in maps)
    assert not np.allclose(maps[0], maps[1])


def test_every_dish_has_a_heat_map_of_its_own(classifier):
    assert not np.allclose(
        classifier.heat_map(draw_noise(), "filet_mignon"), classifier.heat_map(draw_noise(), "steak")
    )


def test_a_model_that_is_no_body_and_head_has_no_heat_map(learner, tmp_path):
    whole = tiny_learner(learner.dls, tmp_path, nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, len(DISHES))))
    assert Classifier(compile_learner(whole, tmp_path / "export.onnx")).heat_map(draw_noise()) is None


def test_maps_cost_nothing_unless_they_are_asked_for(classifier):
    outputs = [output.name for output in onnxruntime.InferenceSession(str(classifier.path)).get_outputs()]
    assert outputs == ["logits", "maps"]
    asked = []
    session, classifier.session = classifier.session, Recording(classifier.session, asked)
    classifier.predict(draw_noise())
    classifier.session = session
    assert asked == [["logits"]]


class Recording:
    def __init__(self, session, asked):
        self.session, self.asked = session, asked

    def run(self, outputs, inputs):
        self.asked.append(outputs)
        return self.session.run(outputs, inputs)
