"""Exports a learner as a PyTorch program, which ExecuTorch can take to phones.

The program takes one photo (1, 3, height, width) of normalised pixels and gives probabilities (1, classes). It contains
the class names, the preprocessing and the decision rule as `foodvision.json`.
"""

import json
from pathlib import Path

import torch
from fastai.learner import Learner
from torch import nn

from ..answer.preprocessing import to_pixels
from .compile import PICKLE, TOLERANCE
from .describe import CompileError, describe_learner
from .load import read_learner
from .served import answer_noise, draw_noise, ready, served_model


def export_mobile(
    learner: Learner | str | Path = PICKLE.name, path: str | Path | None = None, trust: bool = False
) -> Path:
    """Write a learner, or the one in an exported file, to `path` (by default a `.pt2` next to it), and return `path`.

    Raises what `compile_learner` does, and CompileError if the program's probabilities differ from the learner's.
    """
    if isinstance(learner, Learner):
        path, loaded = Path(path or "export.pt2"), learner
    else:
        path, loaded = Path(path or Path(learner).with_suffix(".pt2")), read_learner(Path(learner), trust)[0]
    description, unchecked = describe_learner(loaded), path.with_suffix(".unchecked.pt2")
    pixels = torch.tensor(to_pixels(draw_noise(), **description["preprocessing"]))[None]
    try:
        with ready(loaded.model):
            expected, ends_in_softmax = answer_noise(loaded, len(description["vocab"]))
            model = nn.Sequential(served_model(loaded, ends_in_softmax), nn.Softmax(dim=1)).eval()
            program, files = torch.export.export(model, (pixels,)), {"foodvision.json": json.dumps(description)}
            torch.export.save(program, unchecked, extra_files=files)
        _check_agreement(expected[0], torch.export.load(unchecked).module()(pixels)[0].detach().numpy())
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    return path


def _check_agreement(expected, answer):
    difference = abs(expected - answer).max()
    if difference > TOLERANCE:
        raise CompileError(f"The exported program answers differently from the learner (by {difference:.2g}).")
