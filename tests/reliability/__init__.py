"""Reliability tests: hostile files, messages and model files, crowds and faults.

Each module makes its own inputs and has a `run` that yields a `Row` for each kind.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Row:
    """The result for one kind of input: how many were `tried`, and how many got a `wrong` answer or none.

    `seconds` is the longest time for one input, `megabytes` the most that memory grew, or None if nobody looked.
    """

    kind: str
    tried: int
    wrong: int
    seconds: float
    megabytes: float | None
    note: str = ""


@contextmanager
def peak(measure: Callable[[], float], interval_s: float) -> Iterator[Callable[[], float]]:
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


def run_async(coroutine: Coroutine) -> Any:
    """The result of a coroutine, run in its own thread: in the main thread Playwright's event loop may be running."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
