"""The page's own part: the dashboard that Voilà's template draws before there is a kernel."""

import re
from pathlib import Path

from nbconvert.preprocessors import Preprocessor

STATIC = Path(__file__).parent / "static"
STYLE = STATIC / "dashboard.css"
SHORT_SIDE = 640  # pixels: more than the model looks at, and a quick upload from a phone
MAX_BYTES = 30_000_000  # of a file that the browser cannot shrink


def join_modules(folder=STATIC):
    """One script of the JavaScript modules in a folder: a widget has a single file, and nothing to bundle it with."""
    modules = (file.read_text() for file in sorted(folder.glob("*.js")))
    return "\n".join(re.sub(r"^import [^;]*;\n|^export (?!default)", "", module, flags=re.M) for module in modules)


class DrawDashboard(Preprocessor):
    """Hands the template what to draw at once, where a cell of the notebook has the tag `dashboard`.

    That is the Markdown above the cell, and the dashboard's own script, which waits for its widget. They leave the
    notebook's cells, which Voilà shows only when all have run.
    """

    def preprocess(self, notebook, resources):
        places = [place for place, cell in enumerate(notebook.cells) if "dashboard" in cell.metadata.get("tags", [])]
        if places:
            above = notebook.cells[: places[0]]
            resources["dashboard"] = {
                "heading": [cell for cell in above if cell.cell_type == "markdown"],
                "script": join_modules(),
                "style": STYLE.read_text(),
                "settings": {"short_side": SHORT_SIDE, "max_bytes": MAX_BYTES},
            }
            notebook.cells = [cell for cell in above if cell.cell_type == "code"] + notebook.cells[places[0] :]
        return notebook, resources
