"""Memory of a server and all the processes it has started."""

import asyncio
import threading
import time
from collections import namedtuple
from contextlib import contextmanager

import psutil

Memory = namedtuple("Memory", "resident proportional own")  # bytes


def tree(process):
    """A `psutil.Process` and its descendants."""
    return [process, *process.children(recursive=True)]


def memory(process):
    """Total `Memory` of a process and its descendants, in bytes.

    Resident (RSS) counts shared pages once per process, proportional (PSS) splits them among processes, and own (USS)
    leaves them out. The proportional total is what a container is charged for.
    """
    found = [used for one in tree(process) if (used := _memory_full_info(one))]
    return Memory(sum(one.rss for one in found), sum(one.pss for one in found), sum(one.uss for one in found))


@contextmanager
def peak(measure, interval_s):
    """Measure repeatedly while the block runs; gives a function that returns the largest value so far."""
    most, over = [measure()], threading.Event()

    def watch():
        while not over.wait(interval_s):
            most[0] = max(most[0], measure())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        watcher.join()


async def settled(process, patience=60, quiet=2.0, busy=0.1):
    """Wait until no process starts, ends or works for `quiet` seconds, or until `patience` seconds have passed."""
    deadline = time.monotonic() + patience
    before = {}
    while time.monotonic() < deadline:
        after = {one.pid: used for one in tree(process) if (used := _cpu_seconds(one)) is not None}
        spent = sum(after.values()) - sum(before.values())
        if before.keys() == after.keys() and spent < busy * quiet and not any(map(_is_running, tree(process))):
            return
        before = after
        await asyncio.sleep(quiet)


def _is_running(process):
    """Whether it wants to run; on a busy machine it may wait a second for a core."""
    try:
        return process.status() in (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)
    except psutil.NoSuchProcess:
        return False


def _memory_full_info(process):
    try:
        return process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _cpu_seconds(process):
    try:
        times = process.cpu_times()
        return times.user + times.system
    except psutil.NoSuchProcess:
        return None
