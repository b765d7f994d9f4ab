"""What is thrown at FoodVision to see whether it holds: files, messages, model files, crowds.

Each module makes its own inputs and has `run`, which yields a `Row` for each kind of them.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


@dataclass
class Row:
    """What came of one kind of input: how many were `tried`, how many got a `wrong` answer or none.

    `seconds` is the longest time that one took, `megabytes` by how much memory grew at most.
    """

    kind: str
    tried: int
    wrong: int
    seconds: float
    megabytes: float
    note: str = ""


def run_async(coroutine: Coroutine) -> Any:
    """The result of a coroutine, run in its own thread: in the main thread Playwright's event loop may be running."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
