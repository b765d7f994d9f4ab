"""The dashboard that Voilà's template draws before there is a kernel."""

from nbconvert.preprocessors import Preprocessor

from .assets import MAX_BYTES, SHORT_SIDE, STYLE, join_modules


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
