"""The owner's page: photos to accept or reject, and whether the answers have drifted from the model's test."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from foodvision import Prediction
from foodvision.page.feedback import Feedback

pytestmark = pytest.mark.learn  # drift.py needs SciPy

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def jpeg():
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(file, "JPEG")
    return file.getvalue()


def prediction(label, probability=0.9):
    return Prediction(label, {label: probability, "another": 1 - probability}, seconds=0.1)


@pytest.fixture
def feedback(tmp_path):
    """Verdicts with photos: a wrong answer that is sure, one that isn't, and a right one; and one without a photo."""
    feedback = Feedback(tmp_path / "feedback.db")
    feedback.add("doubtful", prediction("pizza", 0.5), "steak", jpeg())
    feedback.add("sure", prediction("pizza", 0.95), "sushi", jpeg())
    feedback.add("right", prediction("steak"), "steak", jpeg())
    feedback.add("without", prediction("steak"), "steak")
    return feedback


@pytest.fixture
def review(feedback, tmp_path):
    from foodvision.page.review import Review

    return Review(feedback, tmp_path / "photos")


def keys(review):
    return [verdict["key"] for verdict in review.shown()]


def exported(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg"))


def accepted(feedback):
    return {verdict["key"]: verdict["accepted"] for verdict in feedback.verdicts()}


def test_a_database_from_before_there_were_reviews_is_read(feedback):
    import sqlite3

    with sqlite3.connect(feedback.path) as db:
        db.execute("DROP TABLE reviews")
    assert set(accepted(Feedback(feedback.path)).values()) == {None}


def test_a_rejected_photo_is_never_exported_and_an_undecided_one_only_if_asked(feedback, tmp_path):
    feedback.review("sure", False)
    feedback.review("right", True)
    assert feedback.export(tmp_path / "all") == 2
    assert exported(tmp_path / "all") == ["steak/doubtful.jpg", "steak/right.jpg"]
    assert feedback.export(tmp_path / "accepted", accepted_only=True) == 1
    assert exported(tmp_path / "accepted") == ["steak/right.jpg"]


def test_a_rejection_takes_back_what_was_exported(feedback, tmp_path):
    feedback.export(tmp_path)
    feedback.review("sure", False)
    feedback.export(tmp_path)
    assert "sushi/sure.jpg" not in exported(tmp_path)
    feedback.review("sure", None)
    feedback.export(tmp_path)
    assert "sushi/sure.jpg" in exported(tmp_path)


def test_after_a_change_of_mind_the_owner_looks_again(feedback):
    feedback.review("sure", True)
    feedback.add("sure", prediction("pizza"), "pizza", jpeg())
    assert accepted(feedback)["sure"] is None


def test_wrong_answers_come_first_and_the_surest_of_them_foremost(review):
    assert keys(review) == ["sure", "doubtful", "right"]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("answer", "steak", ["right"]),
        ("verdict", "wrong", ["sure", "doubtful"]),
        ("verdict", "right", ["right"]),
        ("decision", "rejected", ["doubtful"]),
        ("decision", "undecided", ["sure", "right"]),
    ],
)
def test_photos_are_filtered_by_answer_verdict_and_decision(review, feedback, name, value, shown):
    feedback.review("doubtful", False)
    getattr(review, name).value = value
    assert keys(review) == shown and len(review.cards.children) == len(shown)


def test_a_decision_is_kept_at_once_and_the_photo_stays_in_view(review, feedback):
    first = review.cards.children[0]
    first.children[-1].value = "accepted"
    assert accepted(feedback)["sure"] is True and review.cards.children[0] is first
    first.children[-1].value = "rejected"
    assert accepted(feedback)["sure"] is False and "fv-rejected" in first._dom_classes


def press(review, name):
    (button,) = [button for button in review.children[-1].children if button.description == name]
    button.click()


def test_export_writes_what_was_accepted_and_says_how_much(review, tmp_path):
    press(review, "Export")
    assert "No photos" in review.said.value and "Accept those" in review.said.value
    review.verdict.value = "wrong"
    press(review, "Accept all shown")
    press(review, "Export")
    assert "2 photos in" in review.said.value
    assert exported(tmp_path / "photos") == ["steak/doubtful.jpg", "sushi/sure.jpg"]


def test_a_folder_that_cannot_be_written_gets_a_sentence(review, feedback, tmp_path):
    feedback.review("sure", True)
    (tmp_path / "photos").write_text("a file", encoding="utf-8")
    press(review, "Export")
    assert "can't be written" in review.said.value


def test_what_visitors_typed_stays_text(feedback):
    from foodvision.page.review import Review

    feedback.add("sly", prediction("pizza"), "<img src=x onerror=alert(1)>", jpeg())
    texts = [
        child.value for card in Review(feedback).cards.children for child in card.children if hasattr(child, "value")
    ]
    assert not [text for text in texts if isinstance(text, str) and "<img" in text]


# Drift


