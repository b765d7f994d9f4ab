"""FoodVision uses no more cores and memory than its limits allow, however they are spelt."""

import math

import pytest

from foodvision.answer import machine


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A function that writes a file of this process's container, which has no limits at first."""
    for variable in ("CPU_LIMIT", "MEM_LIMIT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(machine, "CONTAINER", tmp_path)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: range(64), raising=False)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("2", 2),
        ("2.0", 2),
        ("1.5", 1),
        ("0.25", 1),
        (".5", 1),
        ("500m", 1),
        ("3500m", 3),
        (" 4000m ", 4),
        ("2e0", 2),
        ("3000000u", 3),
    ],
)
def test_every_spelling_of_a_processor_limit_is_obeyed(limit, cores, container, monkeypatch):
    monkeypatch.setenv("CPU_LIMIT", limit)
    assert machine.cores() == cores


@pytest.mark.parametrize("limit", ["", " ", "0", "none", "max", "inf", "nan", "-1", "two", "2 cores", "1,5", "m"])
def test_an_invalid_limit_leaves_the_whole_machine(limit, container, monkeypatch):
    monkeypatch.setenv("CPU_LIMIT", limit)
    monkeypatch.setenv("MEM_LIMIT", limit)
    assert (machine.cores(), machine.memory()) == (64, math.inf)


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        ("1073741824", 2**30),
        ("1073741824.0", 2**30),
        ("512Mi", 2**29),
        ("2Gi", 2**31),
        ("1.5G", 1.5e9),
        ("800m", 8e8),
        ("64k", 64e3),
        ("1GB", 1e9),
    ],
)
def test_every_spelling_of_a_memory_limit_is_obeyed(limit, size, container, monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", limit)
    assert machine.memory() == size


def test_the_smallest_limit_counts(container, monkeypatch):
    container("cpu.max", "300000 100000")
    container("memory.max", 2**30)
    assert (machine.cores(), machine.memory()) == (3, 2**30)
    monkeypatch.setenv("CPU_LIMIT", "2")
    monkeypatch.setenv("MEM_LIMIT", "512Mi")
    assert (machine.cores(), machine.memory()) == (2, 2**29)


def test_limits_of_an_older_kernel_are_obeyed(container):
    container("cpu/cpu.cfs_quota_us", "250000")
    container("cpu/cpu.cfs_period_us", "100000")
    container("memory/memory.limit_in_bytes", 2**30)
    assert (machine.cores(), machine.memory()) == (2, 2**30)


def test_an_older_kernel_without_limits_leaves_the_whole_machine(container):
    container("cpu/cpu.cfs_quota_us", "-1")
    container("cpu/cpu.cfs_period_us", "100000")
    container("memory/memory.limit_in_bytes", 9223372036854771712)
    assert (machine.cores(), machine.memory()) == (64, math.inf)


@pytest.mark.parametrize("content", ["", "max", "lots 100000", "100000 0", "\x00"])
def test_files_that_make_no_sense_leave_the_whole_machine(content, container):
    container("cpu.max", content)
    container("memory.max", "lots")
    assert (machine.cores(), machine.memory()) == (64, math.inf)
