"""What this machine, or the container on it, lends to this process."""

import math
import os
from contextlib import suppress
from pathlib import Path

CONTAINER = Path("/sys/fs/cgroup")  # where Linux shows a container its limits: `docker run --cpus=1 --memory=1g`


def cores():
    """How many processors it may use: the machine's, or fewer where it is bound to some, or a container is."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    lent = float(os.environ.get("CPU_LIMIT") or math.inf)  # by JupyterHub
    share, period = _limits("cpu.max", count=2)
    return max(1, int(min(bound, lent, share / period)))


def memory():
    """Bytes that the processes of a container may use together, infinite where no limit is set."""
    (limit,) = _limits("memory.max", count=1)
    return limit


def _limits(file, count):
    """The numbers in a file of the container's, of which "max" means no limit, like no file."""
    with suppress(OSError, ValueError):
        numbers = (CONTAINER / file).read_text().replace("max", "inf").split()
        return [float(number) for number in numbers][:count]
    return [math.inf, 1][:count]
