"""The page, without a kernel: one process answers all its visitors."""

import asyncio
import gzip
import io
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from ..locate import NOTEBOOK, find_file
from ..page import device
from ..page.embedding import allow_frames
from ..page.pictures import CODE, code_of, is_address
from ..page.preview import site_address, with_addresses
from ..page.standalone import StandalonePage, render_page
from .errors import ApiError

ANSWERER = "httpAnswerer"  # in page/static/http.js
FRAMES = "frame-ancestors 'self' https://huggingface.co"
HEADERS = {
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
PACKED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
STATIC = Path(__file__).parents[1] / "page" / "template" / "static"
SERVED = ["preview.jpg", "icon.png", *(f"languages/{file.name}" for file in STATIC.glob("languages/*.js"))]
DEVICE = "device/"
MAX_ADDRESSES = 8  # under which visitors know the page, and whose pages are kept
NO_SUCH_FILE = "A newer model is available. Reload the page to use it."
NOT_AN_ADDRESS = "A QR code here holds a web address of at most 1,000 characters."


class Site:
    """The page of a notebook, rendered once."""

    def __init__(self, model: Path, feedback_on: bool) -> None:
        self.model, self.feedback_on = model, feedback_on
        self._page = StandalonePage("", "", "")
        self._rendered = asyncio.Event()
        self._packed = lru_cache(MAX_ADDRESSES)(self._pack)

    async def render(self) -> None:
        """Render the page. Raises ServeError if it can't be."""
        self._page = await asyncio.to_thread(self._render)
        self._rendered.set()

    def _render(self) -> StandalonePage:
        files = device.device_files(self.model)
        options: dict[str, Any] = {"device": files.settings(DEVICE)} if files else {}
        options["feedback_on"] = self.feedback_on
        return render_page(find_file(NOTEBOOK), ANSWERER, self.model, languages="languages/", **options)

    def _pack(self, site: str) -> bytes:
        return gzip.compress(with_addresses(self._page.html.encode(), site, "/"))

    def router(self) -> APIRouter:
        """The routes of the page and of what it asks for."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route("/", self.show, methods=["GET", "HEAD"])
        router.add_api_route("/qr.svg", draw_code, methods=["GET"])
        router.add_api_route(f"/{DEVICE}{{name:path}}", self.device_file, methods=["GET"])
        for name in SERVED:
            router.add_api_route(f"/{name}", partial(_file, name), methods=["GET", "HEAD"])
        return router

    async def show(self, request: Request) -> Response:
        """The page, as soon as it is rendered, with the address that this visitor used."""
        await self._rendered.wait()
        headers = {"Content-Security-Policy": allow_frames(f"{self._page.policy}; {FRAMES}")} | HEADERS
        packed = self._packed(site_address(request.headers, request.url.scheme))
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return HTMLResponse(gzip.decompress(packed), headers=headers)
        return HTMLResponse(packed, headers=headers | PACKED)

    def device_file(self, name: str) -> Response:
        """What browsers need to answer photos themselves. Raises ApiError for files of another model."""
        files = device.device_files(self.model)
        if files is None or name not in files.names:
            raise ApiError(404, NO_SUCH_FILE)
        return Response(files.read(name), media_type=device.TYPES[Path(name).suffix], headers=device.HEADERS)


def draw_code(text: str) -> Response:
    """A QR code for a web address, as SVG. Raises ApiError for other texts."""
    if not is_address(text):
        raise ApiError(400, NOT_AN_ADDRESS)
    file = io.BytesIO()
    code_of(text).save(file, kind="svg", **CODE)
    return Response(file.getvalue(), media_type="image/svg+xml", headers=HEADERS)


def _file(name: str) -> Response:
    return FileResponse(STATIC / name, headers=HEADERS)
