"""`python -m foodvision.mobile`: the learner as an exported PyTorch program, to go on from to ExecuTorch and phones.

The program takes a batch of one (1, 3, height, width) of normalised pixels and gives probabilities (1, classes); class
names and preprocessing lie in it as `foodvision.json`. Made on demand, and compared with the learner before it is kept.
"""

import json
from pathlib import Path

import torch
from torch import nn

from .compile import PICKLE, CompileError, describe_preprocessing, describe_vocab, main, read_learner, served_model


def export_mobile(pickle=PICKLE, path=None, trust=False):
    """Write the learner in the file `pickle` to `path` (by default beside it, `.pt2`) and return that path.

    Raises CompileError where the learner cannot be described, or the program's probabilities differ from the model's,
    and UnknownNames as `foodvision.compile.compile_learner` does.
    """
    pickle = Path(pickle)
    path = Path(path) if path else pickle.with_suffix(".pt2")
    learner, _ = read_learner(pickle, trust)
    preprocessing = describe_preprocessing(learner)
    width, height = preprocessing["steps"][-1]["size"]
    model = nn.Sequential(served_model(learner), nn.Softmax(dim=1)).eval()
    pixels = torch.randn(1, 3, height, width)
    description = json.dumps({"vocab": describe_vocab(learner), "preprocessing": preprocessing})
    torch.export.save(torch.export.export(model, (pixels,)), path, extra_files={"foodvision.json": description})
    _check_agreement(model, torch.export.load(path).module(), pixels)
    return path


def _check_agreement(model, program, pixels):
    with torch.no_grad():
        difference = (model(pixels) - program(pixels)).abs().max().item()
    if difference > 1e-4:
        raise CompileError(f"The exported program answers differently from the learner (by {difference:.2g}).")


if __name__ == "__main__":
    main("mobile", __doc__, export_mobile)
