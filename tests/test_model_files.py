"""A foreign or broken model file gets a sentence, and none can run code unless you trust it."""

import copyreg
import io
import json
import pickle
import re
import subprocess
import sys

import pytest
import torch
from conftest import MODEL, PICKLE, ROOT
from fastai.learner import Learner
from reliability.model_files import (
    ATTACKS,
    BROKEN,
    METADATA,
    NO_LEARNERS,
    NONSENSE,
    OPCODES,
    PROGRAM,
    Raw,
    answer,
    protocols,
    write_attack,
    write_model,
)

from foodvision import Classifier, ModelError
from foodvision.answer.classifier import sha256
from foodvision.cli import main
from foodvision.learn.allowed import MADE, resolve
from foodvision.learn.compile import CompileError, compile_learner
from foodvision.learn.left_out import LeftOut, UnknownNames
from foodvision.learn.load import read_learner
from foodvision.learn.unpickle import Unpickler, find_unknown

pytestmark = pytest.mark.learn


def assert_one_line(error):
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and "Traceback" not in text


# What serving reads


def test_the_smallest_model_is_served(tmp_path):
    """Each broken one differs from it in one way."""
    write_model(tmp_path / "export.onnx")
    assert list(answer(tmp_path / "export.onnx").probabilities) == METADATA["vocab"]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_or_foreign_model_is_refused_when_opened(kind, tmp_path):
    write, said = BROKEN[kind]
    write(tmp_path / "export.onnx")
    with pytest.raises(ModelError, match=re.escape(said)) as error:
        Classifier(tmp_path / "export.onnx")
    assert_one_line(error)


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_model_that_answers_nonsense_is_refused_when_it_answers(kind, tmp_path):
    write, said = NONSENSE[kind]
    write(tmp_path / "export.onnx")
    with pytest.raises(ModelError, match=re.escape(said)) as error:
        answer(tmp_path / "export.onnx")
    assert_one_line(error)


def test_serving_never_unpickles():
    """Runs the page's cells and answers a photo, with every way to unpickle disabled."""
    cells = json.loads((ROOT / "foodvision.ipynb").read_text())["cells"]
    page = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
    script = f"""
import pickle, sys, _pickle
asked = []
sys.addaudithook(lambda event, values: asked.append(values) if event == "pickle.find_class" else None)
def refuse(*arguments, **keywords):
    raise AssertionError("Something is being unpickled.")
class Unpickler:
    __init__ = refuse
for module in pickle, _pickle:
    module.load = module.loads = refuse
    module.Unpickler = Unpickler
pickle._load = pickle._loads = refuse
pickle._Unpickler = Unpickler
{page}
from PIL import Image
print(classifier.predict(Image.new("RGB", (320, 240), "firebrick")).label, asked)
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    label, asked = run.stdout.split()
    assert label in Classifier(MODEL).vocab and asked == "[]"


# What compiling reads


def test_our_own_pickle_needs_no_trust():
    with PICKLE.open("rb") as file:
        assert find_unknown(file) == set()


def test_everything_on_the_allow_list_exists():
    """Every name on the allow-list exists. Otherwise some package could add it later, and open a gap."""
    for name in MADE:
        assert resolve(*name.rsplit(".", 1)) is not None


def test_layers_that_generate_code_are_left_out():
    """Modules that turn a model's names into source code are not allowed."""
    reader = Unpickler(io.BytesIO())
    assert isinstance(reader.find_class("timm.models._features_fx", "FeatureGraphNet"), LeftOut)
    assert isinstance(reader.find_class("torchvision.models.feature_extraction", "DualGraphModule"), LeftOut)


@pytest.mark.parametrize(("kind", "protocol"), protocols())
def test_a_pickle_that_would_run_code_is_refused(kind, protocol, tmp_path):
    path, made = write_attack(kind, tmp_path, protocol)
    with pytest.raises((UnknownNames, CompileError)) as error:
        read_learner(path)
    assert_one_line(error)
    assert not made.exists()


def test_each_of_these_pickles_would_run_code(tmp_path):
    """Loaded by fastai in another process; otherwise refusing them would prove nothing."""
    made = {}
    for kind in (*ATTACKS, *OPCODES, PROGRAM):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made[kind] = write_attack(kind, folder)
    script = """
import sys
from contextlib import suppress
from fastai.learner import load_learner
for path in sys.argv[1:]:
    with suppress(Exception):
        load_learner(path)
"""
    subprocess.run([sys.executable, "-c", script, *(path for path, _ in made.values())], check=True, cwd=tmp_path)
    assert [kind for kind, (_, mark) in made.items() if not mark.exists()] == []


def test_the_refusal_names_what_is_unknown_and_what_to_do(tmp_path):
    path, _ = write_attack("map", tmp_path)
    with pytest.raises(UnknownNames, match=r"builtins\.map, (posix|nt)\.system\. If you trust .* --trust .*trust=True"):
        compile_learner(path)


def test_unknown_names_are_shown_as_plain_text(tmp_path):
    """They could move the cursor or fill the screen."""
    many = b"".join(b"c\x1b[2Jevil\nname%d\n0" % number for number in range(1000))
    torch.save(b"\x80\x02" + many + b"N.", tmp_path / "x", pickle_module=Raw)
    with pytest.raises(UnknownNames, match=r"anything: \\x1b\[2Jevil\.name0, .* and more\. If") as error:
        read_learner(tmp_path / "x")
    assert_one_line(error)
    assert len(str(error.value)) < 1000 and str(error.value).isprintable()


def test_a_pickle_changes_no_class(tmp_path):
    """This one would take `predict` from every later learner."""
    state = pickle.dumps((None, {"predict": None}), protocol=2)[2:-1]
    torch.save(b"\x80\x02cfastai.learner\nLearner\n" + state + b"b.", tmp_path / "x", pickle_module=Raw)
    with pytest.raises(UnknownNames):
        read_learner(tmp_path / "x")
    assert callable(Learner.predict)


def test_a_pickle_uses_no_registered_extension(tmp_path):
    copyreg.add_extension("os", "system", 240)
    try:
        torch.save(b"\x80\x02\x82\xf0(X\x04\x00\x00\x00truetR.", tmp_path / "x", pickle_module=Raw)
        with pytest.raises(CompileError, match="isn't a learner"):
            read_learner(tmp_path / "x")
    finally:
        copyreg.remove_extension("os", "system", 240)


@pytest.mark.parametrize("kind", NO_LEARNERS)
def test_a_pickle_without_a_learner_gets_a_sentence(kind, tmp_path):
    write, said = NO_LEARNERS[kind]
    write(tmp_path / "export.pkl")
    with pytest.raises(CompileError, match=said) as error:
        read_learner(tmp_path / "export.pkl")
    assert_one_line(error)


def test_the_command_shows_the_sha256_and_refuses(tmp_path, capsys):
    path, made = write_attack("os.system", tmp_path)
    assert main(["compile", str(path)]) == 1
    said = capsys.readouterr().err
    assert f"SHA-256 {sha256(path)}" in said
    assert re.search(r"export\.pkl: It needs more than the parts of a fastai image classifier.*system", said)
    assert not made.exists()


def test_with_trust_the_command_warns_and_unpickles(tmp_path, capsys):
    path, made = write_attack("os.system", tmp_path)
    assert main(["compile", "--trust", str(path)]) == 1
    said = capsys.readouterr().err
    assert re.search(rf"SHA-256 {sha256(path)}\n.*runs whatever code it holds", said)
    assert "fastai can't load it" in said
    assert made.exists()
