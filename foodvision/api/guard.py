"""What strangers may send: checks a request's host, key and size before anything else sees it."""

import asyncio
import hmac
import re
from collections.abc import Iterable
from fnmatch import fnmatch

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import BUSY, TOO_LARGE, TOO_LATE, WRONG_HOST, WRONG_KEY, ApiError
from .limits import BODY_TIMEOUT_S, MAX_BODY_BYTES, MAX_HELD_BYTES


class Guard:
    """Passes a request on once its whole body is here, within the limits for one body and for all together.

    `open_paths` need no key, and answer under any host name: the platform asks them whether the server is healthy.
    """

    def __init__(
        self,
        app: ASGIApp,
        key: str = "",
        hosts: Iterable[str] = (),
        open_paths: Iterable[str] = (),
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self.app, self.key, self.open_paths = app, key, set(open_paths)
        self.hosts = [_without_brackets(pattern) for pattern in hosts]
        self.body_timeout_s = body_timeout_s
        self.held = 0  # bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI middleware."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = bytearray()
        try:
            self._check(scope)
            await self._read(Headers(scope=scope), receive, body)
        except ApiError as error:
            await error(scope, receive, send)
        except ConnectionResetError:
            pass  # the client is gone
        else:
            await self.app(scope, _Replay(body, receive), send)
        finally:
            self.held -= len(body)

    def _check(self, scope: Scope) -> None:
        if scope["path"] in self.open_paths:
            return
        headers = Headers(scope=scope)
        host = _without_port(headers.get("host", ""))
        if self.hosts and not any(fnmatch(host, pattern) for pattern in self.hosts):
            raise ApiError(400, WRONG_HOST)
        given = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-api-key", "")
        if (
            self.key
            and scope["method"] != "OPTIONS"
            and not hmac.compare_digest(given.encode("latin-1"), self.key.encode())
        ):
            raise ApiError(401, WRONG_KEY, {"WWW-Authenticate": "Bearer"})

    async def _read(self, headers: Headers, receive: Receive, body: bytearray) -> None:
        if int(headers.get("content-length", 0)) > MAX_BODY_BYTES:
            raise ApiError(413, TOO_LARGE)
        try:
            async with asyncio.timeout(self.body_timeout_s):
                while await self._read_part(receive, body):
                    pass
        except TimeoutError as error:
            raise ApiError(408, TOO_LATE) from error

    async def _read_part(self, receive: Receive, body: bytearray) -> bool:
        """Whether there is more to read."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        part = message.get("body", b"")
        if len(body) + len(part) > MAX_BODY_BYTES:
            raise ApiError(413, TOO_LARGE)
        if self.held + len(part) > MAX_HELD_BYTES:
            raise ApiError(429, BUSY, {"Retry-After": "5"})
        body += part
        self.held += len(part)
        return message.get("more_body", False)


def _without_port(host: str) -> str:
    return _without_brackets(re.sub(r":\d*\Z", "", host))


def _without_brackets(host: str) -> str:
    """A host's name or IPv6 address in lower case; for `fnmatch`, brackets would be a choice of characters."""
    return host.strip("[]").lower()


class _Replay:
    """Gives the app a body that has already been read."""

    def __init__(self, body: bytearray, receive: Receive) -> None:
        self.body, self.receive, self.given = body, receive, False

    async def __call__(self) -> Message:
        if self.given:
            return await self.receive()  # tells when the client is gone
        self.given = True
        return {"type": "http.request", "body": bytes(self.body), "more_body": False}
