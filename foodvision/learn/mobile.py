"""The learner as an exported PyTorch program, to go on from to ExecuTorch and phones.

The program takes a batch of one (1, 3, height, width) of normalised pixels and gives probabilities (1, classes); class
names, preprocessing and the rule of `classifier.decide` lie in it as `foodvision.json`. Made on demand, and
compared with the learner before it is kept.
"""

import json
from pathlib import Path

import torch
from torch import nn

from ..answer.preprocessing import to_pixels
from .compile import (
    PICKLE,
    CompileError,
    answer_noise,
    describe_preprocessing,
    describe_rule,
    describe_vocab,
    draw_noise,
    read_learner,
    served_model,
)


def export_mobile(pickle=PICKLE, path=None, trust=False):
    """Write the learner in the file `pickle` to `path` (by default beside it, `.pt2`) and return that path.

    Raises CompileError where the learner cannot be described, or the program's probabilities differ from its own, and
    UnknownNames as `foodvision.learn.compile.compile_learner` does.
    """
    pickle = Path(pickle)
    path = Path(path) if path else pickle.with_suffix(".pt2")
    learner, _ = read_learner(pickle, trust)
    preprocessing = describe_preprocessing(learner)
    description = {"vocab": describe_vocab(learner), "preprocessing": preprocessing, **describe_rule(learner)}
    expected = answer_noise(learner)
    model = nn.Sequential(served_model(learner), nn.Softmax(dim=1)).eval()
    pixels = torch.tensor(to_pixels(draw_noise(), **preprocessing))[None]
    unchecked = path.with_suffix(".unchecked.pt2")
    try:
        program, files = torch.export.export(model, (pixels,)), {"foodvision.json": json.dumps(description)}
        torch.export.save(program, unchecked, extra_files=files)
        _check_agreement(expected, torch.export.load(unchecked).module()(pixels)[0].detach().numpy())
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return path


def _check_agreement(expected, answer):
    difference = abs(expected - answer).max()
    if difference > 1e-3:
        raise CompileError(f"The exported program answers differently from the learner (by {difference:.2g}).")
