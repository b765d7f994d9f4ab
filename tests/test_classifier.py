"""The served model answers as its learner does, and says what is wrong when it cannot."""

import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from conftest import MODEL
from PIL import Image

from foodvision import Classifier, ModelError
from foodvision.answer.check import check_model
from foodvision.batch.folder import answer_folder
from foodvision.cli import main

FOODS = ["pizza", "steak", "sushi"]


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


@pytest.fixture
def drawn(tmp_path):
    path = tmp_path / "drawn.jpg"
    Image.effect_mandelbrot((640, 480), (-2, -1, 1, 1), 50).convert("RGB").save(path)
    return path


def test_three_lines_are_enough(drawn):
    from foodvision import Classifier

    prediction = Classifier().predict(drawn)
    assert prediction.label in prediction.probabilities


def test_probabilities_are_given_for_every_class_and_add_up(classifier, drawn):
    prediction = classifier.predict(drawn)
    assert list(prediction.probabilities) == classifier.answers
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert prediction.seconds > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process occupies, in the way used here")
def test_a_classifier_keeps_no_memory_that_it_freed():
    """Each visitor of the notebook's page has a kernel with a classifier of its own."""
    script = (
        "import ctypes\n"
        "from foodvision import Classifier\n"
        "def occupied(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "trim = getattr(ctypes.CDLL(None), 'malloc_trim', lambda _: None)\n"
        "classifier = Classifier()\n"
        "before = occupied()\n"
        "trim(0)\n"
        "print(before - occupied())"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=MODEL.parent, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 2_000_000


def test_serving_imports_neither_torch_nor_fastai(drawn):
    script = (
        "import sys, foodvision, foodvision.page.dashboard\n"
        f"foodvision.Classifier().predict({str(drawn)!r})\n"
        "print(sorted({'torch', 'fastai', 'pandas', 'onnx', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=MODEL.parent, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_missing_model_says_what_to_run(tmp_path):
    with pytest.raises(ModelError, match=r"There is no .*foodvision compile"):
        Classifier(tmp_path / "export.onnx")


def test_without_a_path_it_is_the_model_that_is_there_at_that_moment(tmp_path, monkeypatch):
    assert Classifier().path == MODEL
    shutil.copy(MODEL, tmp_path / "export.onnx")
    monkeypatch.chdir(tmp_path)
    assert Classifier().path == tmp_path / "export.onnx"
    monkeypatch.setenv("FOODVISION_MODEL", "another.onnx")
    for use in (Classifier, check_model, lambda: answer_folder(tmp_path, "answers.csv")):
        with pytest.raises(ModelError, match=r"There is no .*another\.onnx"):
            use()


def test_a_damaged_model_says_what_to_run(tmp_path):
    damaged = tmp_path / "export.onnx"
    damaged.write_bytes(MODEL.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"can't be read .*foodvision compile"):
        Classifier(damaged)


def test_a_model_from_elsewhere_says_what_to_run(tmp_path):
    model = onnx.load(MODEL)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "export.onnx")
    with pytest.raises(ModelError, match=r"does not say how .*foodvision compile"):
        Classifier(tmp_path / "export.onnx")


def test_a_newer_pickle_beside_the_model_says_what_to_run(tmp_path):
    shutil.copy(MODEL, tmp_path)
    (tmp_path / "export.pkl").write_bytes(b"a newer learner")
    with pytest.raises(ModelError, match=r"not compiled from .*foodvision compile"):
        Classifier(tmp_path / "export.onnx")


def test_the_command_prints_a_label_for_each_photo(drawn, classifier, capsys):
    assert main([str(drawn), str(drawn)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and classifier.predict(drawn).label in lines[0]


def test_the_command_prints_json_and_fails_when_a_photo_does(drawn, tmp_path, capsys):
    text = tmp_path / "photo.jpg"
    text.write_text("this is not a photo")
    assert main(["--json", str(text), str(drawn)]) == 1
    refused, answered = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(refused) == {"photo", "error"} and refused["photo"] == str(text)
    assert set(answered) == {"photo", "label", "probability", "probabilities", "unsure", "seconds", "dishes"}
    assert answered["photo"] == str(drawn)


@pytest.fixture(scope="module")
def test_photos(food_photos):
    import pandas as pd

    rows = [(photo, food) for food in FOODS for photo in food_photos(food)]
    return pd.DataFrame(rows, columns=["photo", "label"])


@pytest.fixture(scope="module")
def learner():
    from fastai.learner import load_learner

    return load_learner(MODEL.with_suffix(".pkl"))


def test_the_same_pixels_give_the_learners_probabilities(classifier, learner):
    import torch

    width, height = classifier.preprocessing["steps"][-1]["size"]
    pixels = np.random.default_rng(0).standard_normal((8, 3, height, width)).astype(np.float32)
    with torch.no_grad():
        expected = learner.model.eval()(torch.tensor(pixels)).softmax(dim=1)
    assert np.abs(classifier.probabilities(pixels) - expected.numpy()).max() < 1e-4


def test_real_test_photos_get_the_learners_answers(classifier, learner, test_photos):
    """At full size, each read, resized and cropped by its own code. fastai ignores colour profiles."""
    photos = [photo for photo in test_photos.photo[::3] if not has_profile(photo)]
    dl = learner.dls.test_dl(photos, num_workers=0)
    with learner.no_bar():
        expected, _ = learner.get_preds(dl=dl)
    served = np.array(
        [classifier.probabilities(classifier.pixels(classifier.read(photo))[None])[0] for photo in photos]
    )
    same = served.argmax(axis=1) == expected.numpy().argmax(axis=1)
    assert same.mean() >= 0.995
    assert np.abs(served - expected.numpy()).max() < 0.02


def has_profile(path):
    with Image.open(path) as photo:
        return "icc_profile" in photo.info
