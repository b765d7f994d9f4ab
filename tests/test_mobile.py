"""`foodvision export`: other runtimes give the learner's own answers."""

import json
import re
import shutil
import subprocess
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from conftest import ROOT
from fastai.vision.all import Resize, create_head
from learners import draw_photos, photo_dls, tiny_learner
from PIL import Image
from torch import nn

from foodvision import Classifier
from foodvision.cli import main
from foodvision.learn.describe import CompileError
from foodvision.learn.export import TARGETS
from foodvision.learn.mobile import export_mobile, portable
from foodvision.learn.runtimes import FORMATS, HALF_TOLERANCE

pytestmark = pytest.mark.learn
PHONES = ROOT / "build" / "phones" / "bin" / "python"
PHOTOS = 20
# Runs a program on the pixels in pixels.npy: python -c SCRIPT TARGET FILE
RUN = """
import sys
from pathlib import Path
import numpy as np
from foodvision.learn.runtimes import FORMATS
run = FORMATS[sys.argv[1]].load(Path(sys.argv[2]))
np.save("answers.npy", np.concatenate([run(photo[None]) for photo in np.load("pixels.npy")]))
"""


def drawn(seed):
    """A picture with large shapes, which a model answers differently from noise."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((480, 400), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def pixels():
    classifier = Classifier(ROOT / "export.onnx")
    return np.stack([classifier.pixels(drawn(seed)) for seed in range(PHOTOS)])


@pytest.fixture(scope="module")
def expected(pixels):
    return Classifier(ROOT / "export.onnx").probabilities(pixels)


@pytest.fixture
def pickle(tmp_path, monkeypatch):
    """A copy of the learner's file in a folder of its own, which is also the working folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copy(ROOT / "export.pkl", tmp_path)


def phones(*arguments):
    """Run Python with the converters for phones."""
    if not PHONES.exists():
        pytest.skip("the converters for phones aren't installed: `make phones` does it, then their formats are checked")
    command = [PHONES, "-W", "ignore", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", env={"PYTHONPATH": str(ROOT), "HOME": "/tmp"})
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def test_the_command_offers_every_format():
    assert set(TARGETS) == set(FORMATS)


def test_fastais_own_head_converts_because_its_pooling_is_replaced(tmp_path):
    body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.ReLU())
    model = nn.Sequential(body, create_head(8, 2)).eval()
    converted = portable(model)
    photos = torch.rand(3, 3, 64, 64)
    assert torch.allclose(converted(photos), model(photos), atol=1e-6)
    program = torch.export.export(converted, (photos[:1],)).run_decompositions({})
    assert not re.search(r"adaptive_(max|avg)_pool", str(program.graph))
    assert re.search(r"adaptive_max_pool", str(torch.export.export(model, (photos[:1],)).graph))


def test_a_weight_in_another_order_is_written_in_the_usual_one():
    model = nn.Conv2d(4, 8, 3).to(memory_format=torch.channels_last)
    assert portable(model).weight.is_contiguous() and not model.weight.is_contiguous()


def test_a_half_sized_onnx_file_is_served_like_any_other(pickle, pixels, expected, capsys):
    assert main(["export", "--to", "onnx-fp16"]) == 0
    small = Classifier("export.fp16.onnx")
    assert np.abs(small.probabilities(pixels) - expected).max() < HALF_TOLERANCE
    assert small.path.stat().st_size < 0.6 * (ROOT / "export.onnx").stat().st_size
    assert small.answers == Classifier(ROOT / "export.onnx").answers
    assert "export.fp16.onnx" in capsys.readouterr().out


def test_pytorchs_program_says_what_a_caller_has_to_know(pickle, pixels, expected):
    files = {"foodvision.json": ""}
    program = torch.export.load(export_mobile(pickle), extra_files=files).module()
    answers = np.concatenate([program(torch.tensor(photo[None])).detach().numpy() for photo in pixels])
    assert np.abs(answers - expected).max() < 1e-4
    assert json.loads(files["foodvision.json"])["vocab"] == Classifier(ROOT / "export.onnx").vocab


@pytest.mark.slow
@pytest.mark.parametrize("target", ["executorch", "litert"])
def test_a_phones_program_gives_the_same_answers_in_its_own_runtime(target, pickle, pixels, expected, tmp_path):
    said = phones("-m", "foodvision", "export", "--to", target)
    path = tmp_path / f"export{FORMATS[target].ending}"
    assert path.name in said and "not run" not in said
    np.save(tmp_path / "pixels.npy", pixels)
    phones("-c", RUN, target, path)
    assert np.abs(np.load(tmp_path / "answers.npy") - expected).max() < 1e-4
    assert json.loads(ZipFile(path).read("foodvision.json"))["vocab"] == Classifier(ROOT / "export.onnx").vocab


@pytest.mark.slow
def test_core_mls_package_is_converted_and_says_whether_it_was_run(pickle, tmp_path):
    said = phones("-m", "foodvision", "export", "--to", "coreml")
    assert "export.mlpackage" in said and (tmp_path / "export.mlpackage" / "Manifest.json").exists()
    assert "not run" in said or shutil.which("xcrun")


@pytest.mark.slow
def test_the_documented_python_answers_a_photo(pickle, tmp_path):
    phones("-m", "foodvision", "export", "--to", "litert")
    drawn(1).save(tmp_path / "photo.jpg")
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "mobile.md").read_text("utf-8"), re.DOTALL)
    classifier = Classifier(ROOT / "export.onnx")
    probabilities = classifier.predict(tmp_path / "photo.jpg").probabilities
    assert phones("-c", script).strip() == max(probabilities, key=probabilities.get)


def test_a_program_that_answers_differently_is_not_written(tmp_path, monkeypatch):
    dls = photo_dls(draw_photos(tmp_path / "photos"), Resize(32))
    learner = tiny_learner(dls, tmp_path)
    wrong = FORMATS["torch"]._replace(load=lambda _: lambda photo: np.ones((1, 2)))
    monkeypatch.setitem(FORMATS, "torch", wrong)
    with pytest.raises(CompileError, match="answers differently"):
        export_mobile(learner, tmp_path / "export.pt2")
    assert not list(tmp_path.glob("*.pt2"))


def test_a_learner_that_a_converter_refuses_gets_a_sentence(tmp_path, monkeypatch):
    def refuse(*_):
        raise NotImplementedError("adaptive_max_pool2d")

    learner = tiny_learner(photo_dls(draw_photos(tmp_path / "photos"), Resize(32)), tmp_path)
    monkeypatch.setitem(FORMATS, "torch", FORMATS["torch"]._replace(write=refuse))
    with pytest.raises(CompileError, match=r"can't be converted \(NotImplementedError: adaptive_max_pool2d\)"):
        export_mobile(learner, tmp_path / "export.pt2")


def test_without_the_converters_the_command_says_how_to_get_them(pickle, capsys):
    assert main(["export", "--to", "litert"]) == 1
    assert "make phones" in capsys.readouterr().err
