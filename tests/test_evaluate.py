"""Evaluating: the promised accuracy, your own folders, and statistics that match the textbook's."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import onnx
import pandas as pd
import pytest
from conftest import MODEL
from huggingface_hub import ModelCard
from onnx import numpy_helper
from PIL import Image
from reliability.model_files import write_model

from foodvision import Classifier
from foodvision.answer.classifier import sha256
from foodvision.cli import main
from foodvision.learn import evaluate
from foodvision.learn.card import write_card
from foodvision.learn.compare import measure_served
from foodvision.learn.evaluate import answer_photos, list_folder
from foodvision.learn.evaluate import test_photos as official_test_photos
from foodvision.learn.scores import confidence_interval, expected_calibration_error, reliability, score_answers
from foodvision.page.drift import find_drift, read_evaluation

pytestmark = pytest.mark.learn
FOODS = ["pizza", "steak", "sushi"]


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


@pytest.fixture
def own(tmp_path):
    """A folder with three photos of each of two labels."""
    for label in ("pizza", "sushi"):
        (tmp_path / "own" / label).mkdir(parents=True)
        for number in range(3):
            Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 5 + number).save(
                tmp_path / "own" / label / f"{number}.png"
            )
    return tmp_path / "own"


def test_real_test_photos_are_labelled_correctly(classifier, food_photos):
    """What the README promises; `foodvision evaluate` prints the exact figures."""
    rows = [(photo, food) for food in FOODS for photo in food_photos(food)]
    table = score_answers(answer_photos(classifier, pd.DataFrame(rows, columns=["photo", "label"])), FOODS)
    assert table.rate["all: right of the foods"] >= 0.98
    assert table.rate["all: named right"] >= 0.93


def test_your_own_folder_of_photos_is_scored(own, capsys):
    assert main(["evaluate", str(own)]) == 0
    said = capsys.readouterr()
    assert "pizza: named right" in said.out and "all photos" in said.out
    assert said.err == ""


def test_your_own_model_is_scored(own, tmp_path, capsys):
    write_model(tmp_path / "own.onnx", vocab=["pizza", "sushi"], decision={})
    assert main(["evaluate", str(own), "--model", str(tmp_path / "own.onnx")]) == 0
    assert "right of the 2 foods" in capsys.readouterr().out


def test_answers_that_are_kept_are_what_later_answers_are_compared_with(own, tmp_path, capsys):
    for number in range(30):
        Image.new("RGB", (32, 32), (8 * number, 90, 40)).save(own / "pizza" / f"plain-{number}.png")
    model = tmp_path / "own.onnx"
    write_model(model, vocab=["pizza", "sushi"], decision={})
    before = Classifier(model)
    assert main(["evaluate", str(own), "--model", str(model), "--keep"]) == 0
    assert "feedback.ipynb compares with that" in capsys.readouterr().out
    after, photo = Classifier(model), own / "sushi" / "0.png"
    assert after.predict(photo).probabilities == before.predict(photo).probabilities
    table = answer_photos(before, list_folder(own, ["pizza", "sushi"]))
    kept = read_evaluation(model)
    assert kept.counts == table.answer.value_counts().to_dict() and kept.total == 36
    assert kept.confidence == pytest.approx(table[["pizza", "sushi"]].max(axis=1).mean())
    time = datetime.now(UTC).isoformat()
    verdicts = [{"time": time, "label": "other", "truth": "other", "probability": kept.confidence}] * 40
    (said, *_) = find_drift(verdicts, model, tmp_path / "no card").sentences
    assert said.startswith("The mix of answers differs from that of the model's test: above all, ")


def test_background_is_what_the_model_calls_background(own, tmp_path, capsys):
    background = {"sushi": "This is not {foods}."}
    write_model(tmp_path / "own.onnx", vocab=["pizza", "sushi"], decision={}, background=background)
    assert main(["evaluate", str(own), "--model", str(tmp_path / "own.onnx")]) == 0
    scores = capsys.readouterr().out
    assert "pizza: named right" in scores and "sushi: taken for one of the foods" in scores
    assert "sushi: named right" not in scores


def test_bad_photos_are_named_and_the_rest_is_scored(own, capsys):
    (own / "pizza" / "empty.jpg").touch()
    (own / "sushi" / "text.jpg").write_text("not a photo", encoding="utf-8")
    (own / "sushi" / "cut.png").write_bytes((own / "sushi" / "0.png").read_bytes()[:200])
    assert main(["evaluate", str(own)]) == 1
    said = capsys.readouterr()
    assert "all photos" in said.out and "(6 photos, 15 bins)" in said.out
    assert [name for name in ("empty.jpg", "text.jpg", "cut.png") if name not in said.err] == []
    assert len(said.err.splitlines()) == 3


def test_only_bad_photos_leave_nothing_to_score(own, capsys):
    for photo in own.glob("*/*.png"):
        photo.write_bytes(b"")
    assert main(["evaluate", str(own)]) == 1
    assert "nothing to score" in capsys.readouterr().err.splitlines()[-1]


def test_photos_in_folders_within_a_label_count_for_it(own, capsys):
    (own / "pizza" / "2024" / "May").mkdir(parents=True)
    shutil.move(own / "pizza" / "0.png", own / "pizza" / "2024" / "May")
    assert main(["evaluate", str(own)]) == 0
    assert "(6 photos, 15 bins)" in capsys.readouterr().out


def test_photos_without_a_label_are_mentioned(own, capsys):
    shutil.copy(own / "pizza" / "0.png", own)
    assert main(["evaluate", str(own)]) == 0
    said = capsys.readouterr()
    assert "1 photo(s) directly in" in said.err and "(6 photos, 15 bins)" in said.out


def _missing(own):
    return own / "nowhere"


def _a_file(own):
    return own / "pizza" / "0.png"


def _empty(own):
    (own / "empty" / "pizza").mkdir(parents=True)
    return own / "empty"


def _unknown_label(own):
    (own / "pizza").rename(own / "pasta")
    return own


FOLDERS = {
    _missing: "does not exist. Name a folder",
    _a_file: "is a file. Name a folder",
    _empty: "There are no photos in",
    _unknown_label: "The model has no class pasta: it knows",
}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.__name__.strip("_"))
def test_a_folder_that_cannot_be_scored_gets_a_sentence(folder, own, capsys):
    assert main(["evaluate", str(folder(own))]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert FOLDERS[folder] in said


def test_without_photos_and_internet_evaluating_says_what_to_do(tmp_path):
    offline = {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "NO_PROXY": "", "no_proxy": ""}
    environment = os.environ | offline | {"FASTAI_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "foodvision", "evaluate"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert "The test photos can't be downloaded" in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("groups", [None, {"baked": ["pizza"], "raw": ["sushi"]}], ids=["classes", "groups"])
def test_a_model_of_other_classes_needs_a_folder_and_nothing_is_downloaded(groups, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluate, "untar_data", lambda url: pytest.fail(f"{url} was downloaded"))
    kinds = {"groups": groups} if groups else {}
    write_model(tmp_path / "own.onnx", vocab=["pizza", "sushi"], decision={}, **kinds)
    assert main(["evaluate", "--model", str(tmp_path / "own.onnx")]) == 1
    assert "This model has classes of its own: name a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("right", "count", "low", "high"), [(175, 176, 0.9685, 0.9990), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_intervals_are_wilsons(right, count, low, high):
    assert confidence_interval(right, count) == pytest.approx((low, high), abs=1e-4)
    assert confidence_interval(0, 0) == (0, 1)


def test_bins_of_confidence_count_every_photo():
    probabilities = [[0.9, 0.1], [0.94, 0.06], [0.55, 0.45], [0.0, 1.0]]
    table = reliability(probabilities, [0, 1, 0, 1], bins=10)
    assert table.photos.tolist() == [1, 1, 2]
    assert table.confidence.tolist() == pytest.approx([0.55, 0.9, 0.97])
    assert table.accuracy.tolist() == pytest.approx([1, 1, 0.5])
    error = (1 * 0.45 + 1 * 0.1 + 2 * 0.47) / 4
    assert expected_calibration_error(probabilities, [0, 1, 0, 1], bins=10) == pytest.approx(error)


def test_a_perfectly_calibrated_model_has_no_calibration_error():
    random = np.random.default_rng(0)
    sure = random.uniform(0.5, 1, 50_000)
    targets = (random.uniform(size=len(sure)) > sure).astype(int)
    assert expected_calibration_error(np.stack([sure, 1 - sure], axis=1), targets) < 0.01


def answered(**columns):
    """A table as `answer_photos` gives it, of photos labelled by answer and dish."""
    table = pd.DataFrame(columns)
    probabilities = pd.DataFrame({name: (table.answer == name) * 0.8 + 0.1 for name in [*FOODS, "other_food"]})
    return table.assign(unsure=False, seconds=0.1).join(probabilities)


def test_steaks_by_another_name_count_as_steaks_but_are_not_among_the_promised():
    table = answered(
        label=["steak", "steak", "steak", "pizza"],
        dish=["steak", "prime_rib", "prime_rib", "pizza"],
        answer=["steak", "steak", "other_food", "pizza"],
    )
    scores = score_answers(table, FOODS)
    assert scores.loc["all: named right", ["right", "photos"]].tolist() == [2, 2]
    assert scores.loc["prime_rib: named steak", ["right", "photos"]].tolist() == [1, 2]


def test_dishes_are_right_if_they_are_the_likeliest_or_among_five():
    table = answered(
        label=["other_food", "other_food", "pizza", "pizza"],
        dish=["ramen", "ramen", "pizza", "pizza"],
        answer=["other_food"] * 4,
        place=[1, 5, 6, np.nan],
    )
    scores = score_answers(table, FOODS)
    assert scores.right[["dish: top-1", "dish: top-5"]].tolist() == [1, 2]


def test_official_test_photos_are_scored_by_dish_and_by_answer(grouped, tmp_path):
    photos = pd.DataFrame(
        [(photo, dish, "test") for dish in ("ramen", "prime_rib") for photo in grouped[1]],
        columns=["photo", "label", "split"],
    )
    classifier = Classifier(grouped[0])
    answers = answer_photos(classifier, official_test_photos(photos, classifier.groups))
    assert answers.label.tolist() == ["other_food"] * 3 + ["steak"] * 3
    assert answers.place.between(1, len(classifier.vocab)).all()


def test_a_model_is_measured_on_the_foods_and_on_the_dishes_it_knows(grouped):
    model, pictures = grouped
    photos = pd.DataFrame([(photo, food, "test") for food in ("pizza", "steak") for photo in pictures])
    photos.columns = ["photo", "label", "split"]
    dishes = photos.assign(label=[next(iter(Classifier(model).predict(photo).dishes)) for photo in photos.photo])
    dishes.loc[0, "label"] = "not_food" if dishes.label[0] == "ramen" else "ramen"
    row = measure_served(Classifier(model), photos, dishes)
    assert row["right"] == "3/6", "Each picture is labelled rightly once."
    assert row["dishes right"] == "5/6"


def test_a_model_that_knows_no_dishes_is_measured_on_the_foods_alone(own, tmp_path):
    weights = np.random.default_rng(0).standard_normal((3 * 8**2, 2)).astype(np.float32)
    write_model(
        tmp_path / "export.onnx",
        given=[("logits", 1, ["photos", 2])],
        weights=[numpy_helper.from_array(weights, "weights")],
        vocab=["pizza", "steak"],
        decision={},
    )
    pictures = sorted((own / "pizza").glob("*.png"))
    photos = pd.DataFrame([(photo, food, "test") for food in ("pizza", "steak") for photo in pictures])
    photos.columns = ["photo", "label", "split"]
    row = measure_served(Classifier(tmp_path / "export.onnx"), photos, photos)
    assert row["right"] == "3/6"
    assert np.isnan(row["dishes"])


@pytest.fixture
def grouped(own, tmp_path):
    """A model with groups of classes, and three photos."""
    vocab = ["pizza", "prime_rib", "ramen", "steak", "not_food"]
    groups = {"pizza": ["pizza"], "steak": ["steak", "prime_rib"], "other_food": ["ramen"], "not_food": ["not_food"]}
    weights = np.random.default_rng(0).standard_normal((3 * 8**2, len(vocab))).astype(np.float32)
    write_model(
        tmp_path / "export.onnx",
        given=[("logits", 1, ["photos", len(vocab)])],
        weights=[numpy_helper.from_array(weights, "weights")],
        vocab=vocab,
        groups=groups,
        background={"other_food": "No.", "not_food": "No."},
        decision={"confidence": 0.5, "margin": 0.2},
        calibration={"temperature": 0.77},
    )
    return tmp_path / "export.onnx", sorted((own / "pizza").glob("*.png"))


def test_the_card_has_the_figures_and_metadata_that_the_hub_reads(grouped, tmp_path):
    model, pictures = grouped
    model.with_suffix(".pkl").write_bytes(b"")
    model_file = onnx.load(model)
    digest = {"pickle_sha256": sha256(model.with_suffix(".pkl"))}
    props = {prop.key: prop.value for prop in model_file.metadata_props} | digest
    onnx.helper.set_model_props(model_file, props)
    onnx.save(model_file, model)
    classifier = Classifier(model)
    labels = ["pizza", "steak", "ramen", "not_food"]
    photos = pd.DataFrame([(photo, label) for label in labels for photo in pictures], columns=["photo", "label"])
    photos = pd.concat([photos.assign(split=split, source="food101") for split in ("test", "train", "valid")])
    answers = answer_photos(classifier, official_test_photos(photos.reset_index(drop=True), classifier.groups))
    write_card(tmp_path / "CARD.md", classifier, photos, answers, ["pizza", "steak"])
    card = ModelCard.load(tmp_path / "CARD.md")
    scores = score_answers(answers, ["pizza", "steak"])
    assert card.data.pipeline_tag == "image-classification" and card.data.license == "apache-2.0"
    assert card.data.eval_results[0].metric_value == pytest.approx(scores.rate["all: named right"], abs=1e-4)
    assert "temperature of 0.77" in card.text and "less likely than 0.50" in card.text
    assert "| food101 | 12 | 12 | 12 |" in card.text
    assert "{{" not in card.text


def test_the_committed_card_is_of_the_committed_model():
    card = ModelCard.load(MODEL.with_name("MODEL_CARD.md"))
    assert card.data.pipeline_tag == "image-classification" and card.data.model_name == "FoodVision"
    for file in MODEL, MODEL.with_suffix(".pkl"):
        assert f"`{file.name}` | {file.stat().st_size / 1e6:.1f} MB | `{sha256(file)}`" in card.text
