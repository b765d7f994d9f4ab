"""Extends Jupyter's server, which serves the page on Binder and JupyterHub."""

from jupyter_server.serverapp import ServerApp

from .embedding import framing_sites
from .preview import OnJupyter, own_address


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
