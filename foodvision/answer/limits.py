"""Limits on the time and memory that reading one photo may take."""

import io
from time import thread_time

from .refusals import TOO_SLOW, PhotoError

# Whether it can be read or not, a file of up to 30 MB (`MAX_BYTES` in page/assets.py) takes no more than this.
# `python -m tests.reliability.files` checks it.
MAX_SECONDS = 10  # of CPU time
MAX_MEGABYTES = 900  # besides the file itself

MAX_PIXELS = 50_000_000  # of a decoded picture
LARGE_PIXELS = 12_000_000  # as most phones take; larger photos are reduced as soon as they are decoded
MAX_FILE_BYTES = 300_000_000  # MAX_PIXELS of uncompressed 16-bit RGB
DECODER_TIMEOUT_S, MAX_READS = MAX_SECONDS / 2, 1_000_000  # after either, a decoder can't read any more of the file


class RationedFile(io.BytesIO):
    """An in-memory file that stops slow decoders: one that loops over the parts of a file reads in every iteration."""

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        super().__init__(content)
        self._reads, self._deadline = 0, thread_time() + DECODER_TIMEOUT_S

    def read(self, size: int | None = -1) -> bytes:
        """Read bytes, as any file does. Raises PhotoError once the decoder has used up its time or reads."""
        self._reads += 1
        if self._reads > MAX_READS or thread_time() > self._deadline:
            raise PhotoError(TOO_SLOW)
        return super().read(size)
