"""Exports a learner for other runtimes: PyTorch, phones, and ONNX at half the size.

Each program takes one photo (1, 3, height, width) of normalised pixels, float32, and gives the probabilities of the
classes (1, classes). What else a caller has to know, the class names, the preprocessing, the groups and the decision
rule, is in the file, as JSON called `foodvision.json` (see `answer.metadata.read_metadata`). ONNX files are those that
`foodvision compile` writes, but smaller.
"""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from fastai.learner import Learner
from torch import Tensor, nn

from ..answer.preprocessing import to_pixels
from .compile import PICKLE
from .describe import CompileError, describe_learner
from .load import read_learner
from .served import TRIALS, answer_noise, draw_noise, ready, served_model

TOLERANCE = 1e-4  # between the learner's probabilities and a program's in float32
NOT_RUN = "not run, because its runtime needs another system"

Run = Callable[[np.ndarray], np.ndarray]  # pixels (1, 3, height, width) to probabilities (1, classes)


class Format(NamedTuple):
    """How a program is written and checked.

    `write(model, pixels, description, path)` writes it; `load(path)` gives a function that runs it, or None if this
    system can't.
    """

    ending: str
    write: Callable[[nn.Module, Tensor, dict[str, Any], Path], None]
    load: Callable[[Path], Run | None]
    tolerance: float = TOLERANCE


def export_mobile(
    learner: Learner | str | Path = PICKLE.name,
    path: str | Path | None = None,
    trust: bool = False,
    target: str = "torch",
) -> Path:
    """Write a learner, or the one in an exported file, in a format of `runtimes.FORMATS`, and return the path.

    By default the file is next to the exported one. Raises what `compile_learner` does, CompileError if the program
    answers differently from the learner, and ModuleNotFoundError without the format's packages.
    """
    from .runtimes import FORMATS

    wanted = FORMATS[target]
    if isinstance(learner, Learner):
        path, loaded = Path(path or f"export{wanted.ending}"), learner
    else:
        path, loaded = Path(path or Path(learner).with_suffix(wanted.ending)), read_learner(Path(learner), trust)[0]
    description = describe_learner(loaded)
    with ready(loaded.model):
        expected, ends_in_softmax = answer_noise(loaded, len(description["vocab"]))
        model = portable(nn.Sequential(served_model(loaded, ends_in_softmax), nn.Softmax(dim=1)))
    checked = _write(wanted, model, description, expected, path)
    print(f"{path} ({_bytes(path) / 1e6:.1f} MB){'' if checked else f', {NOT_RUN}'}")
    return path


def portable(model: nn.Module) -> nn.Module:
    """A copy whose pooling every converter knows: few have `adaptive_max_pool2d`, which fastai's heads use."""
    model = copy.deepcopy(model).eval()
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.AdaptiveMaxPool2d | nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1)):
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, _GlobalPool(isinstance(layer, nn.AdaptiveMaxPool2d)))
    for weight in model.parameters():
        weight.data = weight.data.contiguous()
    return model.requires_grad_(False)


class _GlobalPool(nn.Module):
    """The largest or mean value of each channel."""

    def __init__(self, largest):
        super().__init__()
        self.largest = largest

    def forward(self, features):
        return features.amax((2, 3), keepdim=True) if self.largest else features.mean((2, 3), keepdim=True)


def _write(wanted: Format, model: nn.Module, description: dict[str, Any], expected: np.ndarray, path: Path) -> bool:
    """Write a program, which gets its name only once it is checked. Whether this system could run it."""
    pixels = [to_pixels(draw_noise(seed), **description["preprocessing"]) for seed in range(TRIALS)]
    photos = [np.ascontiguousarray(one[None]) for one in pixels]  # as converters need it
    unchecked = path.with_name(f"unchecked-{path.name}")
    try:
        try:
            wanted.write(model, torch.tensor(photos[0]), description, unchecked)
        except ModuleNotFoundError:
            raise
        except Exception as error:  # converters raise whatever they like
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise CompileError(f"This learner can't be converted ({reason}).") from error
        run = wanted.load(unchecked)
        if run:
            _check_agreement(expected, np.concatenate([run(photo) for photo in photos]), wanted.tolerance)
        _remove(path)
        unchecked.replace(path)
    finally:
        _remove(unchecked)
    return run is not None


def _check_agreement(expected: np.ndarray, answers: np.ndarray, tolerance: float) -> None:
    difference = np.abs(expected - answers).max()
    if not difference <= tolerance:
        raise CompileError(f"The exported program answers differently from the learner (by {difference:.2g}).")


def _remove(path: Path) -> None:
    """Remove a file or, as Core ML's packages are, a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
