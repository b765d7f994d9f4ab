"""Standard output and error: any encoding, and readers that stop reading."""

import errno
import os
import sys
from collections.abc import Callable

PIPE_CLOSED = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def speak_utf8() -> None:
    """Make every file name printable: Windows redirects output in an encoding that lacks most characters."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def quiet_if_nobody_reads(run: Callable[[], int]) -> int:
    """Return what `run` returns, or 1 if the reader of its output has gone, as `head` does, or the disk is full."""
    try:
        status = run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if error.errno in DISK_FULL:
            print("The output can't be written, as the disk is full. Free some space and try again.", file=sys.stderr)
        elif error.errno not in PIPE_CLOSED:
            raise
        _drop_output()
        return 1
    return status


def _drop_output() -> None:
    """Discard what is still buffered, or Python complains about the pipe again when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
