"""Many visitors at once, many one after another, and faults while they are there: kernel, server and disk.

A visitor does what a browser does: opens the page, sends a photo in the same chunks as the page, reads the answer and
closes the tab. Everyone sends a different photo, and an answer is right if it matches the model's for that photo.
"""

import io
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from websockets.exceptions import ConnectionClosed

from benchmarks.memory import memory, peak, settled
from foodvision import Classifier
from foodvision.answer.photo import read_photo
from foodvision.page.assets import SHORT_SIDE
from foodvision.page.feedback import SETTING, Feedback
from foodvision.page.server import pool_size

from . import Row, run_async
from .messages import PATIENCE, Visitor, kernel_of

ROOT = Path(__file__).parent.parent.parent
MARGIN = 5e6  # bytes by which a warmed-up server may grow, however many the sessions
TOLERANCE = 1e-3  # of a probability: threads sum in any order
SAMPLE_EVERY_S = 2  # reading the memory of many processes takes a while
CROWD, SOAK, KEPT = "visitors at once", "sessions, opened and closed", "verdicts kept through faults"


@dataclass(frozen=True)
class Visit:
    """Whether the answer was right, the seconds until the page was open, and from the photo to the answer."""

    right: bool = False
    opening: float = 0.0
    answering: float = 0.0

    @property
    def seconds(self):
        return self.opening + self.answering


def draw(number):
    """Bytes of a JPEG, different for each number."""
    colours = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).resize((SHORT_SIDE, SHORT_SIDE)).save(file, "JPEG")
    return file.getvalue()


def drawn(count):
    """So many photos, each with its correct probabilities."""
    classifier = Classifier()
    for photo in map(draw, range(count)):
        yield photo, classifier.predict(read_photo(photo, at_least=SHORT_SIDE)).probabilities


def is_right(reply, probabilities, tolerance=TOLERANCE):
    said = reply.get("prediction", {}).get("probabilities", {})
    return said.keys() == probabilities.keys() and all(
        abs(said[name] - probabilities[name]) < tolerance for name in said
    )


def visit(url, photo, probabilities, stay=lambda: None):
    """One visitor's `Visit`; they stay until `stay` returns. Errors go to stderr."""
    try:
        try:
            start = time.perf_counter()
            visitor = Visitor(url)
            opened = time.perf_counter()
            reply = visitor.ask(photo)
            answered = time.perf_counter()
        finally:
            stay()
        visitor.leave()
    except Exception as error:  # whatever happened, this visitor got no answer
        print(f"A visitor got no answer: {error!r}", file=sys.stderr)
        return Visit()
    return Visit(is_right(reply, probabilities), opened - start, answered - opened)


def crowd(server, visitors=60, within=60):
    """`Row` of visitors who arrive within so many seconds and all stay until the last one is answered.

    `megabytes` is how much the server and all its kernels grew in total, with shared pages counted once.
    """
    photos = list(drawn(visitors))
    gathered = threading.Barrier(visitors)

    def come(number):
        time.sleep(within * number / visitors)
        return visit(server.url, *photos[number], gathered.wait)

    before = memory(server.process).proportional
    measuring = peak(lambda: memory(server.process).proportional, SAMPLE_EVERY_S)
    with measuring as most, ThreadPoolExecutor(visitors) as pool:
        visits = list(pool.map(come, range(visitors)))
    note = (
        f"within {within:.0f} s; slowest page {max(one.opening for one in visits):.1f} s, "
        f"slowest answer {max(one.answering for one in visits):.1f} s; {most() / 1e6:.0f} MB in total"
    )
    return Row(CROWD, visitors, _wrong(visits), _longest(visits), (most() - before) / 1e6, note)


def soak(serve, sessions, at_once=4, warm_up=200, margin=MARGIN):
    """`Row` of sessions, so many at once, after a warm-up. `megabytes` is how much the server's unshared memory grew.

    `wrong` counts sessions without the right answer, leftover kernels other than the preheated ones, leftover files in
    the folders for temporary and connection files, and growth above `margin`.
    """
    with tempfile.TemporaryDirectory() as folder:
        with serve(TMPDIR=folder, JUPYTER_RUNTIME_DIR=folder) as server:
            _sessions(server, warm_up, at_once)
            _kernels_left(server)
            before, files = own_memory(server), _files_left(server, folder)
            visits = _sessions(server, sessions, at_once)
            kernels = _kernels_left(server)
            after, files = own_memory(server), _files_left(server, folder) - files
        files |= {path for path in Path(folder).rglob("*") if path.is_file()}
    for path in files:
        print(f"Leftover file: {path.relative_to(folder)}", file=sys.stderr)
    growth = after - before
    note = (
        f"{at_once} at once, after {warm_up} to warm up; "
        f"the server's unshared memory was {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after; "
        f"leftover kernels: {kernels}, leftover files: {len(files)}"
    )
    wrong = _wrong(visits) + kernels + len(files) + (growth > margin)
    return Row(SOAK, sessions, wrong, _longest(visits), growth / 1e6, note)


def _sessions(server, count, at_once):
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda photo: visit(server.url, *photo), list(drawn(count))))


def _wrong(visits):
    return sum(not one.right for one in visits)


def _longest(visits):
    return max(one.seconds for one in visits)


def own_memory(server):
    """The server process's unshared memory (USS), in bytes."""
    return server.process.memory_full_info().uss


