"""A slow network between the browser and a local server: a TCP proxy that delays and counts traffic.

Chromium's own throttling (Network.emulateNetworkConditions) is just as slow, also for uploads through a websocket, but
doesn't count websocket traffic.
"""

import asyncio
import contextlib
from collections import namedtuple

Speed = namedtuple("Speed", "bits_per_second delay")  # delay: round trip, in seconds
UNLIMITED = Speed(float("inf"), 0)
PHONE = Speed(750_000, 0.150)  # 3G
PACKET = 1400  # bytes sent as one unit, so that connections take turns
AHEAD = 0.1  # seconds of traffic buffered before the sender has to wait


class Line:
    """One direction of a network, shared by all its connections. `size` counts the bytes carried."""

    def __init__(self, speed):
        self.speed, self.size, self.free = speed, 0, 0.0

    async def carry(self, reader, writer):
        """Copy one stream to another until it ends, delivering each packet when the line would have."""
        under_way = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(under_way, writer))
        try:
            while packet := await reader.read(PACKET if self.speed != UNLIMITED else 65536):
                under_way.put_nowait((self._arrival(packet), packet))
                await asyncio.sleep(self.free - AHEAD - _now())
        finally:
            under_way.put_nowait((0, b""))
            await delivery

    def _arrival(self, packet):
        self.size += len(packet)
        self.free = max(_now(), self.free) + 8 * len(packet) / self.speed.bits_per_second
        return self.free + self.speed.delay / 2

    async def _deliver(self, under_way, writer):
        with contextlib.suppress(OSError):
            while (due := await under_way.get())[1]:
                await asyncio.sleep(due[0] - _now())
                writer.write(due[1])
                await writer.drain()
            writer.write_eof()


class Network:
    """`async with Network(port, PHONE) as network`: reach the server on `port` through `network.port`, slowed down."""

    def __init__(self, port, speed=UNLIMITED):
        self.upstream, self.speed = port, speed
        self.up, self.down = Line(speed), Line(speed)

    async def __aenter__(self):
        self.connections = set()
        self.server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    def count(self):
        """Bytes the visitor has received and sent since the last count, including headers and websockets."""
        received, sent = self.down.size, self.up.size
        self.down.size = self.up.size = 0
        return received, sent

    async def quiet(self, seconds):
        """Wait until there has been no traffic for so many seconds."""
        before = None
        while before != (before := (self.up.size, self.down.size)):
            await asyncio.sleep(seconds)

    async def _connect(self, reader, writer):
        self.connections.add(connection := asyncio.current_task())
        try:
            await asyncio.sleep(self.speed.delay)  # the TCP handshake
            upstream_reader, upstream_writer = await asyncio.open_connection("localhost", self.upstream)
            with contextlib.closing(upstream_writer):
                await asyncio.gather(self.up.carry(reader, upstream_writer), self.down.carry(upstream_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # the visitor or the server has left
        finally:
            writer.close()
            self.connections.discard(connection)


def _now():
    return asyncio.get_running_loop().time()
