"""Messages that our page never sends: to the dashboard, to its kernel and to the server.

A `Visitor` opens the page without a browser and sends whatever it is told to. Each function in TO_OURS and
TO_ANY_SERVER is one kind of misuse: it takes a visitor and yields, for each attempt, whether it was handled correctly.
"""

import io
import json
import re
import time
from contextlib import ExitStack, suppress
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen
from uuid import uuid4

import psutil
from ipywidgets.widgets.widget import _registry
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from benchmarks.memory import peak
from foodvision.page.assets import MAX_BYTES
from foodvision.page.guard import PROTOCOL

from . import Row

SAMPLE_EVERY_S = 0.05
PATIENCE = 60  # seconds for a reply
MANY = 2000
PART = 2**17  # bytes of a photo that the page sends at once, as in kernel.js
LONG = "a" * 100_000
WIDGETS, CONTROL = "jupyter.widget", "jupyter.widget.control"


class Visitor:
    """A page's connection to its kernel and its dashboard. `many` is how often a kind of misuse is repeated."""

    def __init__(self, url, many=MANY):
        page = urlopen(url, timeout=PATIENCE).read().decode()
        config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
        self.kernel_id, self.session, self.many = config["kernelId"], Session(), many
        self.token = parse_qs(urlsplit(url).query).get("token", [""])[0]
        self.server = f"{urlsplit(url).netloc}{config['baseUrl']}"
        self.sockets = ExitStack()
        self.connect()
        (self.dashboard,) = (key for key, widget in self.widgets().items() if widget["model_name"] == "AnyModel")

    def connect(self, **options):
        address = f"ws://{self.server}api/kernels/{self.kernel_id}/channels"
        query = f"session_id={self.session.session}&token={self.token}"
        options |= {"subprotocols": [PROTOCOL], "max_size": None, "compression": None}
        self.socket = self.sockets.enter_context(connect(f"{address}?{query}", **options))

    def leave(self):
        """Close the tab: the page tells the server."""
        self.sockets.close()
        urlopen(f"http://{self.server}voila/api/shutdown/{self.kernel_id}?token={self.token}", data=b"")

    @property
    def closed(self):
        """The code with which the server closed the websocket; None if it is open."""
        return self.socket.close_code

    def post(self, kind, content, buffers=(), channel="shell", metadata=None, **header):
        """Send a message and return its id."""
        message = self.session.msg(kind, content, metadata=metadata)
        message["header"] |= header
        parts = [json.dumps(message[name], default=str) for name in ("header", "parent_header", "metadata", "content")]
        self.socket.send(serialize_msg_to_ws_v1([*(part.encode() for part in parts), *buffers], channel))
        return message["header"]["msg_id"]

    def heard(self, patience=PATIENCE):
        """The next message that arrives: header, parent's header, content, buffers. Raises TimeoutError."""
        _, (header, parent, _, content, *buffers) = deserialize_msg_from_ws_v1(self.socket.recv(patience))
        return json.loads(header), json.loads(parent), json.loads(content), buffers

    def say(self, *message, **more):
        """Send a message, wait until the kernel has handled it, and return the (kind, content) of each reply."""
        message_id, said = self.post(*message, **more), []
        while True:
            header, parent, content, _ = self.heard()
            if parent.get("msg_id") == message_id:
                said.append((header["msg_type"], content))
                if said[-1] == ("status", {"execution_state": "idle"}):
                    return said

    def reply(self, *message):
        """The kernel's reply to a Jupyter request. Unlike those that `say` returns, it may come after `idle`."""
        message_id = self.post(*message)
        while True:
            header, parent, content, _ = self.heard()
            if parent.get("msg_id") == message_id and header["msg_type"].endswith("_reply"):
                return content

    def request(self, request, buffers=()):
        """The dashboard's replies to one message: one or none."""
        said = self.say("comm_msg", self.custom(request), buffers)
        return [content["data"]["content"] for kind, content in said if kind == "comm_msg"]

    def custom(self, request):
        return {"comm_id": self.dashboard, "data": {"method": "custom", "content": request}}

    def ask(self, photo):
        """The reply to a photo, sent as the page sends it."""
        request = {"id": uuid4().int % 2**52, "size": len(photo), "shown": True}
        for start in range(0, len(photo), PART):
            (reply,) = self.request(request, [photo[start : start + PART]])
        return reply

    def widgets(self):
        """The state of every widget in the kernel, by id."""
        comm = uuid4().hex
        self.say("comm_open", {"comm_id": comm, "target_name": CONTROL, "data": {}}, metadata={"version": "1.0.0"})
        said = self.say("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        self.say("comm_close", {"comm_id": comm, "data": {}})
        return next(content["data"]["states"] for kind, content in said if kind == "comm_msg")

    def is_answered(self):
        """Whether a good photo gets an answer, over a new websocket if the server has closed the last.

        As long as the kernel has work from before, the server may close that, too.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(ConnectionClosed):
                if self.closed:
                    self.connect()
                return "prediction" in self.ask(photo())
            time.sleep(0.2)
        return False


def photo():
    file = io.BytesIO()
    Image.new("RGB", (300, 400), "red").save(file, "JPEG")
    return file.getvalue()


def requests_out_of_shape(visitor):
    """Each malformed request gets one sentence, or no reply if it has no id; the kernel sends nothing else."""
    for number in (None, True, -1, 2**53, 0.5, float("nan"), "1", LONG, [1], {"a": 1}):
        yield not visitor.request({"id": number, "size": 1}, [b"x"])
        yield is_error(visitor.request({"id": 1, "size": number}, [b"too much"]))
        yield is_error(visitor.request({"id": 1, "size": 0, "truth": "pizza", "about": number}))
        yield is_error(visitor.request({"id": 1, "size": 0, "truth": number, "about": 1}))
    for request in (None, [], "text", 7, {}, {"size": 1}, [[]] * 1000, {"id": {"id": {"id": 1}}}):
        yield not visitor.request(request)
    for value in (None, False, 1, LONG, [], {"a": 1}):
        yield is_error(visitor.request({"id": 1, "size": 0, "ping": value}))
        yield is_error(visitor.request({"id": 1, "size": 0, "qr": value}))
    for size in (MAX_BYTES + 1, 2**52, 10**4000):
        yield is_error(visitor.request({"id": 1, "size": size}, [b"x"]))
    yield is_error(visitor.request({"id": 1}, [b"x"]))
    yield is_error(visitor.request({"id": 1, "size": 3}, [b"ab"] * 500))
    yield is_error(visitor.request({"id": 1, "size": 0}))
    yield is_error(visitor.request({"id": 1, "size": 4, "shown": [LONG]}, [b"text"]))
    for data in (
        None,
        [],
        "custom",
        {},
        {"method": None},
        {"method": []},
        {"method": "backbone"},
        {"method": "custom"},
    ):
        said = visitor.say("comm_msg", {"comm_id": visitor.dashboard, "data": data})
        yield [kind for kind, _ in said] == ["status", "status"]


def is_error(replies):
    return [set(reply) - {"code", "values"} for reply in replies] == [{"id", "error"}]


def uploads_that_never_end(visitor):
    """More uploads than a kernel may hold: many begun, some nearly done, in any order. Each part gets its receipt."""
    for number in range(visitor.many):
        (reply,) = visitor.request({"id": number, "size": MAX_BYTES}, [bytes(PART)])
        yield reply == {"id": number, "received": PART}
    parts = (MAX_BYTES - 1) // PART
    for number in range(visitor.many // 400):
        for _ in range(parts):
            (reply,) = visitor.request({"id": 2**40 + number, "size": MAX_BYTES}, [bytes(PART)])
        yield reply["received"] == parts * PART
    for number in range(200):
        yield len(visitor.request({"id": number % 7, "size": 2 + number % 5}, [b"x"])) == 1


def changes_of_state(visitor):
    """A page tries to change the widget's state, which must stay the same."""
    before = visitor.widgets()[visitor.dashboard]
    for name in before["state"]:
        for value in (LONG, 10**9, None, [[LONG]], {"a": 1}):
            data = {"method": "update", "state": {name: value}, "buffer_paths": [[name]]}
            yield not failed(
                visitor.say("comm_msg", {"comm_id": visitor.dashboard, "data": data}, buffers=[bytes(1000)])
            )
    yield visitor.widgets()[visitor.dashboard] == before


def failed(said):
    """Whether the kernel has sent the page an error."""
    return any(kind == "error" for kind, _ in said)


def comms_of_its_own(visitor):
    """A page can't create widgets, nor open any channel but the one that ipywidgets needs, and that one only once."""
    before, version = set(visitor.widgets()), {"version": "2.1.0"}
    names = ["_model_module", "_model_module_version", "_model_name"]
    names += ["_view_module", "_view_module_version", "_view_name"]
    for key, _ in _registry.items():
        data = {"state": dict(zip(names, key, strict=True)), "buffer_paths": []}
        comm = {"comm_id": uuid4().hex, "target_name": WIDGETS, "data": data}
        yield not failed(visitor.say("comm_open", comm, metadata=version))
    yield set(visitor.widgets()) == before
    for number in range(visitor.many // 10):
        for target in (CONTROL, "os.system", LONG):
            comm = {"comm_id": f"{number}-{LONG}", "target_name": target, "data": {}}
            yield not failed(visitor.say("comm_open", comm, metadata={"version": "1.0.0"}))
        visitor.say("comm_msg", {"comm_id": f"nobody-{LONG}", "data": {}})
        visitor.say("comm_close", {"comm_id": f"nobody-{LONG}", "data": {}})
    yield len(visitor.reply("comm_info_request", {})["comms"]) <= len(before) + 1


def states_asked_and_not_read(visitor):
    """If a page doesn't read its replies, the server queues a few megabytes and then closes the websocket."""
    data = {"comm_id": visitor.dashboard, "data": {"method": "request_state"}}
    with suppress(ConnectionClosed):
        for _ in range(600):  # 24 MB of answers
            visitor.post("comm_msg", data)
            time.sleep(0.01)
    yield visitor.closed is not None


def messages_in_a_flood(visitor):
    """As many messages as the network takes, without waiting for the kernel. The last ones never reach it."""
    with suppress(ConnectionClosed):
        for number in range(visitor.many):
            visitor.post("comm_msg", visitor.custom({"id": number, "size": MAX_BYTES}), [bytes(PART)])
        while True:
            visitor.heard()
    yield visitor.closed == 1008


def messages_no_page_may_send(visitor):
    """No message runs code in the kernel, whatever its type or channel."""
    kinds = ["execute_request", "input_reply", "complete_request", "inspect_request", "history_request"]
    kinds += ["debug_request", "create_subshell_request", "interrupt_request", "is_complete_request", "usage_request"]
    code = {"code": "import os; os._exit(1)", "silent": False, "cursor_pos": 3, "value": "os._exit(1)"}
    for kind in kinds:
        for channel in ("shell", "control", "stdin", "iopub"):
            yield is_refused(visitor, lambda kind=kind, channel=channel: visitor.post(kind, code, channel=channel))
    for channel in ("control", "stdin", "iopub", "", "no such"):
        yield is_refused(visitor, lambda channel=channel: visitor.post("kernel_info_request", {}, channel=channel))


def frames_out_of_shape(visitor):
    """Frames that are not messages, or that claim to have millions of parts."""
    good = serialize_msg_to_ws_v1([b"{}"] * 4, "shell")
    frames = [b"", b"\0", b"x" * 1000, bytes(8), bytes(1000), good, good[:40], good[:8], "text", "{}", "[" * 10_000]
    frames += [count.to_bytes(8, "little") + good[8:] for count in (0, 1, 2, 3, 2**22, 2**40, 2**63)]
    frames += [serialize_msg_to_ws_v1([b"[" * 50_000] * 4, "shell"), serialize_msg_to_ws_v1([b"null"] * 4, "shell")]
    for frame in frames:
        yield is_refused(visitor, lambda frame=frame: visitor.socket.send(frame))
    for header in ({"msg_id": LONG}, {"msg_id": None}, {"msg_id": 1}, {"msg_id": []}, {"msg_type": []}):
        yield is_refused(visitor, lambda header=header: visitor.post("kernel_info_request", {}, **header))


def headers_out_of_shape(visitor):
    """The kernel refuses malformed headers, or ignores them."""
    for name in ("subshell_id", "session", "username", "date", "version"):
        for value in (None, LONG, 7, [], {}, float("nan")):
            visitor.post("comm_info_request", {}, **{name: value})
            yield True
    for content in ([], None, {"comm_id": []}, {"comm_id": None, "data": None}, {"comm_id": "é", "target_name": "x"}):
        for kind in ("comm_open", "comm_msg", "comm_close"):
            visitor.post(kind, content)
            yield True
        time.sleep(0.1)


def messages_too_large(visitor):
    """A message of 11 MiB, more than either server accepts."""
    yield is_refused(
        visitor, lambda: visitor.post("comm_msg", {"comm_id": "x", "data": {}}, [bytes(11 * 2**20)]), 1006, 1009
    )


def is_refused(visitor, act, *codes):
    """Whether the server closes the websocket. Afterwards the visitor has a new one."""
    with suppress(ConnectionClosed):
        act()
        while True:
            visitor.heard(PATIENCE)
    refused = visitor.closed
    visitor.connect()
    return refused in (codes or [1008])


TO_ANY_SERVER = [
    requests_out_of_shape,
    uploads_that_never_end,
    changes_of_state,
    comms_of_its_own,
    messages_too_large,
]
TO_OURS = [
    *TO_ANY_SERVER,
    states_asked_and_not_read,
    messages_in_a_flood,
    messages_no_page_may_send,
    frames_out_of_shape,
    headers_out_of_shape,
]


def run(server, kinds=TO_OURS, many=MANY):
    """A `Row` for each kind of misuse of a `Server` (tests/conftest.py), each by its own visitor.

    A good photo that gets no answer afterwards also counts as `wrong`. `megabytes` is how much the server and the
    kernel grew together.
    """
    for kind in kinds:
        visitor = Visitor(server.url, many)
        tried = wrong = 0
        seconds = 0.0
        assert visitor.is_answered()
        processes = server.process, kernel_of(server, visitor)
        before = resident(processes)
        with peak(lambda processes=processes: resident(processes), SAMPLE_EVERY_S) as most:
            start = time.perf_counter()
            for right in kind(visitor):
                seconds = max(seconds, time.perf_counter() - start)
                tried, wrong = tried + 1, wrong + (not right)
                start = time.perf_counter()
            wrong += not visitor.is_answered()
        visitor.leave()
        yield Row(kind.__name__.replace("_", " "), tried, wrong, seconds, (most() - before) / 1e6)


def kernel_of(server, visitor):
    return next(kernel for kernel in server.kernels if visitor.kernel_id in " ".join(kernel.cmdline()))


def resident(processes):
    """Resident memory of the processes together, in bytes; 0 once one has ended."""
    with suppress(psutil.NoSuchProcess):
        return sum(process.memory_info().rss for process in processes)
    return 0
