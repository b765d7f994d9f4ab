"""How many cores and how much memory this process may use, on its machine or in its container."""

import ctypes
import math
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

CONTAINER = Path("/sys/fs/cgroup")  # where Linux shows a container its limits: `docker run --cpus=1 --memory=1g`
NO_MEMORY_LIMIT = 2**62  # bytes; cgroup v1 writes the largest number it knows
QUANTITY = re.compile(r"(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)\s*([a-z]*)", re.IGNORECASE)
CPU_UNITS = {"": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}
MEMORY_UNITS = {letter: 1000**power for power, letter in enumerate(["", "k", "m", "g", "t", "p"])}
MEMORY_UNITS |= {f"{letter}i": 1024**power for power, letter in enumerate(["", "k", "m", "g", "t", "p"]) if letter}


def cores() -> int:
    """Number of cores this process may use: all of them, or fewer if it is pinned or its container is limited."""
    pinned = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(pinned, _limit_from_environment("CPU_LIMIT", CPU_UNITS), _container_cores())))


def memory() -> float:
    """Bytes that all processes in the container may use together; infinite if there is no limit."""
    of_container = _numbers("memory.max") or _numbers("memory/memory.limit_in_bytes") or [math.inf]
    limit = min(of_container[0], _limit_from_environment("MEM_LIMIT", MEMORY_UNITS))
    return limit if limit < NO_MEMORY_LIMIT else math.inf


def return_freed_memory() -> None:
    """Return to Linux what was freed, which its C library (glibc) would keep: 20 MB once a model has been read."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _container_cores() -> float:
    quota = _numbers("cpu.max") or _numbers("cpu/cpu.cfs_quota_us") + _numbers("cpu/cpu.cfs_period_us")
    if len(quota) != 2 or min(quota) <= 0:  # -1 means no limit
        return math.inf
    return quota[0] / quota[1]


def _limit_from_environment(variable: str, units: dict[str, float]) -> float:
    """A limit set by JupyterHub or Kubernetes, such as "2", "1.5", "500m" or "512Mi"; infinite for anything else."""
    quantity = QUANTITY.fullmatch(os.environ.get(variable, "").strip())
    if not quantity:
        return math.inf
    unit = quantity[2].lower().removesuffix("b")
    return float(quantity[1]) * units.get(unit, math.inf) or math.inf


def _numbers(file: str) -> list[float]:
    """The numbers in one of the container's files (cgroup v2 or v1), where "max" means no limit."""
    with suppress(OSError, ValueError):
        return [float(word.replace("max", "inf")) for word in (CONTAINER / file).read_text(encoding="utf-8").split()]
    return []
