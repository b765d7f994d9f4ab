"""Hostile and broken model files: an `export.onnx` that can't be served, an `export.pkl` that would run code.

`BROKEN` and `NONSENSE` write an `export.onnx`, and name what the message says; the first are refused when opened, the
second when they answer. `ATTACKS` are pickles that create the file they are given if they are trusted. `NO_LEARNERS`
hold neither an attack nor a learner.
"""

import collections
import functools
import io
import json
import operator
import os
import pickle
import runpy
import subprocess
import sys
import tempfile
import timeit
import zipfile
from pathlib import Path
from time import perf_counter

import cloudpickle
import fastai.imports
import numpy as np
import onnx
import psutil
import torch
from fastai.data.core import TfmdLists
from fastai.learner import load_learner
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from foodvision import Classifier, ModelError
from foodvision.learn.describe import CompileError
from foodvision.learn.left_out import UnknownNames
from foodvision.learn.load import read_learner

from . import Row

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # what is defined here travels as code, as from a notebook
PICTURE = Image.new("RGB", (64, 48), "firebrick")
SIDE, CLASSES = 8, ["pizza", "other_food"]
METADATA = {
    "vocab": CLASSES,
    "preprocessing": {
        "steps": [{"do": "crop", "size": [SIDE, SIDE], "resample": 2, "pad_mode": "zeros"}],
        "mean": [0.5, 0.5, 0.5],
        "std": [0.2, 0.2, 0.2],
    },
    "decision": {"accept": {"other_food": 0.5}, "margin": 0.2},
    "calibration": None,
}
WEIGHTS = np.eye(3 * SIDE**2, len(CLASSES))
TAKEN = ("pixels", TensorProto.FLOAT, ["photos", 3, SIDE, SIDE])
GIVEN = ("logits", TensorProto.FLOAT, ["photos", len(CLASSES)])


