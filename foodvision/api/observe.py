"""What the owner can see: a log line for each request, and counts for Prometheus. No photo, name or address."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..answer.prediction import Prediction

SECONDS = 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
CONFIDENCES = 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1
ELSEWHERE = "elsewhere"  # stands for addresses that don't exist, which may say anything

answers: ContextVar[list[Prediction]] = ContextVar("answers")  # given in the current request
logger = logging.getLogger("foodvision.api")


class Metrics:
    """Counts of answers and errors, with the time and confidence of answers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        where: dict[str, Any] = {"namespace": "foodvision", "registry": self.registry}
        self.answers = Counter("answers", "Answers, by label and doubt.", ["label", "unsure"], **where)
        self.errors = Counter("errors", "Requests without an answer, by reason.", ["reason"], **where)
        self.seconds = Histogram("answer_seconds", "Time for an answer.", buckets=SECONDS, **where)
        self.confidence = Histogram("confidence", "Probability of the label.", buckets=CONFIDENCES, **where)
        self.waiting = Gauge("waiting", "Photos that aren't answered yet.", **where)

    def add(self, status: int, given: list[Prediction]) -> None:
        """Count a response and the answers in it."""
        if status >= HTTPStatus.BAD_REQUEST:
            self.errors.labels(HTTPStatus(status).phrase).inc()
        for prediction in given:
            self.answers.labels(prediction.label, str(prediction.unsure).lower()).inc()
            self.seconds.observe(prediction.seconds)
            self.confidence.observe(prediction.probability)

    def text(self) -> bytes:
        """Everything counted, in Prometheus's text format."""
        return generate_latest(self.registry)


class Observer:
    """Logs each request once it is answered, and counts it."""

    def __init__(self, app: ASGIApp, metrics: Metrics | None = None) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI middleware."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, given, status = perf_counter(), list[Prediction](), HTTPStatus.INTERNAL_SERVER_ERROR.value
        answers.set(given)

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            self._add(scope, status, perf_counter() - start, given)

    def _add(self, scope: Scope, status: int, seconds: float, given: list[Prediction]) -> None:
        if self.metrics:
            self.metrics.add(status, given)
        about = {"method": scope["method"], "path": getattr(scope.get("route"), "path", ELSEWHERE), "status": status}
        about |= {"seconds": round(seconds, 4)}
        said = [{"label": one.label, "probability": round(one.probability, 4), "unsure": one.unsure} for one in given]
        logger.info("request", extra={"fields": about | ({"answers": said} if said else {})})


class JsonLines(logging.Formatter):
    """Each record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_json() -> None:
    """Write the server's log to standard error, as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
