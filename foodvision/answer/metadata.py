"""A compiled model's metadata, checked before anything relies on it."""

import json
import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from onnxruntime import InferenceSession
from PIL import Image

from .classes import answers_of, background_of, titles_of
from .preprocessing import PAD_MODES, prepare

REQUIRED = ("vocab", "preprocessing", "decision", "calibration")
OPTIONAL = ("titles", "background", "groups")
LARGEST_SIDE = 4096  # pixels that a model may ask for; a damaged file could name any number


def read_metadata(session: InferenceSession) -> dict[str, Any]:
    """The model's metadata, by name.

    These are `vocab`, `preprocessing`, `decision` (keywords of `prediction.decide`), `calibration`, `pickle_sha256`,
    `groups` (the classes of each answer, where several classes make one), `titles` (what people call each answer) and
    `background` (the sentence for each answer that means "none of these", where `{foods}` stands for the others). An
    answer is background only if `background` names it, whatever it is called. Models of version 0.1 name their
    background in `decision["accept"]` instead. Raises ValueError; its text continues a sentence that begins with the
    file's name.
    """
    try:
        texts = session.get_modelmeta().custom_metadata_map
        metadata = {name: json.loads(texts[name]) for name in REQUIRED}
        metadata |= {name: json.loads(texts[name]) for name in OPTIONAL if name in texts}
        metadata["pickle_sha256"] = texts["pickle_sha256"]
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError("does not say how to prepare a photo for it") from error
    for name, check in _CHECKS.items():
        if not _passes(check, metadata):
            raise ValueError(f"has a {name} in its metadata that can't be used")
    words = {"titles": titles_of(metadata), "background": background_of(metadata)}
    metadata["decision"].pop("accept", None)
    return metadata | words


def _passes(check: Callable[[dict[str, Any]], bool], metadata: dict[str, Any]) -> bool:
    try:
        return check(metadata)
    except Exception:  # JSON can hold any value, and each fails in its own way
        return False


def _usable_vocab(metadata: dict[str, Any]) -> bool:
    vocab = metadata["vocab"]
    return isinstance(vocab, list) and len(set(vocab)) == len(vocab) > 0 and all(type(name) is str for name in vocab)


def _usable_preprocessing(metadata: dict[str, Any]) -> bool:
    """Whether the steps, tried on a small picture, give the size that they promise."""
    steps, mean, std = (metadata["preprocessing"][name] for name in ("steps", "mean", "std"))
    sides = [side for step in steps for side in step["size"]]
    if not all(type(side) is int and 1 <= side <= LARGEST_SIDE for side in sides):
        return False
    if not all(step.get("pad_mode", "zeros") in PAD_MODES for step in steps):
        return False
    if not (len(mean) == len(std) == 3 and _finite(*mean, *std) and min(std) > 0):
        return False
    return prepare(Image.new("RGB", (32, 24)), steps).size == tuple(steps[-1]["size"])


def _usable_groups(metadata: dict[str, Any]) -> bool:
    """Whether each class belongs to exactly one answer, and no answer is empty."""
    groups = metadata.get("groups") or {name: [name] for name in metadata["vocab"]}
    grouped = [name for names in groups.values() for name in names]
    return all(groups.values()) and sorted(grouped) == sorted(metadata["vocab"])


def _usable_decision(metadata: dict[str, Any]) -> bool:
    rule = {"accept": {}, "confidence": 0, "margin": 0} | metadata["decision"]
    accept, shares = rule.pop("accept"), [rule.pop("confidence"), rule.pop("margin")]
    return set(accept) < set(answers_of(metadata)) and all(map(_share, [*shares, *accept.values()])) and not rule


def _usable_titles(metadata: dict[str, Any]) -> bool:
    titles = metadata.get("titles", {})
    return set(titles) <= {*answers_of(metadata), *metadata["vocab"]} and all(map(_words, titles.values()))


def _usable_background(metadata: dict[str, Any]) -> bool:
    """Whether it leaves at least one answer that is not background."""
    background = metadata.get("background", {})
    return set(background_of(metadata)) < set(answers_of(metadata)) and all(map(_words, background.values()))


def _words(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _share(number: Any) -> bool:
    return _finite(number) and 0 <= number <= 1


def _finite(*numbers: Any) -> bool:
    return all(isinstance(number, Real) and math.isfinite(number) for number in numbers)


_CHECKS = {
    "vocab": _usable_vocab,
    "groups": _usable_groups,
    "preprocessing": _usable_preprocessing,
    "decision": _usable_decision,
    "titles": _usable_titles,
    "background": _usable_background,
}
