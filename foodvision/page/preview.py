"""What other sites show of a link to the page: title, sentence and picture, with full addresses."""

import os
import re

from nbformat import NotebookNode
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

from .embedding import POLICY, allow_frames

ADDRESS_SETTING = "FOODVISION_ADDRESS"
OURS = {"pizza", "steak", "sushi"}  # the dishes in preview.jpg
MAX_NAMED = 5  # classes in a sentence, as in words.js
MAX_DESCRIPTION = 200  # characters that sites show
BACKGROUND_NOUNS = {"other_food": "another food", "not_food": "no food at all"}
ADDRESS = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE)
IMAGE = re.compile(rb'(<meta (?:property|name)="(?:og|twitter):image" content=")(?=/)')
PAGE = re.compile(rb'(<meta property="og:url" content=")[^"]*')
MARKDOWN = re.compile(r"!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}|<[^>]*>")


class ForOtherSites(OutputTransform):
    """Adds to Voilà's pages what other sites need: the page's full address, and whether they may frame it.

    Only the request tells the address, but Voilà may have rendered the page before. A page that is still being rendered
    arrives in pieces, which are held back until the head is complete.
    """

    def __init__(self, request: HTTPServerRequest) -> None:
        self._request = request
        self._held: bytes | None = None

    def applies(self) -> bool:
        """Whether this is one of the app's pages."""
        return True

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        if self.applies() and headers.get("Content-Type", "").startswith("text/html"):
            headers[POLICY] = allow_frames(headers.get(POLICY, ""))
            self._held = b""
            chunk = self.transform_chunk(chunk, finishing)
            if "Content-Length" in headers:
                headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        if self._held is None:
            return chunk
        html = self._held = self._held + chunk
        if b"</head>" not in html and not finishing:
            return b""
        self._held = None
        return with_addresses(html, site_address(self._request), self._request.path)


class OnJupyter(ForOtherSites):
    """The same on Jupyter's own server, where nothing but Voilà's pages may be framed."""

    def applies(self) -> bool:
        return "/voila/render/" in self._request.path


def preview(notebook: NotebookNode, classes: dict[str, dict[str, str]]) -> dict[str, str | bool]:
    """Title, description and whether the picture of our own dishes fits, for the head of the page.

    The description is the owner's sentence below the title, or else names the model's classes.
    """
    return {
        "title": notebook.metadata.get("title", "FoodVision"),
        "description": own_sentence(notebook) or invitation(**classes),
        "ours": set(classes["titles"]) - set(classes["background"]) == OURS,
    }


def own_sentence(notebook: NotebookNode) -> str:
    """The first paragraph above the dashboard, without its Markdown; empty if there is none."""
    for cell in notebook.cells:
        if "dashboard" in cell.metadata.get("tags", []):
            break
        if cell.cell_type == "markdown" and "notebook-only" not in cell.metadata.get("tags", []):
            for paragraph in re.split(r"\n\s*\n", re.sub(r"^#.*$", "", cell.source, flags=re.MULTILINE)):
                if text := " ".join(MARKDOWN.sub(r"\1", paragraph).split()):
                    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1].rstrip()}…"
    return ""


def invitation(titles: dict[str, str], background: dict[str, str]) -> str:
    """What the page is for, in one sentence."""
    wanted = [title for name, title in titles.items() if name not in background]
    if not titles:
        return "Choose a photo, and see what it shows."
    if len(wanted) > MAX_NAMED:
        return f"Choose a photo to see which of {len(wanted)} classes it shows."
    others = [BACKGROUND_NOUNS.get(name, "something else") for name in reversed(titles) if name in background]
    *nouns, last = dict.fromkeys(wanted + others)
    return f"Choose a photo to see whether it's {', '.join(nouns)} or {last}." if nouns else f"Is it {last}?"


def site_address(request: HTTPServerRequest) -> str:
    """Scheme and host by which visitors reach the site: FOODVISION_ADDRESS, or else what the request says.

    Empty if the request names no proper host.
    """
    if own := own_address():
        return own
    host, scheme = (
        request.headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip() for name in ("Host", "Proto")
    )
    address = f"{scheme or request.protocol}://{host or request.host}"
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