def _kernels_left(server):
    """Number of kernels besides the preheated ones, once everything is idle."""
    _until(lambda: len(server.kernels) == pool_size())
    run_async(settled(server.process, patience=20))
    return len(server.kernels) - pool_size()


def _files_left(server, folder):
    """Files in the folder other than connection files of running kernels."""
    in_use = {argument for kernel in server.kernels for argument in kernel.cmdline()}
    return {path for path in Path(folder).rglob("*") if path.is_file() and str(path) not in in_use}


def _until(condition):
    """Wait for a condition; returns whether it came true within `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


# Faults. Each breaks something while a visitor's verdict is on its way, and returns whether the visitor noticed.


def kernel_killed(server, visitor, verdict):
    kernel = kernel_of(server, visitor)
    kernel.suspend()  # otherwise the answer might come first
    visitor.post("comm_msg", *verdict)
    kernel.kill()
    return notices(visitor)


def server_stopped(server, visitor, verdict):
    visitor.post("comm_msg", *verdict)
    return restart(server, signal.SIGTERM) and notices(visitor)


def server_killed(server, visitor, verdict):
    visitor.post("comm_msg", *verdict)
    return restart(server, signal.SIGKILL) and notices(visitor)


def disk_full(server, visitor, verdict):
    """The kernel can't make any file larger; the visitor sees an apology."""
    kernel = kernel_of(server, visitor)
    _, most = kernel.rlimit(psutil.RLIMIT_FSIZE)
    kernel.rlimit(psutil.RLIMIT_FSIZE, (4096, most))
    said = visitor.say("comm_msg", *verdict)
    kernel.rlimit(psutil.RLIMIT_FSIZE, (most, most))
    return any("error" in content["data"]["content"] for kind, content in said if kind == "comm_msg")


FAULTS = {
    "kernel killed during an answer": kernel_killed,
    "server restarted while a page is open": server_stopped,
    "server killed and restarted while a page is open": server_killed,
    "disk full while a verdict is saved": disk_full,
}


def notices(visitor):
    """Whether the server tells a visitor that the kernel is gone, or closes the websocket."""
    with suppress(TimeoutError):
        try:
            while True:
                header, _, content, _ = visitor.heard()
                if header["msg_type"] == "status" and content["execution_state"] in ("restarting", "dead"):
                    return True
        except ConnectionClosed:
            return True
    return False


def restart(server, how):
    """Stop the server with a signal and restart it on the same port; returns whether its kernels ended too."""
    command, environment, kernels = server.process.cmdline(), server.process.environ(), server.kernels
    server.process.send_signal(how)
    server.process.wait(PATIENCE)
    ended = _until(lambda: not any(map(_is_alive, kernels)))
    again = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server.process = psutil.Process(again.pid)
    return ended


def _is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def faults(serve, times=5):
    """`Row` of each fault, injected so many times, and one of the verdicts that were acknowledged meanwhile.

    A fault is survived if the visitor notices and a new session gets the right answer. `seconds` is the longest time
    from a fault to that answer. A verdict is lost if it is missing from the file or its photo is incomplete.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.db"
        with serve(**{SETTING: str(path)}) as server:
            try:
                thanked = 0
                for kind, inject in FAULTS.items():
                    results = [_survives(server, inject) for _ in range(times)]
                    thanked += sum(kept for _, kept, _ in results)
                    wrong = sum(not survived for survived, _, _ in results)
                    yield Row(kind, times, wrong, max(seconds for _, _, seconds in results), 0.0)
            finally:
                server.process.terminate()
                server.process.wait(PATIENCE)
        kept = _whole(path)
        yield Row(KEPT, thanked, max(0, thanked - kept), 0.0, 0.0, f"{kept} in the file, each with its photo")


def _survives(server, inject):
    """(survived, number of acknowledged verdicts, seconds until the next answer) for one fault."""
    ((photo, probabilities),) = drawn(1)
    visitor = _open(server)
    about = visitor.ask(photo)["id"]
    kept = _thanked(visitor, photo, about)
    start = time.perf_counter()
    noticed = inject(server, visitor, (visitor.custom(_verdict(photo, about)), [photo]))
    after = _open(server)
    reply = after.ask(photo)
    seconds = time.perf_counter() - start
    kept += _thanked(after, photo, reply["id"])
    with suppress(OSError):  # the first visitor's kernel may have ended with the server
        visitor.leave()
    after.leave()
    return noticed and is_right(reply, probabilities), kept, seconds


def _verdict(photo, about):
    return {"id": about + 1, "size": len(photo), "about": about, "truth": "pizza"}


def _thanked(visitor, photo, about):
    (reply,) = visitor.request(_verdict(photo, about), [photo])
    return "photo_kept" in reply


def _open(server):
    """A visitor, who keeps trying until the server listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Visitor(server.url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _whole(path):
    """Number of verdicts in a feedback file that have a readable photo; 0 if the file is damaged."""
    with closing(sqlite3.connect(path)) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return 0
    feedback = Feedback(path)
    photos = [feedback.photo(verdict["key"]) for verdict in feedback.verdicts()]
    return sum(read_photo(photo).size == (SHORT_SIDE, SHORT_SIDE) for photo in photos)


def run(serve, visitors, sessions):
    """A `Row` each for the crowd, the sessions, every fault and the verdicts.

    `serve(**environment)` is a context manager that gives a `Server`.
    """
    with serve() as server:
        yield crowd(server, visitors)
    yield soak(serve, sessions)
    yield from faults(serve)
