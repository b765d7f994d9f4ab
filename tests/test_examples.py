"""The examples that visitors can try: ours, and those that an owner puts in their place."""

import base64
import io

import numpy as np
import pytest
from conftest import MODEL, ROOT
from PIL import Image

from foodvision.answer.classifier import Classifier
from foodvision.page.examples import MAX_BYTES, MAX_EXAMPLES, find_examples, list_examples, read_example
from tests.drawn_examples import DRAWINGS, EXAMPLES, draw_example

MAX_TOTAL_BYTES = 60_000
MAX_DIFFERENCE = 6  # of 255, on average: WebP leaves that much out

each_example = pytest.mark.parametrize("name", DRAWINGS)


@each_example
def test_each_example_is_what_the_repository_draws(name):
    stored = np.asarray(Image.open(EXAMPLES / f"{name}.webp").convert("RGB"), dtype=float)
    drawn = np.asarray(draw_example(name), dtype=float)
    assert stored.shape == drawn.shape
    assert np.abs(stored - drawn).mean() < MAX_DIFFERENCE


@pytest.fixture(scope="module")
def classifier():
    return Classifier(MODEL)


@each_example
def test_the_model_answers_each_example_rightly_and_is_sure(classifier, name):
    prediction = classifier.predict(Image.open(EXAMPLES / f"{name}.webp"))
    assert (prediction.label, prediction.unsure) == (DRAWINGS[name][0], False)


def test_our_examples_are_small_and_say_that_they_are_drawn():
    files = sorted(EXAMPLES.iterdir())
    assert [file.stem for file in files] == list(DRAWINGS)
    assert sum(file.stat().st_size for file in files) < MAX_TOTAL_BYTES
    assert list(find_examples()) == ["Drawn pizza", "Drawn steak", "Drawn sushi", "Drawn boat"]


def test_thumbnails_travel_with_the_page_and_pictures_only_when_chosen():
    small = list_examples()
    assert sum(len(example["thumbnail"]) for example in small) < 16_000
    for example in small:
        kind, _, content = example["thumbnail"].partition(",")
        assert kind == "data:image/webp;base64"
        assert Image.open(io.BytesIO(base64.b64decode(content))).size == (144, 144)
    assert read_example("Drawn pizza") == (EXAMPLES / "1-drawn-pizza.webp").read_bytes()


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a model of the owner's and no examples yet."""
    (tmp_path / "export.onnx").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_model_of_your_own_does_not_show_our_dishes(own):
    assert find_examples() == {} and list_examples() == [] and read_example("Drawn pizza") is None


def test_your_pictures_are_shown_in_the_order_of_their_names(own):
    (own / "examples").mkdir()
    for name in "10-my_dog.JPG", "02 cat.png", "notes.txt", ".hidden":
        Image.new("RGB", (300, 200)).save(own / "examples" / name, "PNG")
    assert list(find_examples()) == ["Cat", "My dog"]
    assert [example["name"] for example in list_examples()] == ["Cat", "My dog"]


def test_files_that_cannot_be_shown_are_left_out_and_the_others_stay(own):
    (own / "examples").mkdir()
    (own / "examples" / "broken.webp").write_bytes(b"RIFF")
    (own / "examples" / "huge.jpg").write_bytes(bytes(MAX_BYTES + 1))
    Image.new("RGB", (30, 20)).save(own / "examples" / "fine.png")
    assert [example["name"] for example in list_examples()] == ["Fine"]
    for number in range(2 * MAX_EXAMPLES):
        Image.new("RGB", (30, 20)).save(own / "examples" / f"{number}.png")
    assert len(find_examples()) == MAX_EXAMPLES


@pytest.mark.parametrize("name", ["../export.onnx", "/etc/passwd", "", None, 3, ["Drawn pizza"], "drawn pizza"])
def test_a_page_gets_no_other_file(name):
    assert read_example(name) is None


def test_our_examples_come_with_the_package():
    import hatch_build

    assert "examples" in hatch_build.PACKAGED
    assert "!examples" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
