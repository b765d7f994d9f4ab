"""Lets Voilà's template draw the dashboard before there is a kernel."""

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from .assets import DRAWN, join_modules, read_style
from .device import SERVED_BELOW, device_files
from .preview import has_sentence, preview
from .settings import classes, settings


class DrawDashboard(Preprocessor):
    """Gives the template what it can draw at once, if a cell of the notebook has the tag `dashboard`.

    That is the Markdown above the cell, and the dashboard's script, which then waits for its widget. The Markdown is
    removed from the notebook, because Voilà only shows cells when all of them have run. The kernel is told that the
    page has the script, so that it doesn't send it again.
    """

    def preprocess(self, notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook without what is drawn at once, which is added to `resources` as `dashboard`."""
        places = [place for place, cell in enumerate(notebook.cells) if "dashboard" in cell.metadata.get("tags", [])]
        if places:
            above = notebook.cells[: places[0]]
            heading = [cell for cell in above if cell.cell_type == "markdown"]
            resources["dashboard"] = {
                "preview": preview(notebook, classes()),
                "heading": heading,
                "script": join_modules(),
                "style": read_style(),
                "settings": settings() | _on_device() | {"invite": not any(map(has_sentence, heading))},
            }
            tell = new_code_cell(f"import os\n\nos.environ[{DRAWN!r}] = 'yes'")
            notebook.cells = [tell, *(cell for cell in above if cell.cell_type == "code"), *notebook.cells[places[0] :]]
        return notebook, resources


def _on_device() -> dict[str, object]:
    """Where the browser finds what it needs to answer photos itself, relative to Voilà's base URL."""
    files = device_files()
    return {"device": files.settings(f"../{SERVED_BELOW}")} if files else {}
