"""Code written for version 0.1 keeps working: modules are found under their old names, and so are their commands."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from foodvision.moved import COMMANDS, MOVED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_every_old_name_leads_to_a_module(old, new):
    assert find_spec(f"foodvision.{old}"), old
    assert find_spec(f"foodvision.{new}"), new


@pytest.mark.parametrize("old", ["classifier", "photo", "preprocessing"])
def test_both_names_mean_the_same_module(old):
    sys.modules.pop(f"foodvision.{old}", None)
    with pytest.deprecated_call(match=f"foodvision.{old} is now foodvision.{MOVED[old]}"):
        moved = import_module(f"foodvision.{old}")
    assert moved is import_module(f"foodvision.{MOVED[old]}")


def test_old_imports_still_work():
    from foodvision.classifier import Classifier, Prediction, decide
    from foodvision.photo import PhotoError, read_photo

    import foodvision

    assert (foodvision.Classifier, foodvision.Prediction) == (Classifier, Prediction)
    assert (foodvision.PhotoError, foodvision.read_photo) == (PhotoError, read_photo)
    assert decide({"pizza": 1.0}) == ("pizza", False)


def test_an_old_command_runs_the_new_one_and_returns_its_status(tmp_path):
    command = [sys.executable, "-m", "foodvision.check", str(tmp_path / "missing.onnx")]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert "There is no" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize("old", COMMANDS)
def test_every_old_command_still_runs(old):
    run = subprocess.run([sys.executable, "-m", f"foodvision.{old}", "--help"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert f"foodvision {COMMANDS[old][0]}" in run.stdout


def test_a_name_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        import_module("foodvision.pizza")
