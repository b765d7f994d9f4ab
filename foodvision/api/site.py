"""The page, without a kernel: one process answers all its visitors."""

import asyncio
import io
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from ..locate import find_file
from ..page.embedding import allow_frames
from ..page.pictures import CODE, code_of, is_address
from ..page.preview import site_address, with_addresses
from .errors import ApiError, ServeError

NOTEBOOK = "foodvision.ipynb"
ANSWERER = "httpAnswerer"  # in page/static/http.js
FRAMES = "frame-ancestors 'self' https://huggingface.co"
HEADERS = {
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
STATIC = Path(__file__).parents[1] / "page" / "template" / "static"
SERVED = ["preview.jpg", "icon.png", *(f"languages/{file.name}" for file in STATIC.glob("languages/*.js"))]
NOT_AN_ADDRESS = "A QR code here holds a web address of at most 1,000 characters."


class Rendered(NamedTuple):
    """The page, and the content security policy that it is served with."""

    html: str
    policy: str


class Site:
    """The page of a notebook. It is rendered once, and in its own process, since that takes a hundred megabytes."""

    def __init__(self, model: Path, feedback_on: bool) -> None:
        self.model, self.feedback_on = model, feedback_on
        self._page = Rendered("", "")
        self._rendered = asyncio.Event()

    async def render(self) -> None:
        """Render the page. Raises ServeError if it can't be."""
        render = partial(_render, find_file(NOTEBOOK), self.model, self.feedback_on)
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            try:
                self._page = await asyncio.get_running_loop().run_in_executor(pool, render)
            except RuntimeError as error:  # page.standalone's, or the process was killed
                raise ServeError(str(error)) from error
        self._rendered.set()

    def router(self) -> APIRouter:
        """The routes of the page and of what it asks for."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/", self.show, methods=["GET", "HEAD"])
        router.add_api_route("/qr.svg", draw_code, methods=["GET"])
        for name in SERVED:
            router.add_api_route(f"/{name}", partial(_file, name), methods=["GET", "HEAD"])
        return router

    async def show(self, request: Request) -> Response:
        """The page, as soon as it is rendered, with the address that this visitor used."""
        await self._rendered.wait()
        site = site_address(request.headers, request.url.scheme)
        policy = {"Content-Security-Policy": self._page.policy}
        return HTMLResponse(with_addresses(self._page.html.encode(), site, "/"), headers=policy | HEADERS)


def draw_code(text: str) -> Response:
    """A QR code for a web address, as SVG. Raises ApiError for other texts."""
    if not is_address(text):
        raise ApiError(400, NOT_AN_ADDRESS)
    file = io.BytesIO()
    code_of(text).save(file, kind="svg", **CODE)
    return Response(file.getvalue(), media_type="image/svg+xml", headers=HEADERS)


def _file(name: str) -> Response:
    return FileResponse(STATIC / name, headers=HEADERS)


def _render(notebook: Path, model: Path, feedback_on: bool) -> Rendered:
    from ..page.standalone import render_page  # and nbconvert

    page = render_page(notebook, ANSWERER, model, languages="languages/", feedback_on=feedback_on)
    return Rendered(page.html, allow_frames(f"{page.policy}; {FRAMES}"))
