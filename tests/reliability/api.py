"""The API under attack: files, requests and connections that no client of ours sends."""

import http.client
import json
import socket
import sys
import time
from urllib.parse import urlsplit

from benchmarks.memory import peak
from foodvision.api.limits import MAX_BODY_BYTES

from . import Row
from .crowd import draw
from .files import KINDS

COMMAND = ["foodvision", "api"]
FILES = ("photos cut short", "files that are no photos", "bombs of time or memory")
CONNECTIONS = 500
PATIENCE = 120  # seconds
SAID = {400, 404, 405, 408, 411, 413, 415, 422, 429}  # statuses that a refusal may have
BODIES = (  # for every path
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"null", "application/json"),
    (b"[]", "application/json"),
    (b'{"inputs": 1}', "application/json"),
    (b'{"instances": "x"}', "application/json"),
    (b'{"instances": [{"b64": "!"}]}', "application/json"),
    (b'{"inputs": [{"name": "photos", "shape": [-1], "datatype": "BYTES", "data": [1]}]}', "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 100_000, "application/json"),
    (b"\xff" * 1000, "application/json"),
    (b"no boundary", "multipart/form-data"),
    (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\n" * 100_000, "multipart/form-data; boundary=x"),
    (b"text", "text/plain"),
    (b"text", "no/such; kind"),
)
PATHS = ("predict", "v1/models/foodvision:predict", "v2/models/foodvision/infer", "invocations", "", "no/such/path")
HALF = (
    b"",
    b"POST /predict HTT",
    b"POST /predict HTTP/1.1\r\nHost: x\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nabc",
)


def run(server):
    """`Row` of each kind; what went wrong goes to stderr."""
    _wait_until_ready(server)
    for kind in FILES:
        contents = (sample.make() for sample in KINDS[kind]())
        asked = ((content, "image/jpeg", "predict") for content in contents if len(content) <= MAX_BODY_BYTES)
        yield _requests(server, f"API: {kind}", asked)
    yield _requests(server, "API: requests out of shape", ((*body, path) for body in BODIES for path in PATHS))
    yield _connections(server)


def post(server, path, content, kind):
    """The status and the JSON of a response."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    try:
        connection.request("POST", f"/{path}", content, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _wait_until_ready(server):
    deadline = time.monotonic() + PATIENCE
    while post(server, "predict", draw(0), "image/jpeg")[0] == 503:
        assert time.monotonic() < deadline, "The API does not load its model."
        time.sleep(0.1)


def _requests(server, kind, asked):
    """Each must get an answer, or a sentence with a status that says whose fault it is."""
    tried, wrong, longest = 0, 0, 0.0
    before = server.process.memory_info().rss
    with peak(lambda: server.process.memory_info().rss, 0.05) as most:
        for content, mime, path in asked:
            start = time.perf_counter()
            problem = _problem(server, path, content, mime)
            longest = max(longest, time.perf_counter() - start)
            tried += 1
            if problem:
                wrong += 1
                print(f"{kind}: {path} {mime} {content[:40]!r}: {problem}", file=sys.stderr)
    return Row(kind, tried, wrong, longest, (most() - before) / 1e6)


def _problem(server, path, content, kind):
    try:
        status, answer = post(server, path, content, kind)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return repr(error)
    if status == 200 or (status in SAID and str(answer.get("error", "")).endswith(".")):
        return None
    return f"{status} {answer}"


def _connections(server):
    """Connections that say nothing or stop half-way: a photo sent beside them must be answered."""
    address = ("localhost", urlsplit(server.url).port)
    before = server.process.memory_info().rss
    held = [socket.create_connection(address, timeout=PATIENCE) for _ in range(CONNECTIONS)]
    try:
        for place, one in enumerate(held):
            one.sendall(HALF[place % len(HALF)])
        start = time.perf_counter()
        status, _ = post(server, "predict", draw(0), "image/jpeg")
        seconds = time.perf_counter() - start
        grown = server.process.memory_info().rss - before
    finally:
        for one in held:
            one.close()
    note = "open while a photo was answered"
    return Row("API: silent and half-open connections", CONNECTIONS, int(status != 200), seconds, grown / 1e6, note)
