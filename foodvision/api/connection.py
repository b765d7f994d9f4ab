"""Connections that end by themselves: slow and half-open ones would otherwise stay for ever."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from .limits import HEAD_TIMEOUT_S, REQUEST_TIMEOUT_S


class TimedConnection(H11Protocol):
    """uvicorn's connection, with limits on the time for a request's headers, and from there to the response's end.

    uvicorn itself only limits the time between two requests.
    """

    head_timeout_s: float = HEAD_TIMEOUT_S
    request_timeout_s: float = REQUEST_TIMEOUT_S
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport):
        super().connection_made(transport)
        self._end_in(self.head_timeout_s)

    def data_received(self, data):
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:  # the headers of a request are complete
            self._end_in(self.request_timeout_s)

    def on_response_complete(self):
        self._end_in(self.head_timeout_s)
        super().on_response_complete()

    def connection_lost(self, exc):
        if self._end:
            self._end.cancel()
        super().connection_lost(exc)

    def _end_in(self, seconds: float) -> None:
        if self._end:
            self._end.cancel()
        self._end = self.loop.call_later(seconds, self.transport.abort)
