"""Lets Voilà's template draw the dashboard before there is a kernel."""

import os
from functools import lru_cache
from pathlib import Path

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from ..answer.classes import read_classes
from ..locate import find_model
from .assets import MAX_BYTES, SHORT_SIDE, join_modules, read_style
from .device import SERVED_BELOW, device_files
from .examples import list_examples
from .feedback import SETTING
from .preview import preview


class DrawDashboard(Preprocessor):
    """Gives the template what it can draw at once, if a cell of the notebook has the tag `dashboard`.

    That is the Markdown above the cell, and the dashboard's script, which then waits for its widget. The Markdown is
    removed from the notebook, because Voilà only shows cells when all of them have run.
    """

    def preprocess(self, notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook without what is drawn at once, which is added to `resources` as `dashboard`."""
        places = [place for place, cell in enumerate(notebook.cells) if "dashboard" in cell.metadata.get("tags", [])]
        if places:
            above = notebook.cells[: places[0]]
            heading = [cell for cell in above if cell.cell_type == "markdown"]
            resources["dashboard"] = {
                "preview": preview(notebook, _classes()),
                "heading": heading,
                "script": join_modules(),
                "style": read_style(),
                "settings": settings() | _on_device() | {"invite": not any(map(has_sentence, heading))},
            }
            notebook.cells = [cell for cell in above if cell.cell_type == "code"] + notebook.cells[places[0] :]
        return notebook, resources


def settings(model: Path | None = None) -> dict[str, object]:
    """What the dashboard can know from the model file alone. A kernel may override it later."""
    feedback_on = bool(os.environ.get(SETTING))
    known = {"feedback_on": feedback_on, "examples": list_examples(), **_classes(model)}
    return {"short_side": SHORT_SIDE, "max_bytes": MAX_BYTES, **known}


def _on_device() -> dict[str, object]:
    """Where the browser finds what it needs to answer photos itself, relative to Voilà's base URL."""
    files = device_files()
    return {"device": files.settings(f"../{SERVED_BELOW}")} if files else {}


def _classes(model: Path | None = None) -> dict[str, dict[str, str]]:
    try:
        model = model or find_model()
        return _read_classes(model, model.stat().st_mtime_ns)
    except (OSError, ValueError):  # the kernel says what is wrong with the model
        return {"titles": {}, "background": {}}


@lru_cache(maxsize=1)
def _read_classes(path: Path, modified_ns: int) -> dict[str, dict[str, str]]:
    return read_classes(path)


def has_sentence(cell: NotebookNode) -> bool:
    """Whether Markdown has more than a title, which means that the owner has said what the page is for."""
    return any(line.strip() and not line.startswith("#") for line in cell.source.splitlines())
