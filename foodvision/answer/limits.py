"""What reading one photo may cost."""

import io
from time import thread_time

from .refusals import TOO_SLOW, PhotoError

# No file of 30 MB (`MAX_BYTES` in page/assets.py) costs more than these to become a picture or a sentence;
# `python -m tests.reliability.files` tries both.
MAX_SECONDS = 10  # of processor time
MAX_MEGABYTES = 900  # besides the file's own

MAX_PIXELS = 50_000_000  # of a decoded picture
LARGE_PIXELS = 12_000_000  # most phones' photos; what is larger is reduced as soon as it is decoded
MAX_FILE_BYTES = 300_000_000  # MAX_PIXELS of uncompressed 16-bit RGB
DECODER_TIMEOUT_S, MAX_READS = MAX_SECONDS / 2, 1_000_000  # after either a decoder gets no more of the file


class RationedFile(io.BytesIO):
    """A file in memory that stops slow decoders: whatever loops over the parts of a file reads at every turn."""

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        super().__init__(content)
        self._reads, self._deadline = 0, thread_time() + DECODER_TIMEOUT_S

    def read(self, size: int | None = -1) -> bytes:
        """Bytes of the file. Raises PhotoError once they have run out of time or turns."""
        self._reads += 1
        if self._reads > MAX_READS or thread_time() > self._deadline:
            raise PhotoError(TOO_SLOW)
        return super().read(size)
