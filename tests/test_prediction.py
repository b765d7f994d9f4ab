"""A prediction says the same thing, with the same fields, wherever it is printed."""

import json

import pytest

from foodvision import Prediction
from foodvision.answer.prediction import decide, percent


def test_a_prediction_becomes_one_dictionary_of_plain_json():
    prediction = Prediction("pizza", {"pizza": 0.75, "steak": 0.25}, seconds=0.5)
    fields = prediction.to_dict()
    assert fields == {
        "label": "pizza",
        "probability": 0.75,
        "probabilities": {"pizza": 0.75, "steak": 0.25},
        "unsure": False,
        "seconds": 0.5,
    }
    assert json.loads(json.dumps(fields)) == fields


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "under 1%"),
        (0.0099, "under 1%"),
        (0.01, "1%"),
        (0.125, "13%"),
        (0.865, "87%"),
        (0.99, "99%"),
        (0.9901, "over 99%"),
        (1.0, "over 99%"),
    ],
)
def test_a_percentage_is_never_0_or_100(probability, words):
    assert percent(probability) == words


def test_the_label_is_the_likeliest_answer_whatever_it_is_called():
    assert decide({"pizza": 0.3, "other_food": 0.7}) == ("other_food", False)
    assert decide({"pizza": 0.7, "other_food": 0.3}) == ("pizza", False)
    assert decide({"cat": 0.2, "dog": 0.8}) == ("dog", False)
    assert decide({"cat": 1.0}) == ("cat", False)


def test_a_label_is_unsure_if_another_answer_is_close_behind():
    assert decide({"pizza": 0.5, "steak": 0.4, "sushi": 0.1}, margin=0.2) == ("pizza", True)
    assert decide({"pizza": 0.7, "steak": 0.2, "sushi": 0.1}, margin=0.2) == ("pizza", False)


def test_a_label_is_unsure_if_it_is_not_likely_by_itself():
    assert decide({"pizza": 0.45, "steak": 0.2, "sushi": 0.35}, confidence=0.5, margin=0.05) == ("pizza", True)
    assert decide({"pizza": 0.45, "steak": 0.2, "sushi": 0.35}, confidence=0.4, margin=0.05) == ("pizza", False)