def write_model(
    path, taken=(TAKEN,), given=(GIVEN,), layers=None, weights=None, opset=18, ir=10, texts=None, **metadata
):
    """Write the smallest model that can be served, with the given changes; `metadata` and `texts` replace its own."""
    of_type = helper.tensor_dtype_to_np_dtype(taken[0][1])
    weights = weights or [_tensor("weights", WEIGHTS.astype(of_type))]
    layers = layers or [("Flatten", [taken[0][0]], ["flat"]), ("MatMul", ["flat", "weights"], [given[0][0]])]
    nodes = [helper.make_node(*layer) for layer in layers]
    ends = [[helper.make_tensor_value_info(*end) for end in side] for side in (taken, given)]
    graph = helper.make_graph(nodes, "model", *ends, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    own = {name: json.dumps(value) for name, value in (METADATA | metadata).items()} | {"pickle_sha256": 64 * "0"}
    helper.set_model_props(model, own | (texts or {}))
    path.write_bytes(model.SerializeToString())


def _tensor(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def _but(**changes):
    return functools.partial(write_model, **changes)


def _preparing(**changes):
    return _but(preprocessing=METADATA["preprocessing"] | changes)


def _stepping(**changes):
    return _preparing(steps=[METADATA["preprocessing"]["steps"][0] | changes])


def _deciding(**changes):
    return _but(decision=METADATA["decision"] | changes)


def _weighing(location):
    """Weights stored in another file."""
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=WEIGHTS.shape)
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    return _but(weights=[weights])


def _bytes(content):
    return lambda path: path.write_bytes(content)


def _part(path):
    write_model(path)
    path.write_bytes(path.read_bytes()[:-2000])


def _zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("export.onnx", "w") as file:
        for _ in range(64):
            file.write(bytes(2**20))


def _without_metadata(path):
    write_model(path)
    model = onnx.load(path)
    del model.metadata_props[:]
    path.write_bytes(model.SerializeToString())


def _not_utf8(path):
    write_model(path, calibration="temperature")
    path.write_bytes(path.read_bytes().replace(b"temperature", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5"))


def _stale(path):
    write_model(path)
    path.with_suffix(".pkl").write_bytes(b"another learner")


def _beside_a_folder(path):
    write_model(path)
    path.with_suffix(".pkl").mkdir()


DOUBLE = TensorProto.DOUBLE
UNREADABLE, SILENT, VAGUE = "can't be read as a model", "does not say how to prepare", "in its metadata that can't"
PHOTOS, NUMBERS = "does not take the photos", "does not give one number for each"
BROKEN = {
    "nothing": (lambda path: None, "There is no"),
    "a folder": (Path.mkdir, UNREADABLE),
    "empty": (_bytes(b""), UNREADABLE),
    "cut short": (_part, UNREADABLE),
    "a text": (_bytes(b"version https://git-lfs.github.com/spec/v1\n"), UNREADABLE),
    "a zip bomb": (_zip_bomb, UNREADABLE),
    "an opset of tomorrow": (_but(opset=99), "needs a newer ONNX Runtime"),
    "a format of tomorrow": (_but(ir=99), "needs a newer ONNX Runtime"),
    "an unknown layer": (_but(layers=[("Cook", ["pixels"], ["logits"])]), UNREADABLE),
    "a layer without its input": (_but(layers=[("MatMul", ["flat", "weights"], ["logits"])]), UNREADABLE),
    "weights of another folder": (_weighing("../../etc/passwd"), UNREADABLE),
    "weights at a path": (_weighing("/etc/passwd"), UNREADABLE),
    "weights that are missing": (_weighing("weights.bin"), UNREADABLE),
    "no metadata": (_without_metadata, SILENT),
    "metadata that are no JSON": (_but(texts={"vocab": "pizza, steak"}), SILENT),
    "metadata that are no text": (_not_utf8, SILENT),
    "metadata nested deeply": (_but(texts={"decision": 99_999 * "["}), SILENT),
    "no classes": (_but(vocab=[]), f"vocab {VAGUE}"),
    "classes that are numbers": (_but(vocab=[0, 1]), f"vocab {VAGUE}"),
    "a class twice": (_but(vocab=["pizza", "pizza"]), f"vocab {VAGUE}"),
    "classes in no order": (_but(vocab={"pizza": 0, "sushi": 1}), f"vocab {VAGUE}"),
    "classes that are lists": (_but(vocab=[["pizza"], ["sushi"]]), f"vocab {VAGUE}"),
    "no step": (_preparing(steps=[]), f"preprocessing {VAGUE}"),
    "preprocessing that is a number": (_but(preprocessing=1), f"preprocessing {VAGUE}"),
    "an unknown step": (_stepping(do="fry"), f"preprocessing {VAGUE}"),
    "a size beyond all memory": (_stepping(size=[10**9, 10**9]), f"preprocessing {VAGUE}"),
    "a size below nothing": (_stepping(size=[-8, 8]), f"preprocessing {VAGUE}"),
    "a size of three": (_stepping(size=[8, 8, 8]), f"preprocessing {VAGUE}"),
    "a size in words": (_stepping(size=["eight", "eight"]), f"preprocessing {VAGUE}"),
    "an unknown margin": (_stepping(do="center_crop", pad_mode="mustard"), f"preprocessing {VAGUE}"),
    "an unknown resampling": (_stepping(resample=99), f"preprocessing {VAGUE}"),
    "a deviation of zero": (_preparing(std=[0.2, 0, 0.2]), f"preprocessing {VAGUE}"),
    "a mean that is no number": (_preparing(mean=[0.5, float("nan"), 0.5]), f"preprocessing {VAGUE}"),
    "a mean of two colours": (_preparing(mean=[0.5, 0.5]), f"preprocessing {VAGUE}"),
    "an unknown rule": (_deciding(command="rm"), f"decision {VAGUE}"),
    "a rule for no class": (_deciding(accept={"burger": 0.5}), f"decision {VAGUE}"),
    "a rule that leaves no class": (_deciding(accept=dict.fromkeys(CLASSES, 0.5)), f"decision {VAGUE}"),
    "a rule that nothing meets": (_deciding(accept={"other_food": 2}), f"decision {VAGUE}"),
    "a rule that is no number": (_deciding(accept={"other_food": float("nan")}), f"decision {VAGUE}"),
    "a margin that is no number": (_deciding(margin=float("nan")), f"decision {VAGUE}"),
    "a rule in words": (_but(decision="pizza"), f"decision {VAGUE}"),
    "more classes than numbers": (_but(vocab=[*CLASSES, "sushi"]), NUMBERS),
    "numbers under another name": (_but(given=[("scores", *GIVEN[1:])]), NUMBERS),
    "a second answer": (_but(given=[GIVEN, ("flat", TensorProto.FLOAT, ["photos", len(WEIGHTS)])]), NUMBERS),
    "another size than it says": (_stepping(size=[16, 8]), PHOTOS),
    "photos under another name": (_but(taken=[("photo", *TAKEN[1:])]), PHOTOS),
    "photos of another type": (
        _but(taken=[("pixels", DOUBLE, TAKEN[2])], given=[("logits", DOUBLE, GIVEN[2])]),
        PHOTOS,
    ),
    "one photo at a time": (_but(taken=[(*TAKEN[:2], [1, 3, SIDE, SIDE])], given=[(*GIVEN[:2], [1, 2])]), PHOTOS),
    "a second question": (_but(taken=[TAKEN, ("more", TensorProto.FLOAT, [1])]), PHOTOS),
    "another learner's": (_stale, "was not compiled from the export.pkl beside it"),
    "beside a folder named export.pkl": (_beside_a_folder, "export.pkl beside export.onnx can't be read"),
}
SUMS = ("Flatten", ["pixels"], ["flat"]), ("MatMul", ["flat", "weights"], ["sums"])
NONSENSE = {
    "no number": (_but(weights=[_tensor("weights", np.float32(WEIGHTS * np.nan))]), "not probabilities"),
    "no end": (_but(weights=[_tensor("weights", np.float32(WEIGHTS + np.inf))]), "not probabilities"),
    "a number that is not there": (
        _but(
            layers=[
                *SUMS,
                ("Gather", ["sums", "fifth"], ["fifth of them"]),
                ("Add", ["sums", "fifth of them"], ["logits"]),
            ],
            weights=[_tensor("weights", np.float32(WEIGHTS)), _tensor("fifth", [5])],
        ),
        "fails on a photo",
    ),
}


class Call:
    """Pickles as a call of `function`, which happens when the pickle is read."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = function, arguments, state

    def __reduce__(self):
        return self.reduced

    def __call__(self):
        """Picklers check that what is to be called is callable."""


class Made:
    """An object whose class is not installed where the file is read."""

    def __init__(self, path):
        self.path = path

    def __setstate__(self, state):
        Path(state["path"]).touch()


def _make(path):
    Path(path).touch()


def _annotated(path):
    """Python evaluates string annotations when fastai asks a transform for its types."""
    annotations = {"__annotations__": {"x": f"__import__('pathlib').Path({path!r}).touch()"}}
    return Call(TfmdLists, [1], [Call(getattr, fastai.imports, "noop", state=(None, annotations))])


def _in_another_learner(path):
    inner = f"{path}.pkl"
    torch.save(Call(Path.touch, Path(path)), inner, pickle_module=cloudpickle)
    return Call(load_learner, inner)


def _in_a_hub(path):
    """torch.hub runs the `hubconf.py` of a folder."""
    folder = Path(f"{path}.hub")
    folder.mkdir()
    (folder / "hubconf.py").write_text(f"def make():\n    open({path!r}, 'w')\n")
    return Call(functools.partial(torch.hub.load, source="local"), str(folder), "make")


def _script(path):
    script = Path(f"{path}.py")
    script.write_text(f"open({path!r}, 'w')", encoding="utf-8")
    return str(script)


def _code(path):
    return f"open({path!r}, 'w')"


ATTACKS = {
    "os.system": lambda path: Call(os.system, f"touch {path}"),
    "subprocess": lambda path: Call(subprocess.getoutput, f"touch {path}"),
    "eval": lambda path: Call(eval, _code(path)),
    "exec": lambda path: Call(exec, _code(path)),
    "timeit": lambda path: Call(timeit.timeit, _code(path), "pass", timeit.default_timer, 1),
    "runpy": lambda path: Call(runpy.run_path, _script(path)),
    "import and getattr": lambda path: Call(Call(getattr, Call(__import__, "os"), "system"), f"touch {path}"),
    "a module of cloudpickle": lambda path: Call(Call(getattr, os, "system"), f"touch {path}"),
    "a method": lambda path: Call(Path.touch, Path(path)),
    "a method by its name": lambda path: Call(operator.methodcaller("touch"), Path(path)),
    "reduce": lambda path: Call(Call(functools.reduce, getattr, [Path(path), "touch"])),
    "partial": lambda path: Call(functools.partial(os.system, f"touch {path}")),
    "map": lambda path: Call(list, Call(map, os.system, [f"touch {path}"])),
    "a custom function": lambda path: Call(_make, path),
    "a custom class": Made,
    "another pickle": lambda path: Call(pickle.loads, pickle.dumps(Call(Path.touch, Path(path)))),
    "another learner": _in_another_learner,
    "a hub": _in_a_hub,
    "annotations": _annotated,
    "hidden in a dictionary": lambda path: {"model": [{"weights": Call(os.system, f"touch {path}")}]},
}


class Raw:
    """A `pickle_module` for `torch.save` that writes the bytes it is given."""

    __name__ = "raw"

    class Pickler:
        def __init__(self, file, protocol):
            self.file = file

        def dump(self, content):
            self.file.write(content)


def _text(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


PROTOCOLS = (2, 4)  # what fastai writes; and with names that are put together from the stack
OPCODES = {
    "the opcode INST": lambda path: f"(S'touch {path}'\nios\nsystem\n.".encode(),
    "the opcode OBJ": lambda path: f"(cos\nsystem\nS'touch {path}'\no.".encode(),
    "a name of Python 2": lambda path: f"ccommands\ngetoutput\n(S'touch {path}'\ntR.".encode(),
    "a name from memory": lambda path: (
        b"\x80\x04" + _text("system") + b"\x940" + _text("os") + b"\x94h\x00\x93" + _text(f"touch {path}") + b"\x85R."
    ),
}


class Writer(torch.nn.Module):
    """TorchScript runs `__setstate__` when it is loaded."""

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return "PATH", self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]):
        self.training = state[1]
        torch.save([1], state[0])


def _program(path, made):
    """Put a program where constants would be: torch loads it instead of the pickle, which is harmless."""
    program, file = torch.jit.script(Writer()), io.BytesIO()
    torch.jit.save(program, file)
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(path, "w") as attack:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith("/data.pkl"):
                program = content.replace(b"X\x04\0\0\0PATH", b"X" + len(made).to_bytes(4, "little") + made.encode())
                attack.writestr("archive/constants.pkl", program)
                content = b"\x80\x02N."
            if not name.endswith("/constants.pkl"):
                attack.writestr("archive/" + name.split("/", 1)[1], content)


PROGRAM = "a program of TorchScript"


def write_attack(kind, folder, protocol=2):
    """Write a pickle to `folder`. Returns its path, and the path of the file that it creates if it is trusted."""
    pickle, made = folder / "export.pkl", folder / "made"
    if kind == PROGRAM:
        _program(pickle, str(made))
    elif kind in OPCODES:
        torch.save(OPCODES[kind](str(made)), pickle, pickle_module=Raw)
    else:
        torch.save(ATTACKS[kind](str(made)), pickle, pickle_module=cloudpickle, pickle_protocol=protocol)
    return pickle, made


def _not_a_learner(path):
    torch.save(collections.OrderedDict(weight=torch.zeros(2)), path)


def _damaged(path):
    _not_a_learner(path)
    path.write_bytes(path.read_bytes()[:-300])


def _of_torch_1(path):
    torch.save({"weight": torch.zeros(2)}, path, _use_new_zipfile_serialization=False)


def _two_pickles(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one/data.pkl", b"N.")
        archive.writestr("two/data.pkl", b"N.")


NO_LEARNERS = {
    "nothing": (lambda path: None, "There is no such file"),
    "a folder": (Path.mkdir, "It can't be read"),
    "empty": (_bytes(b""), "isn't a learner that fastai 2 exported"),
    "a text": (_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "isn't a learner that fastai 2 exported"),
    "a pickle without its archive": (_bytes(pickle.dumps(1)), "isn't a learner that fastai 2 exported"),
    "cut short": (_damaged, "isn't a learner that fastai 2 exported"),
    "weights alone": (_not_a_learner, "It doesn't hold a learner but"),
    "a file of torch 1.5": (_of_torch_1, "isn't a learner that fastai 2 exported"),
    "an archive of two pickles": (_two_pickles, "isn't a learner that fastai 2 exported"),
}


def run():
    """Yield a `Row` for each way in which a model file can be wrong."""
    yield _row("export.onnx, broken or foreign", _refusals(BROKEN, "export.onnx", Classifier, ModelError))
    yield _row("export.onnx, answering nonsense", _refusals(NONSENSE, "export.onnx", answer, ModelError))
    yield _row("export.pkl without a learner", _refusals(NO_LEARNERS, "export.pkl", read_learner, CompileError))
    yield _row("export.pkl that would run code", _attacks())


def answer(path):
    return Classifier(path).predict(PICTURE)


def protocols():
    """Each attack, in each pickle protocol in which it can be written."""
    return [(kind, protocol) for kind in ATTACKS for protocol in PROTOCOLS] + [
        (kind, None) for kind in (*OPCODES, PROGRAM)
    ]


def _row(kind, trials):
    process, seconds, wrong = psutil.Process(), [], 0
    before = most = process.memory_info().rss
    for right, lasted in trials:
        wrong += not right
        seconds.append(lasted)
        most = max(most, process.memory_info().rss)
    return Row(kind, len(seconds), wrong, max(seconds), (most - before) / 1e6)


def _refusals(files, name, open_file, error):
    for write, said in files.values():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            write(path)
            sentence, lasted = _what_is_said(open_file, path, error)
            yield said in sentence, lasted


def _attacks():
    for kind, protocol in protocols():
        with tempfile.TemporaryDirectory() as folder:
            path, made = write_attack(kind, Path(folder), protocol)
            sentence, lasted = _what_is_said(read_learner, path, (CompileError, UnknownNames))
            yield sentence and not made.exists(), lasted


def _what_is_said(open_file, path, error):
    start = perf_counter()
    try:
        open_file(path)
    except error as refusal:
        return str(refusal), perf_counter() - start
    except Exception:  # a traceback instead of a sentence: counted as wrong
        pass
    return "", perf_counter() - start
