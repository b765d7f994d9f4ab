"""Compiles a fastai learner to the ONNX file that is served, and checks that both give the same answers."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from fastai.learner import Learner
from torch import nn

from ..answer.classifier import Classifier, ModelError, sha256
from .describe import CompileError, describe_learner
from .left_out import UnknownNames
from .load import read_learner
from .served import TRIALS, Mapped, answer_noise, draw_noise, ready, served_model

PICKLE, MODEL = Path("export.pkl"), Path("export.onnx")  # in the current folder
TOLERANCE = 1e-3  # between the learner's probabilities and the compiled model's
MAX_SHOWN = 12  # class names in a message

__all__ = ["PICKLE", "CompileError", "UnknownNames", "compile_learner"]


def compile_learner(
    learner: Learner | str | Path = PICKLE,
    path: str | Path | None = None,
    trust: bool = False,
    verbose: bool = True,
) -> Path:
    """Write a learner, or the one in an exported file, to the ONNX file `path`, and return that path.

    Without a learner, compiles `export.pkl` in the current folder. `path` is `export.onnx` in the current folder by
    default, or next to the exported file. A learner is also exported to a pickle next to `path`, for `load_learner`.
    With `verbose`, prints the class names and where they came from.

    The ONNX file takes `pixels` (photos, 3, height, width), float32, normalised, and gives `logits` (photos, classes).
    A model with a body and a head also gives class-activation `maps` (photos, classes, rows, columns). The metadata is
    described in `answer.metadata.read_metadata`; the pickle's SHA-256 is empty if there is no pickle.

    Raises CompileError for a learner that doesn't give one label to one RGB photo, or that can't be reproduced, and
    UnknownNames for an exported file that needs more than the allow-list, unless you `trust` it.
    """
    if isinstance(learner, Learner):
        path, source = Path(path or MODEL), "the learner"
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
    pickle: Path = PICKLE,
    output: Path | None = None,
    trust: bool = False,
    write: Callable[[Path, Path | None, bool], Path] = compile_learner,
) -> int:
    """`foodvision compile` and `foodvision export`: print the pickle's SHA-256, write, and return the exit status."""
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
    """Replace the pickle before the ONNX file: after an interruption the model is stale, and compiling it helps."""
    pickle, unchecked = path.with_suffix(".pkl"), path.with_suffix(".unchecked.pkl")
    try:
        exported = _export_pickle(learner, unchecked)
        digest = sha256(unchecked) if exported else ""
        return _compile(learner, path, digest, keep=lambda: exported and unchecked.replace(pickle))
    finally:
        unchecked.unlink(missing_ok=True)


def _export_pickle(learner: Learner, pickle: Path) -> bool:
    """Like `learner.export`, but if something can't be pickled, the learner keeps its data and optimizer."""
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
            export_onnx(served_model(learner, ends_in_softmax, mapped=True), (3, height, width), metadata, unchecked)
        _check_agreement(expected, Classifier(unchecked))
        keep()
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return vocab


def export_onnx(model: nn.Sequential, shape: tuple[int, int, int], metadata: dict[str, str], path: Path) -> None:
    """Write a model that takes a batch of photos of this shape to `path`. Raises CompileError if PyTorch can't."""
    try:
        program = torch.onnx.export(
            model,
            (torch.zeros(2, *shape),),
            input_names=["pixels"],
            output_names=["logits", "maps"] if isinstance(model[-1], Mapped) else ["logits"],
            dynamic_shapes=({0: torch.export.Dim("photos")},),
            dynamo=True,
            verbose=False,
        )
    except Exception as error:  # the exporter raises many types
        raise CompileError(f"PyTorch can't export this model to ONNX ({type(error).__name__}).") from error
    proto = program.model_proto
    for part in (*proto.graph.node, *proto.graph.value_info, proto.graph):
        part.ClearField("metadata_props")  # the exporter records the path of each layer's code
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, path)


def _check_agreement(expected: np.ndarray, classifier: Classifier) -> None:
    """Compare the answers to a few pictures, because an exported graph can differ from its learner."""
    pixels = [classifier.pixels(classifier.read(draw_noise(seed))) for seed in range(TRIALS)]
    difference = np.abs(expected - classifier.probabilities(np.stack(pixels))).max()
    if difference > TOLERANCE:
        raise CompileError(f"The compiled model answers differently from the learner (by {difference:.2g}).")


def _listed(vocab: list[str]) -> str:
    """Class names for a message, without characters that could move the cursor."""
    names = ["".join(c if c.isprintable() else "?" for c in name) for name in vocab[:MAX_SHOWN]]
    return ", ".join(names) + (f" and {len(vocab) - MAX_SHOWN} more" if len(vocab) > MAX_SHOWN else "")
