"""The command `foodvision api`."""

import json
import os
from functools import partial
from typing import Any

import click

from .. import options

INSTALL = "Install the API's packages: pip install -e '.[api]'"
API_PACKAGES = {"fastapi", "uvicorn", "starlette", "pydantic", "prometheus_client", "python_multipart"}
ORIGIN = "An origin that CORS allows, or '*'; repeatable."
setting = partial(click.option, show_envvar=True)


@click.command()
@options.MODEL
@setting("--host", envvar="FOODVISION_HOST", default="127.0.0.1", help="0.0.0.0 lets other computers connect.")
@setting("--port", envvar=["AIP_HTTP_PORT", "PORT"], type=int, default=8000, show_default=True)
@setting("--origin", "origins", envvar="FOODVISION_ORIGINS", multiple=True, help=ORIGIN)
@setting(
    "--allowed-host", "hosts", envvar="FOODVISION_HOSTS", multiple=True, help="A host name to answer to; repeatable."
)
@click.option("--metrics/--no-metrics", default=None, help="Whether to serve /metrics. Default: only on this computer.")
@click.option("--page/--no-page", default=True, help="Whether to serve the page, too.")
@click.option("--openapi", is_flag=True, help="Print the description of the API, and don't serve it.")
def api(openapi: bool, **choices: Any) -> int:
    """Serve the model to programs, and the page to visitors.

    If FOODVISION_API_KEY is set, programs have to send that key, and there is no page.

    \b
    foodvision api
    foodvision api --host 0.0.0.0 --port 8000     let other computers connect
    foodvision api --openapi > openapi.json       to generate clients
    curl --data-binary @photo.jpg http://localhost:8000/predict
    """
    from ..page.notebook import ServeError
    from .settings import KEY_SETTING, Settings, vertex_addresses

    settings = Settings(key=os.environ.get(KEY_SETTING, ""), vertex=vertex_addresses(), **choices)
    try:
        from .server import create_app, serve
    except ModuleNotFoundError as error:
        if error.name not in API_PACKAGES:
            raise
        click.echo(f"This needs {error.name}, which isn't installed. {INSTALL}", err=True)
        return 1
    if openapi:
        click.echo(json.dumps(create_app(settings).openapi(), indent=2))
        return 0
    try:
        serve(settings)
    except ServeError as error:
        click.echo(error, err=True)
        return 2
    return 0
