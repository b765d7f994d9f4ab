"""`foodvision api`: the app behind every contract, and the server that runs it."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from ..page.embedding import framing_sites
from ..page.feedback import Feedback
from ..page.notebook import ServeError
from ..page.preview import own_address
from . import huggingface, instances, openinference, predict, verdicts
from .answering import Answering
from .connection import TimedConnection
from .errors import tell_errors
from .guard import Guard
from .limits import SHUTDOWN_S
from .observe import Metrics, Observer, log_json
from .settings import Settings
from .site import Site

if sys.platform != "win32":
    import resource

API_VERSION = "1"  # of the contract, which tests/api_contract.json freezes
DESCRIPTION = "Names the food in photos. Every address answers with the same model, in its own contract."
HEALTH = {"/v2/health/live", "/v2/health/ready", "/ping"}
METRICS = "/metrics"


def create_app(settings: Settings, on_failure: Callable[[Exception], None] = lambda error: None) -> FastAPI:
    """The API as an ASGI app. Its model is loaded in the background; if that fails, `on_failure` is told."""
    answering, feedback = Answering(settings.model), Feedback.from_environment()
    site = Site(settings.model, feedback_on=feedback is not None) if settings.shows_page else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(_load(answering, site, on_failure))
        yield
        loading.cancel()
        answering.close()

    app = FastAPI(
        title="FoodVision",
        version=API_VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.answering, app.state.verdicts = answering, verdicts.Verdicts(feedback) if feedback else None
    if settings.vertex:  # first, since its addresses may be among those below
        app.include_router(instances.vertex_router(*settings.vertex))
    for module in (predict, huggingface, openinference, instances, verdicts):
        app.include_router(module.router)
    if site:
        app.include_router(site.router())
    tell_errors(app)
    _protect(app, settings, _add_metrics(app, answering) if settings.shows_metrics else None)
    return app


def _protect(app: FastAPI, settings: Settings, metrics: Metrics | None) -> None:
    """Add what every request passes, innermost first."""
    health = {settings.vertex[0]} if settings.vertex else set[str]()
    app.add_middleware(GZipMiddleware)
    app.add_middleware(Guard, key=settings.key, hosts=settings.hosts, open_paths=HEALTH | health)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["Retry-After", verdicts.ANSWER_ID],
        )
    app.add_middleware(Observer, metrics=metrics)


def _add_metrics(app: FastAPI, answering: Answering) -> Metrics:
    metrics = Metrics()
    metrics.waiting.set_function(lambda: answering.waiting)

    @app.get(METRICS, include_in_schema=False)
    async def show(_: Request) -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return metrics


async def _load(answering: Answering, site: Site | None, on_failure: Callable[[Exception], None]) -> None:
    try:
        await asyncio.gather(answering.load(), *([site.render()] if site else []))
    except Exception as error:  # whatever it is, a server without a model must not go on
        on_failure(error)


def serve(settings: Settings) -> None:
    """Serve until stopped; requests in progress are answered first.

    Raises ModelError if there is no model, and ServeError if a setting is wrong, or it can't listen or render the page.
    """
    try:
        framing_sites()
        own_address()
    except ValueError as error:
        raise ServeError(str(error)) from error
    failures: list[Exception] = []

    def stop(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    config = uvicorn.Config(
        create_app(settings, stop),
        http=TimedConnection,
        loop="auto",  # uvloop, or asyncio's on Windows
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = uvicorn.Server(config)
    log_json()
    _allow_many_connections()
    with _listen(settings.host, settings.port) as listening:
        server.run(sockets=[listening])
    if failures:
        raise failures[0]


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ServeError(f"Can't listen on {host}, port {port}: {reason}. Choose another with --port.") from error


def _allow_many_connections() -> None:
    """Each connection is an open file, of which most systems allow a process a thousand unless it asks."""
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
