"""A model says what its classes are called and which of them mean "none of these"; names decide nothing."""

import json
from types import SimpleNamespace

import pytest

from foodvision import Classifier
from foodvision.answer.metadata import read_metadata

METADATA = {
    "vocab": ["pizza", "french_fries", "other_food"],
    "preprocessing": {
        "steps": [{"do": "crop", "size": [8, 8], "resample": 2, "pad_mode": "zeros"}],
        "mean": [0.5] * 3,
        "std": [0.2] * 3,
    },
    "decision": {"accept": {"other_food": 0.5}, "margin": 0.2},
    "calibration": None,
}


def read(**changes):
    """The metadata of a model with these values added."""
    texts = {name: json.dumps(value) for name, value in (METADATA | changes).items()} | {"pickle_sha256": 64 * "0"}
    meta = SimpleNamespace(custom_metadata_map=texts)
    return read_metadata(SimpleNamespace(get_modelmeta=lambda: meta))


def test_classes_have_titles_by_default_their_names_with_spaces():
    assert read()["titles"] == {"pizza": "pizza", "french_fries": "french fries", "other_food": "other food"}
    assert read(titles={"french_fries": "chips"})["titles"]["french_fries"] == "chips"


def test_classes_in_the_decision_rule_are_background_and_get_default_sentences():
    assert read()["background"] == {"other_food": "This looks like food, but not {foods}."}
    neither = read(vocab=["cat", "dog", "neither"], decision={"accept": {"neither": 0.5}})
    assert neither["background"] == {"neither": "This is not {foods}."}


def test_a_model_may_define_its_sentences():
    assert read(background={"other_food": "No {foods} here."})["background"] == {"other_food": "No {foods} here."}


def test_no_class_is_background_because_of_its_name():
    assert read(decision={})["background"] == {}


def test_the_classifier_has_the_words_of_its_model():
    classifier = Classifier()
    assert list(classifier.titles) == classifier.answers
    assert set(classifier.background) == {"other_food", "not_food"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("titles", ["pizza"]),
        ("titles", {"pizza": 1}),
        ("titles", {"pizza": " "}),
        ("titles", {"burger": "burger"}),
        ("background", "other_food"),
        ("background", {"other_food": None}),
        ("background", {"burger": "Not {foods}."}),
        ("background", dict.fromkeys(METADATA["vocab"], "No.")),
    ],
)
def test_words_that_cannot_be_used_are_refused(name, value):
    with pytest.raises(ValueError, match=f"has a {name} in its metadata that can't be used"):
        read(**{name: value})