def verdict(label, truth=None, probability=0.9, days_ago=1):
    time = (NOW - timedelta(days=days_ago)).isoformat()
    known = {"key": "", "has_photo": False, "accepted": None}
    return known | {"time": time, "label": label, "truth": truth or label, "probability": probability}


def several(count, label, truth=None, probability=0.9, days_ago=1):
    """Verdicts whose probabilities vary a little."""
    return [verdict(label, truth, probability + (at % 5 - 2) / 100, days_ago) for at in range(count)]


@pytest.fixture
def drift(tmp_path):
    """`drift(verdicts, card, evaluation)`: the sentences about them, for a model with this card and test."""
    import onnx
    from onnx import TensorProto, helper

    from foodvision.page.drift import find_drift

    def find(verdicts, card="", evaluation=None):
        (tmp_path / "MODEL_CARD.md").write_text(card, encoding="utf-8")
        value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
        graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", value[:1], value[1:])
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        if evaluation is not None:
            helper.set_model_props(model, {"evaluation": json.dumps(evaluation)})
        onnx.save(model, tmp_path / "export.onnx")
        return find_drift(verdicts, tmp_path / "export.onnx", tmp_path / "MODEL_CARD.md", NOW).sentences

    return find


TEST = {"answers": {"pizza": 60, "steak": 40}, "confidence": {"mean": 0.9, "deviation": 0.05}}
CARD = """
| | right | photos | rate |
| --- | --- | --- | --- |
| pizza: named right | 65 | 66 | 98.5% |
| all: named right | 65 | 66 | 98.5% |
"""
STEADY = [*several(24, "pizza"), *several(16, "steak")]


def test_without_a_test_or_earlier_months_it_says_so(drift):
    (sentence,) = drift(STEADY)
    assert sentence.startswith("There is nothing to compare with")


@pytest.mark.parametrize(("count", "said"), [(0, "No answers"), (1, "One answer"), (29, "29 answers")])
def test_few_answers_are_not_judged(drift, count, said):
    (sentence,) = drift(several(count, "pizza"), CARD, TEST)
    assert sentence == f"{said} in the last 30 days: too few to compare. It takes 30."


def test_what_chance_explains_is_not_reported(drift):
    (sentence,) = drift(STEADY, CARD, TEST)
    assert sentence.startswith("Nothing has changed") and "the model's test and the model card" in sentence


def test_other_shares_of_answers_are_reported_with_the_greatest_change(drift):
    (sentence,) = drift([*several(5, "pizza"), *several(35, "steak")], "", TEST)
    assert (
        "above all, pizza is 13% of them instead of 60%" in sentence
        or "steak is 88% of them instead of 40%" in sentence
    )


@pytest.mark.parametrize(("probability", "said"), [(0.7, "less sure"), (0.97, "more sure")])
def test_another_confidence_is_reported(drift, probability, said):
    verdicts = [*several(24, "pizza", probability=probability), *several(16, "steak", probability=probability)]
    (sentence,) = drift(verdicts, "", TEST)
    assert said in sentence and "on average instead of 90%" in sentence


def test_an_answer_that_is_right_less_often_than_on_the_card_is_named(drift):
    (sentence,) = drift([*several(20, "pizza"), *several(20, "steak", truth="pizza")], CARD)
    assert sentence == (
        "Pizza is named right less often than on the model's test photos: 20 of 40 instead of 65 of 66."
    )


def test_earlier_months_stand_in_for_a_test(drift):
    earlier = [*several(30, "pizza", days_ago=60), *several(30, "steak", days_ago=60)]
    (sentence,) = drift([*several(38, "pizza"), *several(2, "steak"), *earlier])
    assert "from that of earlier months" in sentence


@pytest.mark.parametrize("evaluation", ["x", [], {}, {"answers": 3}, {"answers": {"pizza": 60}, "confidence": None}])
def test_a_test_that_cannot_be_used_is_passed_over(drift, evaluation):
    (sentence,) = drift(STEADY, "", evaluation)
    assert sentence.startswith("There is nothing to compare with")


def test_our_model_card_has_counts_to_compare_with():
    from conftest import ROOT

    from foodvision.page.drift import read_card

    assert {"pizza", "steak", "sushi"} <= read_card(ROOT / "MODEL_CARD.md").keys()


def test_figures_and_drift_are_shown_as_text():
    from foodvision.page.drift import Answers, Drift
    from foodvision.page.review import figures, show_drift

    assert "No verdicts yet." in figures([]).value
    shown = figures([verdict("pizza"), verdict("pizza", "steak")]).value
    assert "<b>2</b>" in shown and "<b>50%</b>" in shown
    recent, before = Answers("now", {"<b>": 30}, 0.9, 0.1), Answers("test", {"pizza": 60}, 0.9, 0.1)
    html = show_drift(Drift(["Less sure & <sad>."], recent, before)).value
    assert "Less sure &amp; &lt;sad&gt;." in html and "&lt;b&gt;" in html and "pizza" in html
