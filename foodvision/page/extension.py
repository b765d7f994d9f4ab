"""Adds to Voilà's pages what other sites need, under `foodvision serve` and as an extension of Jupyter's server."""

from jupyter_server.serverapp import ServerApp
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

from .embedding import POLICY, allow_frames, framing_sites
from .preview import own_address, site_address, with_addresses


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
        self._held, request = None, self._request
        return with_addresses(html, site_address(request.headers, request.protocol), request.path)


class OnJupyter(ForOtherSites):
    """The same on Jupyter's own server, where nothing but Voilà's pages may be framed."""

    def applies(self) -> bool:
        return "/voila/render/" in self._request.path


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "foodvision.page.extension"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    try:
        framing_sites()
        own_address()
    except ValueError as error:
        server.log.error("%s Until then, other sites can't show the page.", error)
        return
    server.web_app.transforms.insert(0, OnJupyter)
