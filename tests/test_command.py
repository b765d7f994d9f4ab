"""What the command does with whatever people type, pipe into it or pipe its output to."""

import io
import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from foodvision import Classifier
from foodvision.answer.prediction import percent
from foodvision.batch.inputs import EMPTY_INPUT
from foodvision.cli import app, main

COMMAND = [sys.executable, "-m", "foodvision"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The current folder, with a folder of three photos."""
    (tmp_path / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (64, 48), (200, 80, 70 * number)).save(tmp_path / "photos" / f"{number}.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def run(*arguments, **options):
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, **options)


def test_json_has_the_fields_of_a_prediction(photos, capsys):
    assert main(["--json", "photos/0.jpg"]) == 0
    printed = json.loads(capsys.readouterr().out)
    expected = Classifier().predict(photos / "0.jpg").to_dict()
    assert printed.pop("photo") == "photos/0.jpg" and printed.keys() == expected.keys()
    assert printed.pop("seconds") > 0
    assert printed == {name: value for name, value in expected.items() if name != "seconds"}


def test_a_table_has_the_fields_of_a_prediction(photos, tmp_path):
    assert main(["photos", "--output", "answers.csv"]) == 0
    header = (tmp_path / "answers.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    prediction = Classifier().predict(photos / "0.jpg").to_dict()
    answers = {f"probability_{name}" for name in Classifier().answers}
    fields = prediction.keys() - {"probabilities", "seconds", "dishes"} | answers
    assert set(header) == fields | {"photo", "error"}


def test_a_line_says_the_probability_as_the_page_does(photos, capsys):
    assert main(["photos/0.jpg"]) == 0
    prediction = Classifier().predict(photos / "0.jpg")
    assert capsys.readouterr().out.startswith(f"photos/0.jpg: {prediction.label} ({percent(prediction.probability)}")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_ends_quietly_if_nobody_reads_its_output(photos, options):
    for number in range(20):
        os.link(photos / "0.jpg", photos / f"more {number}.jpg")
    command = subprocess.Popen([*COMMAND, *options, photos], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command.stdout.readline()
    command.stdout.close()
    assert command.stderr.read() == b"" and command.wait(60) == 1


def test_the_command_ends_quietly_if_nobody_reads_its_errors(photos):
    ours, theirs = os.pipe()
    os.close(ours)
    missing = [f"missing {number}.jpg" for number in range(3)]
    command = subprocess.run([*COMMAND, *missing], stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert command.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_behind_the_output_gets_a_sentence(photos):
    with open("/dev/full", "w", encoding="utf-8") as full:
        ran = subprocess.run([*COMMAND, "photos/0.jpg"], stdout=full, stderr=subprocess.PIPE)
    assert (
        ran.returncode == 1 and ran.stderr.startswith(b"The output can't be written") and ran.stderr.count(b"\n") == 1
    )


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk", "utf-16"])
def test_redirected_output_is_utf8_whatever_the_systems_encoding(photos, tmp_path, encoding):
    (photos / "0.jpg").rename(tmp_path / "寿司 🍣.jpg")
    ran = run("寿司 🍣.jpg", "café.jpg", env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert ran.stdout.decode().startswith("寿司 🍣.jpg: ")
    assert ran.stderr.decode() == "café.jpg: There is no such file. Check its name.\n"


def test_a_file_name_that_is_not_text_is_printed_escaped(photos, tmp_path):
    odd = os.fsdecode(b"caf\xe9.jpg")
    try:
        (photos / "0.jpg").rename(tmp_path / odd)
    except OSError:
        pytest.skip("this file system keeps names of text only: others were not tried")
    ran = run(odd)
    assert ran.returncode == 0 and ran.stdout.startswith(rb"caf\udce9.jpg: ")


@pytest.mark.parametrize("pattern", ["photos/*.jpg", "*/?.jpg", "**/*.jpg", "photos/[012].jpg"])
def test_a_pattern_that_no_shell_expanded_is_expanded(photos, pattern, capsys):
    assert main([pattern]) == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [f"photos{os.sep}{number}.jpg" for number in range(3)]


def test_a_file_whose_name_looks_like_a_pattern_is_taken_as_it_is(photos, capsys):
    (photos / "0.jpg").rename("[1].jpg")
    assert main(["[1].jpg"]) == 0 and capsys.readouterr().out.startswith("[1].jpg: ")


def test_a_photo_is_read_from_standard_input(photos):
    with open("photos/0.jpg", "rb") as photo:
        ran = run("--json", "-", stdin=photo)
    assert json.loads(ran.stdout)["label"] == Classifier().predict(photos / "0.jpg").label


def test_empty_standard_input_is_reported(photos):
    ran = run("-", input=b"")
    assert ran.returncode == 1 and ran.stderr.decode().splitlines() == [f"-: {EMPTY_INPUT}"]


def test_standard_input_from_a_keyboard_is_reported(photos, monkeypatch, capsys):
    keyboard = io.StringIO()
    keyboard.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", keyboard)
    assert main(["-"]) == 1 and "Pipe a photo in: foodvision - < photo.jpg" in capsys.readouterr().err


@pytest.fixture
def oddities(tmp_path):
    for name in "empty", "none":
        (tmp_path / name).mkdir()
    (tmp_path / "none" / "notes.txt").write_text("no photo", encoding="utf-8")
    (tmp_path / "link.jpg").symlink_to("gone.jpg")


ODDITIES = {
    "https://example.org/pizza.jpg": "This is an address, not a file. Download the photo",
    "HTTP://example.org/": "This is an address, not a file. Download the photo",
    "s3://bucket/pizza.jpg": "This is an address, not a file. Download the photo",
    "data:image/png;base64,AAAA": "This is an address, not a file. Download the photo",
    "empty": "This folder is empty.",
    "none": "There are no photos in this folder",
    "link.jpg": "This link points to gone.jpg, which is missing.",
}


@pytest.mark.parametrize("name", [*ODDITIES, "*.gif", "missing.jpg"])
def test_each_kind_of_input_that_is_not_a_photo_gets_its_own_sentence(photos, oddities, name, capsys):
    sentence = ODDITIES | {"*.gif": "No file matches this pattern.", "missing.jpg": "There is no such file."}
    assert main([name, "photos/0.jpg"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"{name}: {sentence[name]}") and printed.out.startswith("photos/0.jpg: ")
    assert main(["--json", name]) == 1
    assert json.loads(capsys.readouterr().out)["error"].startswith(sentence[name])


@pytest.mark.parametrize("name", [*ODDITIES, "photos/0.jpg", "missing", "-"])
def test_anything_but_a_folder_of_photos_gets_a_sentence_and_no_table(photos, oddities, tmp_path, name, capsys):
    sentence = ODDITIES | {"photos/0.jpg": "is a file. Name the folder"}
    assert main([name, "--output", "answers.csv"]) == 1
    assert sentence.get(name, "There is no such folder.") in capsys.readouterr().err
    assert not list(tmp_path.glob("answers*"))


def test_a_broken_link_does_not_affect_other_photos(photos, capsys):
    (photos / "1.jpg").unlink()
    (photos / "1.jpg").symlink_to("gone.jpg")
    assert main(["photos"]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2 and "points to gone.jpg, which is missing" in printed.err


@pytest.mark.parametrize("arguments", [["compile"], ["evaluate", "photos"], ["export", "--to", "torch"]])
def test_a_command_that_needs_training_packages_says_how_to_install_them(photos, arguments):
    without = "import sys; sys.modules |= dict.fromkeys(['fastai', 'onnx', 'pandas', 'torch'])"
    script = f"{without}; from foodvision.cli import main; sys.exit(main({arguments}))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "isn't installed. Install the training packages: pip install -e '.[train]'" in ran.stderr


def test_a_missing_package_that_serving_needs_is_not_called_one_of_training(photos):
    script = "import sys; sys.modules['onnxruntime'] = None; from foodvision.cli import main; sys.exit(main(['check']))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
    assert ran.returncode == 1
    assert ran.stderr == "This needs onnxruntime, which isn't installed. Reinstall FoodVision: pip install -e .\n"


@pytest.mark.parametrize("name", sorted(app.commands))
def test_the_help_of_each_command_shows_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"foodvision {name}" in printed or "foodvision photo" in printed


def test_help_mentions_completion_and_completion_works(photos, capsys):
    assert main(["--help"]) == 0
    assert "_FOODVISION_COMPLETE=bash_source foodvision" in capsys.readouterr().out
    asked = {"_FOODVISION_COMPLETE": "bash_complete", "COMP_WORDS": "foodvision se", "COMP_CWORD": "1"}
    assert run(env=os.environ | asked).stdout == b"plain,serve\n"
