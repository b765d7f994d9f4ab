"""What a compiled model says of itself: each part is checked before anything relies on it."""

import json
from numbers import Real

from PIL import Image

from .preprocessing import PAD_MODES, prepare

LARGEST_SIDE = 4096  # pixels that a model may ask for; a damaged file could name any number


def read_metadata(session):
    """`vocab`, `preprocessing`, `decision`, `calibration` and `pickle_sha256` of the model of an ONNX Runtime session.

    Raises ValueError, whose text goes on from the name of the file.
    """
    try:
        texts = session.get_modelmeta().custom_metadata_map
        said = {name: json.loads(texts[name]) for name in ("vocab", "preprocessing", "decision", "calibration")}
        said["pickle_sha256"] = texts["pickle_sha256"]
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError("does not say how to prepare a photo for it") from error
    for name, usable in _USABLE.items():
        if not _is_true_of(usable, said):
            raise ValueError(f"has a {name} in its metadata that cannot be used")
    return said


def _is_true_of(usable, said):
    try:
        return usable(said)
    except Exception:  # a value is whatever JSON can say, and fails in as many ways
        return False


def _usable_vocab(said):
    vocab = said["vocab"]
    return isinstance(vocab, list) and len(set(vocab)) == len(vocab) > 0 and all(type(name) is str for name in vocab)


def _usable_preprocessing(said):
    """The steps, tried on a small picture, end at the size that they name."""
    steps, mean, std = (said["preprocessing"][name] for name in ("steps", "mean", "std"))
    sides = [side for step in steps for side in step["size"]]
    if not all(type(side) is int and 1 <= side <= LARGEST_SIDE for side in sides):
        return False
    if not all(step.get("pad_mode", "zeros") in PAD_MODES for step in steps):
        return False
    if not (len(mean) == len(std) == 3 and _finite(*mean, *std) and min(std) > 0):
        return False
    return prepare(Image.new("RGB", (32, 24)), steps).size == tuple(steps[-1]["size"])


def _usable_decision(said):
    rule = {"accept": {}, "margin": 0} | said["decision"]
    accept, margin = rule.pop("accept"), rule.pop("margin")
    return set(accept) < set(said["vocab"]) and all(map(_share, [margin, *accept.values()])) and not rule


def _share(number):
    return _finite(number) and 0 <= number <= 1


def _finite(*numbers):
    return all(isinstance(number, Real) and abs(number) < float("inf") for number in numbers)


_USABLE = {"vocab": _usable_vocab, "preprocessing": _usable_preprocessing, "decision": _usable_decision}
