"""What other sites show of a link to the page: title, sentence and picture, with full addresses."""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # nbformat takes long to import
    from nbformat import NotebookNode

    from .notebook import Cell, Notebook

ADDRESS_SETTING = "FOODVISION_ADDRESS"
OURS = {"pizza", "steak", "sushi"}  # the dishes in preview.jpg
MAX_NAMED = 5  # classes in a sentence, as in describe.js
MAX_DESCRIPTION = 200  # characters that sites show
ADDRESS = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE)
IMAGE = re.compile(rb'(<meta (?:property|name)="(?:og|twitter):image" content=")(?=/)')
PAGE = re.compile(rb'(<meta property="og:url" content=")[^"]*')
MARKDOWN = re.compile(r"!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|<[^>]*>")


def preview(notebook: "Notebook | NotebookNode", classes: dict[str, dict[str, str]]) -> dict[str, str | bool]:
    """Title, description and whether the picture of our own dishes fits, for the head of the page.

    The description is the owner's sentence below the title, or else names the model's classes.
    """
    return {
        "title": notebook.metadata.get("title", "FoodVision"),
        "description": own_sentence(notebook) or invitation(classes["titles"], classes["background"]),
        "ours": set(classes["titles"]) - set(classes["background"]) == OURS,
    }


def own_sentence(notebook: "Notebook | NotebookNode") -> str:
    """The first paragraph above the dashboard, without its Markdown; empty if there is none."""
    for cell in notebook.cells:
        if "dashboard" in cell.metadata.get("tags", []):
            break
        if cell.cell_type == "markdown" and "notebook-only" not in cell.metadata.get("tags", []):
            for paragraph in re.split(r"\n\s*\n", re.sub(r"^#.*$", "", cell.source, flags=re.MULTILINE)):
                if text := " ".join(MARKDOWN.sub(r"\1", paragraph).split()):
                    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1].rstrip()}…"
    return ""


def has_sentence(cell: "Cell | NotebookNode") -> bool:
    """Whether Markdown has more than a title, which means that the owner has said what the page is for."""
    return any(line.strip() and not line.startswith("#") for line in cell.source.splitlines())


def invitation(titles: dict[str, str], background: dict[str, str]) -> str:
    """The page's question and what to do, in one line."""
    wanted = [title for name, title in titles.items() if name not in background]
    if not wanted:
        return "Choose a photo, and see what it shows."
    *others, last = wanted
    question = f"Is it {', '.join(others)} or {last}?" if others else f"Is it {last}?"
    return f"{question if len(wanted) <= MAX_NAMED else f'Which of {len(wanted)} is it?'} Choose a photo, and see."


def site_address(headers: Mapping[str, str], protocol: str) -> str:
    """Scheme and host by which visitors reach the site: FOODVISION_ADDRESS, or else what a request's headers say.

    Empty if they name no proper host.
    """
    if own := own_address():
        return own
    host, scheme = (headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip() for name in ("Host", "Proto"))
    address = f"{scheme or protocol}://{host or headers.get('Host', '')}"
    return address if ADDRESS.fullmatch(address) else ""


def own_address() -> str:
    """The address in FOODVISION_ADDRESS; empty without one. Raises ValueError if it is no scheme and host."""
    setting = os.environ.get(ADDRESS_SETTING, "").rstrip("/")
    if setting and not ADDRESS.fullmatch(setting):
        raise ValueError(f"{ADDRESS_SETTING} is {setting!r}. Write scheme and host, such as https://food.example.org")
    return setting


def with_addresses(html: bytes, site: str, path: str) -> bytes:
    """The head of a page with full addresses of the page and its picture, which other sites insist on."""
    origin = site.encode()
    html = IMAGE.sub(lambda tag: tag[1] + origin, html)
    return PAGE.sub(lambda tag: tag[1] + origin + _quoted(path), html)


def _quoted(path: str) -> bytes:
    return path.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").encode()
