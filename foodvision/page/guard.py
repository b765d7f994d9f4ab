"""Guards the websocket between a page and its kernel, since anyone can write a page."""

from time import monotonic
from typing import ClassVar
from weakref import WeakKeyDictionary

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.iostream import StreamBufferFullError

PROTOCOL = "v1.kernel.websocket.jupyter.org"  # the only one our page speaks
MAX_PENDING_MESSAGES = 64  # per visitor, not yet handled by the kernel; our page has two parts of a photo in flight
MESSAGE_TIMEOUT_S = 60  # after this a message stops counting as pending: its kernel died, or wasn't listening yet
MAX_UNREAD_BYTES = 2**22  # replies queued for a slow network; a picture is less than a tenth of this
MAX_WEBSOCKETS = 4  # per visitor: a page has one, and briefly a second when the network changes
MAX_ID_CHARACTERS = 64
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1


class PageConnection(ZMQChannelsWebsocketConnection):
    """A kernel's websocket that doesn't trust the page.

    Voilà only lets widget messages through. Jupyter, underneath, trusts the page to send well-formed messages, to wait
    for its kernel and to read the replies. If a page doesn't, its websocket is closed.
    """

    _pending_by_kernel: ClassVar[WeakKeyDictionary[object, dict[str, float]]] = WeakKeyDictionary()

    @property
    def _pending(self) -> dict[str, float]:
        """Arrival times, by id, of the messages that the kernel has not handled yet, over all of its websockets."""
        return self._pending_by_kernel.setdefault(self.kernel_manager, {})

    def connect(self):
        self.websocket_handler.set_nodelay(True)  # Nagle's algorithm would delay each reply by 40 ms
        self.websocket_handler.ws_connection.stream.max_write_buffer_size = MAX_UNREAD_BYTES
        connected = super().connect()
        if self.multi_kernel_manager.kernel_model(self.kernel_id)["connections"] > MAX_WEBSOCKETS:
            self.log.warning("Closed a page's websocket: its kernel already has %d.", MAX_WEBSOCKETS)
            self.websocket_handler.close(POLICY_VIOLATION)
        return connected

    def handle_incoming_message(self, message):
        try:
            self._pending[self._checked_id(message)] = monotonic()
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            self.log.warning("Closed a page's websocket: %.200s", error)
            self.websocket_handler.close(POLICY_VIOLATION)
        else:
            super().handle_incoming_message(message)

    def handle_outgoing_message(self, stream, message):
        self._forget_if_handled(message)
        try:
            super().handle_outgoing_message(stream, message)
        except StreamBufferFullError:
            self.log.warning("Closed a page's websocket: it doesn't read its replies.")
            self.websocket_handler.ws_connection.stream.close()

    def _checked_id(self, message: object) -> str:
        """The id of a message that a page may send. Raises ValueError and others for anything else."""
        if self.subprotocol != PROTOCOL or not isinstance(message, bytes):
            raise ValueError("it speaks another protocol.")
        if 8 * int.from_bytes(message[:8], "little") > len(message):
            raise ValueError("a message claims more parts than fit in it.")
        channel, (header, *_) = deserialize_msg_from_ws_v1(message)
        header = self.session.unpack(header)
        allowed = {*self.multi_kernel_manager.allowed_message_types} - {"shutdown_request"}  # pages ask the server
        if channel != "shell" or header["msg_type"] not in allowed:
            raise ValueError("a page may not send that kind of message.")
        if len(header["msg_id"]) > MAX_ID_CHARACTERS or header["msg_id"] in self._pending:
            raise ValueError("a message's id is too long or already in use.")
        if sum(monotonic() - arrived < MESSAGE_TIMEOUT_S for arrived in self._pending.values()) >= MAX_PENDING_MESSAGES:
            raise ValueError("it sends more than its kernel can handle.")
        return header["msg_id"]

    def _forget_if_handled(self, message: list[bytes]) -> None:
        """A kernel reports `idle` when it has handled a message."""
        _, (_, header, parent, _, content, *_) = self.session.feed_identities(message)
        if self.session.unpack(header)["msg_type"] != "status":
            return
        if self.session.unpack(content)["execution_state"] == "idle":
            self._pending.pop(self.session.unpack(parent).get("msg_id"), None)
