"""What the owner of a server decides."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KEY_SETTING = "FOODVISION_API_KEY"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Settings:
    """How to serve a model.

    `origins` are the sites whose scripts may use the API ("*" for all), `hosts` the names under which it answers (all
    if empty; patterns such as "*.example.com" are allowed). With a `key`, only requests that carry it are answered, and
    there is no page, since its visitors have none. `vertex` are the addresses that Vertex AI has chosen for its health
    checks and requests.
    """

    model: Path
    host: str = "127.0.0.1"
    port: int = 8000
    key: str = ""
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    metrics: bool | None = None
    page: bool = True
    vertex: tuple[str, str] | None = None

    @property
    def shows_metrics(self) -> bool:
        """Whether /metrics exists: by default only where no other computer can ask for it."""
        return self.host in LOOPBACK if self.metrics is None else self.metrics

    @property
    def shows_page(self) -> bool:
        """Whether the page is at /."""
        return self.page and not self.key


def vertex_addresses(environment: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """Vertex AI's addresses for health checks and predictions; None elsewhere."""
    health, predict = environment.get("AIP_HEALTH_ROUTE"), environment.get("AIP_PREDICT_ROUTE")
    return (health, predict) if health and predict else None
