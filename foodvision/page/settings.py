"""What the page can know from the model file alone, before a kernel or a server answers."""

import os
from functools import lru_cache
from pathlib import Path

from ..answer.classes import read_classes
from ..locate import find_model
from .assets import MAX_BYTES, SHORT_SIDE
from .examples import list_examples
from .feedback import SETTING


def settings(model: Path | None = None) -> dict[str, object]:
    """The dashboard's settings. A kernel may override them later."""
    feedback_on = bool(os.environ.get(SETTING))
    known = {"feedback_on": feedback_on, "examples": list_examples(), **classes(model)}
    return {"short_side": SHORT_SIDE, "max_bytes": MAX_BYTES, **known}


def classes(model: Path | None = None) -> dict[str, dict[str, str]]:
    """A model's `titles` and `background`, both empty if it can't be read, and `dishes` if it has groups."""
    try:
        model = model or find_model()
        return _read_classes(model, model.stat().st_mtime_ns)
    except (OSError, ValueError):  # whoever answers says what is wrong with the model
        return {"titles": {}, "background": {}}


@lru_cache(maxsize=1)
def _read_classes(path: Path, modified_ns: int) -> dict[str, dict[str, str]]:
    return read_classes(path)
