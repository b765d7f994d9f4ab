"""Reads a notebook for its Markdown. Jupyter's own nbformat takes a second and 20 MB to import, for checks alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ServeError(RuntimeError):
    """Something can't be served. The message says what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook."""

    cell_type: str
    source: str
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notebook:
    """A notebook's cells, without their outputs, and its metadata."""

    cells: list[Cell]
    metadata: dict[str, Any] = field(default_factory=dict)


def read_notebook(path: Path) -> Notebook:
    """A notebook in format 4, which Jupyter has written since 2015. Raises ServeError."""
    with explained(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = [Cell(one["cell_type"], "".join(one["source"]), one.get("metadata", {})) for one in content["cells"]]
        return Notebook(cells, content.get("metadata", {}))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a notebook is read into a ServeError."""
    try:
        yield
    except OSError as error:
        raise ServeError(f"{path} can't be opened: {error.strerror}.") from error
    except Exception as error:  # nbformat raises its own errors, jsonschema's, KeyError and AttributeError
        raise ServeError(f"{path} is not a notebook, or is damaged. Name another, or restore it.") from error
