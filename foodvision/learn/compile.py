"""Compiles a fastai learner to the ONNX file that is served, and compares the two before the file is kept."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from fastai.learner import Learner
from torch import nn

from ..answer.classifier import MODEL, Classifier, ModelError, sha256
from .describe import CompileError, describe_learner
from .left_out import UnknownNames
from .load import read_learner
from .served import TRIALS, answer_noise, draw_noise, ready, served_model

PICKLE = MODEL.with_suffix(".pkl")
TOLERANCE = 1e-3  # between the learner's probabilities and the compiled model's
SHOWN = 12  # class names in a message

__all__ = ["PICKLE", "CompileError", "UnknownNames", "compile_learner"]


def compile_learner(
    learner: Learner | str | Path = PICKLE.name,
    path: str | Path | None = None,
    trust: bool = False,
    verbose: bool = True,
) -> Path:
    """Write a learner, or the one in an exported file, to the ONNX file `path`, and return that path.

    Without a learner it is `export.pkl` in the current folder. By default a learner goes to `export.onnx` in the
    current folder, and an exported file to one beside it. With a learner, `path` gets an `export.pkl` of the same name
    beside it, for `load_learner`. Prints where the classes came from and what they are, if `verbose`.

    The ONNX file takes `pixels` (photos, 3, height, width), float32, normalised, and gives `logits` (photos, classes).
    Its metadata hold the `vocab`, the `preprocessing`, the pickle's SHA-256 (empty without one), and the learner's own
    `decision` (keywords of `classifier.decide`) and `calibration` where it has them.

    Raises CompileError for a learner that doesn't give one label to one RGB photo, or that can't be reproduced, and
    UnknownNames for an exported file that needs more than the allow-list, unless it is trusted (`trust`).
    """
    if isinstance(learner, Learner):
        path, source = Path(path or MODEL.name), "the learner"
        written = _compile_live(learner, path)
    else:
        source = str(Path(learner).resolve())
        path = Path(path) if path else Path(learner).with_suffix(".onnx")
        loaded, digest = read_learner(Path(learner), trust)
        written = _compile(loaded, path, digest)
    if verbose:
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB) answers {_listed(written)}. Compiled from {source}.")
    return path


def compile_file(
    pickle: Path = Path(PICKLE.name),
    output: Path | None = None,
    trust: bool = False,
    write: Callable[[Path, Path | None, bool], Path] = compile_learner,
) -> int:
    """The commands `foodvision compile` and `export`: print the pickle's SHA-256, write, return the exit status."""
    if pickle.is_file():
        print(f"{pickle}: SHA-256 {sha256(pickle)}", file=sys.stderr)
    if trust:
        print("Trusting it: unpickling runs whatever code it holds, as you.", file=sys.stderr)
    try:
        write(pickle, output, trust)
    except (CompileError, UnknownNames, ModelError, OSError) as error:
        print(f"{pickle}: {error}", file=sys.stderr)
        return 1
    return 0


def _compile_live(learner: Learner, path: Path) -> list[str]:
    """The pickle is replaced first: without its ONNX file it is taken for newer, which compiling it mends."""
    pickle, unchecked = path.with_suffix(".pkl"), path.with_suffix(".unchecked.pkl")
    try:
        exported = _export_pickle(learner, unchecked)
        digest = sha256(unchecked) if exported else ""
        return _compile(learner, path, digest, keep=lambda: exported and unchecked.replace(pickle))
    finally:
        unchecked.unlink(missing_ok=True)


def _export_pickle(learner: Learner, pickle: Path) -> bool:
    """As `learner.export`, which would leave a learner without data and optimizer where something can't be pickled."""
    dls, opt = learner.dls, learner.opt
    try:
        learner.export(pickle.resolve())
    except Exception as error:
        learner.dls, learner.opt = dls, opt
        print(f"No {pickle.name.replace('.unchecked', '')} is written, as this learner can't be pickled ({error}).")
        return False
    return True


def _compile(learner: Learner, path: Path, digest: str, keep: Callable[[], object] = lambda: None) -> list[str]:
    unchecked = path.with_suffix(".unchecked.onnx")
    description = describe_learner(learner)
    vocab = description["vocab"]
    metadata = {name: json.dumps(value) for name, value in description.items()} | {"pickle_sha256": digest}
    width, height = description["preprocessing"]["steps"][-1]["size"]
    try:
        with ready(learner.model):
            expected, ends_in_softmax = answer_noise(learner, len(vocab))
            export_onnx(served_model(learner, ends_in_softmax), (3, height, width), metadata, unchecked)
        _check_agreement(expected, Classifier(unchecked))
        keep()
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return vocab


def export_onnx(model: nn.Module, shape: tuple[int, int, int], metadata: dict[str, str], path: Path) -> None:
    """Write a model that takes a batch of photos of this shape to `path`. Raises CompileError where ONNX can't."""
    try:
        program = torch.onnx.export(
            model,
            (torch.zeros(2, *shape),),
            input_names=["pixels"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("photos")},),
            dynamo=True,
            verbose=False,
        )
    except Exception as error:  # the exporter fails in as many ways as there are layers
        raise CompileError(f"PyTorch can't export this model to ONNX ({type(error).__name__}).") from error
    proto = program.model_proto
    for part in (*proto.graph.node, *proto.graph.value_info, proto.graph):
        part.ClearField("metadata_props")  # the exporter notes where on this machine each layer's code is
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, path)


def _check_agreement(expected: np.ndarray, classifier: Classifier) -> None:
    """An exported graph can differ from its learner, so both answer some pictures before anyone relies on it."""
    answers = [classifier.predict(draw_noise(seed)).probabilities for seed in range(TRIALS)]
    difference = np.abs(expected - [list(answer.values()) for answer in answers]).max()
    if difference > TOLERANCE:
        raise CompileError(f"The compiled model answers differently from the learner (by {difference:.2g}).")


def _listed(vocab: list[str]) -> str:
    """Class names for a message, without characters that could move the cursor."""
    names = ["".join(c if c.isprintable() else "?" for c in name) for name in vocab[:SHOWN]]
    return ", ".join(names) + (f" and {len(vocab) - SHOWN} more" if len(vocab) > SHOWN else "")
