"""The page of a notebook as a single HTML file, for hosts without kernels."""

import hashlib
import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mistune
from jinja2 import Environment, FileSystemLoader

from .assets import join_modules, read_style
from .notebook import Cell, Notebook, ServeError, read_notebook
from .preview import has_sentence, preview
from .settings import settings

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "template"
ICON = TEMPLATE / "static" / "favicon.svg"
LANGUAGES = TEMPLATE / "static" / "languages"
PLUGINS = "strikethrough", "table", "url", "task_lists", "def_list"  # as in Jupyter
PICTURES = "preview.jpg", "icon.png"  # for links to the page: of our dishes, and of any others


@dataclass(frozen=True)
class StandalonePage:
    """The page's `html`, its `title`, and its content security `policy`, which the HTML also contains.

    A server that also sends the policy as a header may add `frame-ancestors`, which browsers ignore in HTML.
    """

    html: str
    policy: str
    title: str


def render_page(
    notebook: Path,
    answerer: str,
    model: Path | None = None,
    links: Iterable[dict[str, str]] = (),
    languages: str = "",
    address: str = "/",
    **options: object,
) -> StandalonePage:
    """The Markdown of a notebook with the dashboard in the place of its cell tagged `dashboard`.

    `answerer` names a function that a module in `static` exports; it takes the connection's events (see `types.d.ts`)
    and the page's settings, which include `options`, and returns the Answerer of every photo. `model` is the file that
    the classes are read from, `links` are the attributes of further <link> elements, and `languages` is the address of
    the translations (`LANGUAGES`), without which the page speaks English. `address` is the page's own, for other sites;
    a server can complete "/" with `preview.with_addresses`. Raises ServeError if the notebook can't be read or has no
    dashboard.
    """
    contents = read_notebook(notebook)
    above, below = _split(contents.cells, notebook.name)
    known = settings(model) | {"feedback_on": False, "link": "", "invite": not any(map(has_sentence, above))} | options
    script, style = _script(answerer, languages, known), _style()
    policy, title = _policy(script, style), contents.metadata.get("title", notebook.stem)
    parts = {"title": title, "icon": _icon(), "links": list(links), "above": _html(above), "below": _html(below)}
    parts |= {"policy": policy, "script": script, "style": style} | _preview(contents, known, address)
    template = Environment(loader=FileSystemLoader(FOLDER), autoescape=True).get_template("standalone.html.j2")
    return StandalonePage(template.render(parts), policy, title)


def _split(cells: list[Cell], name: str) -> tuple[list[Cell], list[Cell]]:
    """The Markdown cells above and below the dashboard, without those for people who read the notebook."""
    tags = [cell.metadata.get("tags", []) for cell in cells]
    place = next((place for place, given in enumerate(tags) if "dashboard" in given), None)
    if place is None:
        raise ServeError(f'{name} has no dashboard. Give the cell that ends in `Dashboard(...)` the tag "dashboard".')
    shown = [
        (at, cell) for at, cell in enumerate(cells) if cell.cell_type == "markdown" and "notebook-only" not in tags[at]
    ]
    return [cell for at, cell in shown if at < place], [cell for at, cell in shown if at > place]


def _preview(notebook: Notebook, known: dict[str, Any], address: str) -> dict[str, Any]:
    """What the head says to other sites."""
    shown = preview(notebook, known)
    picture = PICTURES[0] if shown["ours"] else PICTURES[1]
    return {"preview": shown, "page_address": address, "picture": f"{address}{picture}"}


class _Renderer(mistune.HTMLRenderer):
    """Renders Markdown as Jupyter does, where links lead to headings."""

    def heading(self, text: str, level: int, **_: object) -> str:
        """A heading with its words as its id."""
        words = html.unescape(re.sub("<[^>]*>", "", text)).split()
        return super().heading(text, level, id=html.escape("-".join(words)))


def _html(cells: list[Cell]) -> str:
    to_html = mistune.create_markdown(renderer=_Renderer(escape=False), plugins=PLUGINS)
    return "\n".join(str(to_html(cell.source)) for cell in cells)


def _script(answerer: str, languages: str, known: dict[str, Any]) -> str:
    """The dashboard's modules, opened and connected."""
    page = json.dumps(known).replace("<", "\\u003c")
    return (
        f"{join_modules()}\nconst known = {page};\n"
        'const place = document.getElementById("dashboard");\n'
        + (f"await speak(place, {json.dumps(languages)});\n" if languages else "")
        + "const dashboard = openDashboard(place, known);\n"
        f"dashboard.connect((events) => {answerer}(events, known), known);\n"
    )


def _style() -> str:
    logo = f'main > h1::before {{ background: url("{_icon()}") center / contain; }}'
    styles = [(TEMPLATE / name).read_text(encoding="utf-8") for name in ("page.css", "dashboard_page.css")]
    return "\n".join([*styles, logo, read_style()])


def _icon() -> str:
    return f"data:image/svg+xml;base64,{b64encode(ICON.read_bytes()).decode()}"


def _policy(script: str, style: str) -> str:
    """Only what is in the page itself, and files of its own host."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {_digest(script)}",
            f"style-src {_digest(style)}",
            "img-src 'self' data: blob:",
            "connect-src 'self' data:",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
