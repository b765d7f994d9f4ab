"""`foodvision serve`: Voilà, quicker to load and safer with strangers."""

import os
from functools import partial
from time import monotonic
from typing import ClassVar
from weakref import WeakKeyDictionary

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.iostream import StreamBufferFullError
from tornado.web import GZipContentEncoding, OutputTransform
from voila.app import Voila

from ..answer.machine import cores, memory

PROTOCOL = "v1.kernel.websocket.jupyter.org"  # that of the page
WAITING = 64  # messages of a visitor that the kernel has not dealt with; the page has two parts of a photo on their way
UNREAD = 2**22  # bytes of answers that wait for a slow network; a picture is less than a tenth of it
LOST = 60  # seconds after which a message is not waited for any more: its kernel has died, or was not yet listening
PAGES = 4  # websockets of one visitor: a page has one, and another for a moment where the network changes
SOCKETS = 65536  # of ZeroMQ, which thinks of a thousand; a visitor takes four
BODY, BUFFER = 2**16, 2**20  # bytes that a request may carry, and that wait to be read: no page sends as much
LONGEST_FOLDER = 50  # characters: a socket's path has at most 103, of which the kernel's name takes 50
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1


def pool_size():
    """How many kernels are kept ready where no setting says so: more cannot start at once, or fit a small container."""
    return int(max(1, min(cores(), 16, memory() // 10**9)))


class PageConnection(ZMQChannelsWebsocketConnection):
    """The websocket between a page and its kernel, where the page may be anybody's.

    Voilà lets through only the messages of widgets. Jupyter, below it, trusts a page to say how many parts a message
    has, to wait for its kernel, and to read the answers. Here a page that does not finds its websocket closed.
    """

    _all_waiting: ClassVar = WeakKeyDictionary()

    @property
    def _waiting(self):
        """Ids of the messages that the kernel has not dealt with, and since when: for all websockets of a kernel."""
        return self._all_waiting.setdefault(self.kernel_manager, {})

    def connect(self):
        self.websocket_handler.set_nodelay(True)  # or else each answer waits 40 ms for the network's leave
        self.websocket_handler.ws_connection.stream.max_write_buffer_size = UNREAD
        connected = super().connect()
        if self.multi_kernel_manager.kernel_model(self.kernel_id)["connections"] > PAGES:
            self.log.warning("A page's websocket is closed: its kernel has %d others.", PAGES)
            self.websocket_handler.close(POLICY_VIOLATION)
        return connected

    def handle_incoming_message(self, message):
        try:
            self._waiting[self._checked_id(message)] = monotonic()
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            self.log.warning("A page's websocket is closed: %.200s", error)
            self.websocket_handler.close(POLICY_VIOLATION)
        else:
            super().handle_incoming_message(message)

    def handle_outgoing_message(self, stream, message):
        self._note_done(message)
        try:
            super().handle_outgoing_message(stream, message)
        except StreamBufferFullError:
            self.log.warning("A page's websocket is closed: it does not read its answers.")
            self.websocket_handler.ws_connection.stream.close()

    def _checked_id(self, message):
        if self.subprotocol != PROTOCOL or not isinstance(message, bytes):
            raise ValueError("it speaks another protocol.")
        if 8 * int.from_bytes(message[:8], "little") > len(message):
            raise ValueError("a message says that it has more parts than it has room for.")
        channel, (header, *_) = deserialize_msg_from_ws_v1(message)
        header = self.session.unpack(header)
        allowed = {*self.multi_kernel_manager.allowed_message_types} - {"shutdown_request"}  # pages ask the server
        if channel != "shell" or header["msg_type"] not in allowed:
            raise ValueError("a message is none that a page may send.")
        if len(header["msg_id"]) > 64 or header["msg_id"] in self._waiting:
            raise ValueError("a message has no id of its own.")
        if sum(monotonic() - since < LOST for since in self._waiting.values()) >= WAITING:
            raise ValueError("it sends more than its kernel can deal with.")
        return header["msg_id"]

    def _note_done(self, message):
        """A kernel says `idle` of each message that it has dealt with."""
        _, (_, header, parent, _, content, *_) = self.session.feed_identities(message)
        if self.session.unpack(header)["msg_type"] != "status":
            return
        if self.session.unpack(content)["execution_state"] == "idle":
            self._waiting.pop(self.session.unpack(parent).get("msg_id"), None)


class NoSniff(OutputTransform):
    """For Voilà's static files, which have none of the headers that its pages have."""

    def transform_first_chunk(self, status_code, headers, chunk, finishing):
        headers["X-Content-Type-Options"] = "nosniff"
        return status_code, headers, chunk


class FoodVision(Voila):
    """Voilà takes `tornado_settings` too late for these. Compression is a third of the time to open on a phone.

    Jupyter gives a kernel free TCP ports, and now and then something else has taken one before the kernel does: a page
    then waits for a minute, in vain. A socket of its own that is a file cannot be taken, nor reached by other users.
    """

    def init_settings(self):
        if "default_pool_size" not in self.config.VoilaConfiguration:
            self.voila_configuration.default_pool_size = pool_size()
        if os.name == "posix" and len(self.connection_dir) <= LONGEST_FOLDER:
            self.config.KernelManager.transport = "ipc"
        else:
            self.log.warning("Kernels listen at ports: there can be no sockets in %s.", self.connection_dir)
        settings = super().init_settings()
        self.kernel_manager.context.max_sockets = SOCKETS
        self.kernel_manager.get_pool_size = self._kernels_ready
        return settings | {
            "transforms": [NoSniff, GZipContentEncoding],
            "kernel_websocket_connection_class": PageConnection,
        }

    def listen(self):
        self.app.listen = partial(self.app.listen, max_body_size=BODY, max_buffer_size=BUFFER)
        super().listen()

    def _kernels_ready(self, notebook):
        """Voilà counts those too that are being made ready, and has a visitor wait for one before the page comes.

        It takes the first of them; one that could not start, or has died since, makes room for another.
        """
        pool = self.kernel_manager._pools[notebook]
        pool[:] = sorted(filter(self._is_sound, pool), key=lambda start: not start.done())
        self.kernel_manager.fill_if_needed(notebook_name=notebook)
        return sum(start.done() for start in pool)

    def _is_sound(self, start):
        if not start.done():
            return True
        if start.cancelled() or start.exception() or start.result()["kernel_id"] not in self.kernel_manager:
            return False
        kernel = self.kernel_manager.get_kernel(start.result()["kernel_id"])
        # Jupyter starts another process in a dead one's place, in which the notebook has not run.
        return kernel._restarter._restart_count == 0 and kernel.provisioner.process.poll() is None
