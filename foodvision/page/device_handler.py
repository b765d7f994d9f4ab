"""Serves the files of `device.py`, under `foodvision serve` and as an extension of Jupyter's server."""

import asyncio
from pathlib import PurePosixPath

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, RequestHandler, authenticated

from .device import HEADERS, SERVED_BELOW, TYPES, device_files


class DeviceHandler(RequestHandler):
    """A file that browsers may keep for ever, or 404: after a change of model, for pages that are older."""

    async def get(self, name: str) -> None:
        files = device_files()
        if files is None or name not in files.names:
            raise HTTPError(404)
        content = await asyncio.to_thread(files.read, name)
        self.set_header("Content-Type", TYPES[PurePosixPath(name).suffix])
        for header, value in HEADERS.items():
            self.set_header(header, value)
        self.finish(content)


class GuardedDeviceHandler(DeviceHandler, JupyterHandler):
    """The same for those whom Jupyter's server knows."""

    @authenticated
    async def get(self, name: str) -> None:  # type: ignore[override]  # the decorator's hints allow any arguments
        await super().get(name)


def pattern(base_url: str) -> str:
    """The addresses of the files, as a regular expression."""
    return url_path_join(base_url, SERVED_BELOW, "(.+)")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "foodvision.page.device_handler"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    server.web_app.add_handlers(".*$", [(pattern(server.base_url), GuardedDeviceHandler)])
