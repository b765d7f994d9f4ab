"""The one function behind every contract: a photo's bytes to a `Prediction`, in a queue of bounded length."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..answer.classifier import Classifier
from ..answer.machine import cores, memory
from ..answer.photo import PhotoError
from ..answer.prediction import Prediction
from ..answer.refusals import TOO_MANY_BYTES
from .errors import BUSY, LOADING, ApiError
from .limits import BYTES_PER_WORKER, MAX_PHOTO_BYTES, MAX_RETRY_AFTER_S, MAX_WAITING
from .observe import answers

Result = TypeVar("Result")


def worker_count() -> int:
    """Photos to look at side by side: one for each core, but no more than fit into a small container."""
    return int(max(1, min(cores(), memory() // BYTES_PER_WORKER)))


class Answering:
    """A model, loaded in the background, and the threads that answer photos with it.

    Photos aren't batched: on a CPU, that costs time and memory. Each is answered on one core, which takes least CPU.
    """

    def __init__(self, model: Path, workers: int | None = None, max_waiting: int = MAX_WAITING) -> None:
        self.model, self.max_waiting = model, max_waiting
        self.workers = workers or worker_count()
        self.classifier: Classifier | None = None
        self.waiting = 0  # photos that were accepted and aren't answered yet
        self._mean_s = 0.05  # for a photo
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="answering")

    async def load(self) -> None:
        """Load the model. Raises ModelError."""
        loop = asyncio.get_running_loop()
        self.classifier = await loop.run_in_executor(self._pool, lambda: Classifier(self.model, threads=1))

    def close(self) -> None:
        """Stop once the photos in progress are answered."""
        self._pool.shutdown(cancel_futures=True)

    def ready(self) -> Classifier:
        """The model. Raises ApiError while it is loading."""
        if self.classifier is None:
            raise ApiError(503, LOADING, {"Retry-After": "1"})
        return self.classifier

    async def answer(self, photo: bytes) -> Prediction:
        """The prediction for a photo's bytes. Raises PhotoError, ModelError, and ApiError if it can't be taken now."""
        if len(photo) > MAX_PHOTO_BYTES:
            raise PhotoError(TOO_MANY_BYTES)
        prediction = await self.run(self.ready().predict, photo)
        answers.get([]).append(prediction)
        self._mean_s += (prediction.seconds - self._mean_s) / 16
        return prediction

    async def run(self, work: Callable[[bytes], Result], photo: bytes) -> Result:
        """Do some work on a photo in a thread. Raises ApiError if too many photos are waiting."""
        if self.waiting >= self.max_waiting:
            raise ApiError(429, BUSY, {"Retry-After": str(self.retry_after_s())})
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, photo)
        finally:
            self.waiting -= 1

    def retry_after_s(self) -> int:
        """Seconds until half of those waiting are likely to have their answers."""
        return max(1, min(MAX_RETRY_AFTER_S, math.ceil(self.waiting * self._mean_s / self.workers / 2)))
