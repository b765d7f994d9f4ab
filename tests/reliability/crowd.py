"""Many visitors at once, many after one another, and what breaks under them: a kernel, the server, the disk.

A visitor does what a browser does: opens the page, sends a photo in the page's own parts, reads the answer, closes the
tab. No two send the same photo, and an answer is right if it is what the model here says of that very photo.
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
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from websockets.exceptions import ConnectionClosed

from benchmarks.memory import memory, settled
from foodvision import Classifier
from foodvision.answer.photo import read_photo
from foodvision.page.assets import SHORT_SIDE
from foodvision.page.feedback import SETTING, Feedback
from foodvision.page.server import pool_size

from . import Row, run_async
from .messages import PATIENCE, Visitor, kernel_of

ROOT = Path(__file__).parent.parent.parent
MARGIN = 5e6  # bytes by which a server that is warm may have grown, however many sessions it was
TOLERANCE = 1e-3  # of a probability: threads add up in any order
SAMPLING = 2  # seconds between two looks at the memory of many processes, which takes a while
CROWD, SOAK, KEPT = "visitors at once", "sessions, opened and closed", "verdicts through the faults"


@dataclass(frozen=True)
class Visit:
    """Whether the answer was right, and seconds: until the page was there, and from the photo to the answer."""

    right: bool = False
    opening: float = 0.0
    answering: float = 0.0

    @property
    def seconds(self):
        return self.opening + self.answering


def draw(number):
    """Bytes of a JPEG that no other number has."""
    colours = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).resize((SHORT_SIDE, SHORT_SIDE)).save(file, "JPEG")
    return file.getvalue()


def drawn(count):
    """Photos, each with the probabilities that are the right answer."""
    classifier = Classifier()
    for photo in map(draw, range(count)):
        yield photo, classifier.predict(read_photo(photo, at_least=SHORT_SIDE)).probabilities


def is_right(reply, probabilities):
    said = reply.get("prediction", {}).get("probabilities", {})
    return said.keys() == probabilities.keys() and all(
        abs(said[name] - probabilities[name]) < TOLERANCE for name in said
    )


def visit(url, photo, probabilities, stay=lambda: None):
    """`Visit` of one visitor, who is there until `stay` returns. What goes wrong is told on stderr."""
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
    except Exception as error:  # whatever it is, this visitor got no answer
        print(f"A visitor got no answer: {error!r}", file=sys.stderr)
        return Visit()
    return Visit(is_right(reply, probabilities), opened - start, answered - opened)


def crowd(server, visitors=60, within=60):
    """`Row` of visitors who come within so many seconds, and are all there until the last is answered.

    `megabytes` is what the server and all its kernels grew by together, shared pages counted once.
    """
    photos = list(drawn(visitors))
    gathered = threading.Barrier(visitors)

    def come(number):
        time.sleep(within * number / visitors)
        return visit(server.url, *photos[number], gathered.wait)

    before = memory(server.process).proportional
    with peak(server.process) as most, ThreadPoolExecutor(visitors) as pool:
        visits = list(pool.map(come, range(visitors)))
    note = (
        f"within {within:.0f} s; the page took {max(one.opening for one in visits):.1f} s at most, "
        f"an answer {max(one.answering for one in visits):.1f} s; {most() / 1e6:.0f} MB in all"
    )
    return Row(CROWD, visitors, _wrong(visits), _longest(visits), (most() - before) / 1e6, note)


def soak(serve, sessions, at_once=4, warm_up=200, margin=MARGIN):
    """`Row` of sessions, so many at once, after a warm-up. `megabytes` is what the server's own memory grew by.

    `wrong` counts sessions without the right answer, kernels left besides the preheated ones, files left in the folders
    for temporary and connection files, and more growth than `margin`.
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
        print(f"A file is left: {path.relative_to(folder)}", file=sys.stderr)
    growth = after - before
    note = (
        f"{at_once} at once, after {warm_up} to warm up; "
        f"the server had {before / 1e6:.0f} MB of its own before, {after / 1e6:.0f} MB after; "
        f"kernels left: {kernels}, files left: {len(files)}"
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
    """Bytes that the server's process shares with no other."""
    return server.process.memory_full_info().uss


def _kernels_left(server):
    """How many kernels there are besides the preheated ones, once all is quiet."""
    _until(lambda: len(server.kernels) == pool_size())
    run_async(settled(server.process, patience=20))
    return len(server.kernels) - pool_size()


def _files_left(server, folder):
    """Files in the folder that are no kernel's connection file."""
    in_use = {argument for kernel in server.kernels for argument in kernel.cmdline()}
    return {path for path in Path(folder).rglob("*") if path.is_file() and str(path) not in in_use}


def _until(condition):
    """Whether it came true before patience ended."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def peak(process):
    """Gives a function: bytes that a process and its descendants had at most, all together, while the block ran."""
    most, over = [memory(process).proportional], threading.Event()

    def watch():
        while not over.wait(SAMPLING):
            most[0] = max(most[0], memory(process).proportional)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        watcher.join()


# Faults. Each breaks something under a visitor whose verdict is on its way, and tells whether the visitor noticed.


def kernel_killed(server, visitor, verdict):
    kernel = kernel_of(server, visitor)
    kernel.suspend()  # or else the answer might be quicker
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
    """No file of the kernel may grow: the visitor reads an apology."""
    kernel = kernel_of(server, visitor)
    _, most = kernel.rlimit(psutil.RLIMIT_FSIZE)
    kernel.rlimit(psutil.RLIMIT_FSIZE, (4096, most))
    said = visitor.say("comm_msg", *verdict)
    kernel.rlimit(psutil.RLIMIT_FSIZE, (most, most))
    return any("error" in content["data"]["content"] for kind, content in said if kind == "comm_msg")


FAULTS = {
    "kernel killed in the middle of an answer": kernel_killed,
    "server stopped and started under an open page": server_stopped,
    "server killed and started under an open page": server_killed,
    "disk full while a verdict is written": disk_full,
}


def notices(visitor):
    """Whether the server tells a visitor that the kernel has gone, or ends the websocket."""
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
    """End the server by a signal and start it anew, at the same port; returns whether its kernels ended with it."""
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
    """`Row` of each fault, injected so many times, and one of the verdicts that visitors were thanked for meanwhile.

    A fault is survived if the visitor notices and a new session gets the right answer. `seconds` is the longest time
    from the fault to that answer. A verdict is lost if it is not in the file afterwards, or its photo is not whole.
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
    """Whether one fault was survived, how many verdicts its visitors were thanked for, and seconds until an answer."""
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
    with suppress(OSError):  # the first visitor's kernel may have gone with the server
        visitor.leave()
    after.leave()
    return noticed and is_right(reply, probabilities), kept, seconds


def _verdict(photo, about):
    return {"id": about + 1, "size": len(photo), "about": about, "truth": "pizza"}


def _thanked(visitor, photo, about):
    (reply,) = visitor.request(_verdict(photo, about), [photo])
    return "photo_kept" in reply


def _open(server):
    """A visitor, as soon as the server listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Visitor(server.url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _whole(path):
    """How many verdicts of a feedback file are there with a photo that can be read; 0 if the file is damaged."""
    with closing(sqlite3.connect(path)) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return 0
    feedback = Feedback(path)
    photos = [feedback.photo(verdict["key"]) for verdict in feedback.verdicts()]
    return sum(read_photo(photo).size == (SHORT_SIDE, SHORT_SIDE) for photo in photos)


def run(serve, visitors, sessions):
    """A `Row` for a crowd, a soak, each fault, the verdicts; `serve(**environment)` gives a context of a `Server`."""
    with serve() as server:
        yield crowd(server, visitors)
    yield soak(serve, sessions)
    yield from faults(serve)
