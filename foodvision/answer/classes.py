"""A model's titles and background sentences, read from its metadata without loading ONNX Runtime."""

import json
import mmap
from pathlib import Path
from typing import Any

from .protobuf import read_bytes, read_fields

BACKGROUND = {"other_food": "This looks like food, but not {foods}.", "not_food": "I don't see food here."}
OTHER_BACKGROUND = "This is not {foods}."
METADATA, KEY, VALUE = 14, 1, 2  # fields of ModelProto and StringStringEntryProto in onnx.proto


def answers_of(metadata: dict[str, Any]) -> list[str]:
    """What the model is asked to choose from: its groups of classes, or else the classes themselves."""
    return list(metadata.get("groups") or metadata["vocab"])


def titles_of(metadata: dict[str, Any]) -> dict[str, str]:
    """What people call each answer, in the model's order."""
    given = metadata.get("titles", {})
    return {name: given.get(name, name.replace("_", " ")) for name in answers_of(metadata)}


def background_of(metadata: dict[str, Any]) -> dict[str, str]:
    """The sentence for each background class. Older models have no `background`: their decision rule names it."""
    accept = metadata["decision"].get("accept", {})
    return {name: BACKGROUND.get(name, OTHER_BACKGROUND) for name in accept} | metadata.get("background", {})


def dishes_of(metadata: dict[str, Any]) -> dict[str, str]:
    """The answer that each of the model's classes belongs to, without background; empty if classes are answers."""
    groups = metadata.get("groups") or {}
    answers = {name: answer for answer, names in groups.items() for name in names}
    background = background_of(metadata)
    return {name: answers[name] for name in metadata["vocab"] if name not in background} if groups else {}


def read_texts(path: Path) -> dict[str, bytes]:
    """A model file's metadata, each entry as the JSON that it holds. Raises OSError, ValueError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as model:
        entries = [field.value for field in read_fields(model, {METADATA}) if isinstance(field.value, bytes)]
    pairs = [(read_bytes(entry, KEY), read_bytes(entry, VALUE)) for entry in entries]
    return {key.decode(): value for keys, values in pairs for key, value in zip(keys, values, strict=False)}


def read_classes(path: Path) -> dict[str, dict[str, str]]:
    """The `titles` and `background` in a model file, and its `dishes` if its answers are groups of classes.

    Raises OSError, and ValueError if the file doesn't have them.
    """
    texts = read_texts(path)
    wanted = texts.keys() & {"vocab", "decision", "titles", "background", "groups"}
    try:
        metadata = {name: json.loads(texts[name]) for name in wanted}
        classes = {"titles": titles_of(metadata), "background": background_of(metadata)}
        if dishes := dishes_of(metadata):
            classes["dishes"] = dishes
        if not all(isinstance(text, str) for words in classes.values() for text in words.values()):
            raise TypeError("Titles and sentences must be strings.")
        return classes
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path.name} does not say what its classes are") from error
