"""A model's titles and background sentences are read from its file without loading ONNX Runtime."""

import subprocess
import sys

import pytest
from conftest import ROOT

from foodvision import Classifier
from foodvision.answer.classes import read_classes

MODEL = ROOT / "export.onnx"


def test_titles_and_sentences_match_the_classifiers():
    classifier = Classifier(MODEL)
    words = {"titles": classifier.titles, "background": classifier.background, "dishes": classifier.dishes}
    assert read_classes(MODEL) == words
    assert list(read_classes(MODEL)["titles"]) == classifier.answers


def test_reading_them_loads_neither_onnx_runtime_nor_numpy():
    code = "import sys, pathlib, foodvision.answer.classes as classes; classes.read_classes(pathlib.Path(sys.argv[1]))"
    run = [sys.executable, "-c", f"{code}; print(*sys.modules)", MODEL]
    modules = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    assert not {"onnxruntime", "numpy", "PIL"} & set(modules)


@pytest.mark.parametrize("content", [b"", b"only text", bytes(100), b"\xff" * 100, b"\x72\x05hello", b"\x72\x7f"])
def test_a_file_that_is_not_a_model_is_a_value_error(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError):
        read_classes(path)


def test_a_model_cut_short_is_a_value_error(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(MODEL.read_bytes()[:100_000])
    with pytest.raises(ValueError, match="not an ONNX model, or it is cut short"):
        read_classes(path)
