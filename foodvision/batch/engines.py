"""What answers a folder's photos: threads, Dask processes on this machine, or a Dask cluster."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from typing import Any

from ..answer.machine import cores
from .tables import INSTALL, FolderError, Row

PHOTOS_PER_TASK = 16  # a fraction of a second, much longer than it takes to submit a task
FREE_PORT = ":0"  # for Dask's status page
CLUSTER_TIMEOUT_S = 20
IGNORE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # in workers, which the main process ends

Submit = Callable[..., Any]  # like Executor.submit


def in_order(
    submit: Submit, task: Callable[[list[str]], list[Row]], names: Iterator[str], max_tasks: int
) -> Generator[Row, None, None]:
    """The rows that `task` gives for the names, in order, with at most `max_tasks` tasks submitted at a time."""
    waiting: deque = deque()
    try:
        while batch := list(islice(names, PHOTOS_PER_TASK)):
            waiting.append(submit(task, batch))
            if len(waiting) == max_tasks:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def engine(workers: int | None, scheduler: str | None) -> Iterator[tuple[Submit, int]]:
    """A function that submits a task and returns its future, and the number of tasks that run at once."""
    if workers or scheduler:
        with _dask(workers, scheduler) as (submit, slots):
            yield submit, slots
    else:
        threads = cores()
        with ThreadPoolExecutor(threads) as pool:
            yield pool.submit, threads


@contextmanager
def _dask(workers: int | None, scheduler: str | None) -> Iterator[tuple[Submit, int]]:
    try:
        from distributed import CancelledError, Client, KilledWorker, LocalCluster
    except ImportError as error:
        raise FolderError(f"Dask isn't installed here. {INSTALL}") from error
    with ExitStack() as stack:
        address = scheduler
        try:
            if workers:
                settings = {"threads_per_worker": max(1, cores() // workers), "dashboard_address": FREE_PORT}
                address = stack.enter_context(LocalCluster(n_workers=workers, preload=IGNORE_CTRL_C, **settings))
            client = stack.enter_context(Client(address, timeout=CLUSTER_TIMEOUT_S))
            client.wait_for_workers(1, timeout=CLUSTER_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise FolderError(_no_worker(scheduler)) from error
        try:
            yield partial(client.submit, pure=False), sum(client.nthreads().values())
        except (CancelledError, ImportError, KilledWorker) as error:
            raise FolderError(f"The Dask cluster gave up: {error}. Run the same command to resume.") from error


def _no_worker(scheduler: str | None) -> str:
    if scheduler:
        return f"No Dask worker answers at {scheduler}. Is the cluster running there?"
    return f"No Dask process started within {CLUSTER_TIMEOUT_S} s. Try fewer --workers, or none: threads need no Dask."
