"""Ray Serve: `serve run foodvision.api.ray:app` on a cluster, with as many replicas as its configuration says."""

from fastapi import FastAPI
from ray import serve

from ..locate import find_model
from .server import create_app
from .settings import Settings


def build() -> FastAPI:
    """The API in a replica. Ray renders no page: put it on a server of its own."""
    return create_app(Settings(find_model(), host="0.0.0.0", page=False))


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 1}, max_ongoing_requests=64)
@serve.ingress(build)
class FoodVision:
    """A replica. Ray sends it requests only while it is healthy."""

    async def check_health(self) -> None:
        """Called by Ray now and then; a replica that can't be reached is replaced."""


app = FoodVision.bind()  # type: ignore[attr-defined]  # added by the decorator
