"""Crowds, many sessions and faults, in a quick form; `make reliability` runs `tests/reliability/crowd.py` in full."""

import subprocess
import sys
from contextlib import suppress
from functools import partial
from math import inf
from urllib.request import urlopen

import psutil
import pytest
from conftest import PATIENCE, ROOT, serve
from reliability.crowd import FAULTS, KEPT, crowd, faults, soak
from reliability.messages import Visitor, photo

COMMAND = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
VISITOR = 150  # megabytes, for a kernel with the model


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    return partial(serve, COMMAND, "/", tmp_path_factory)


@pytest.fixture(scope="module")
def rows(serving):
    """What came of each fault, by kind."""
    return {row.kind: row for row in faults(serving, times=1)}


def test_make_reliability_can_start():
    subprocess.run([sys.executable, "-m", "tests.reliability", "--help"], cwd=ROOT, capture_output=True, check=True)


def test_visitors_at_once_each_get_the_answer_to_their_own_photo(voila):
    row = crowd(voila, visitors=6, within=0)
    assert row.tried == 6 and not row.wrong
    assert row.megabytes < 6 * VISITOR


def test_a_visitor_does_not_wait_for_a_kernel_that_is_being_made_ready(serving):
    with serving() as server:
        started = [kernels_started_for_a_page(server) for _ in range(8)]
    assert 0 in started, "no kernel is kept ready"
    assert 1 in started[started.index(0) :], "a visitor waited for the next kernel to be kept ready"


def test_kernels_that_die_while_they_wait_for_a_visitor_are_replaced(serving):
    with serving() as server:
        while kernels_started_for_a_page(server):
            pass
        dying = server.kernels
        for kernel in dying:
            kernel.kill()
        psutil.wait_procs(dying, timeout=PATIENCE)
        assert "prediction" in Visitor(server.url).ask(photo())
        assert 0 in [kernels_started_for_a_page(server) for _ in range(8)], "no kernel is kept ready any more"


def kernels_started_for_a_page(server):
    before = len(started_for_visitors(server))
    urlopen(server.url).read()
    return len(started_for_visitors(server)) - before


def started_for_visitors(server):
    return [kernel for kernel in server.kernels if _environment(kernel).get("VOILA_PREHEAT") == "False"]


def _environment(kernel):
    with suppress(psutil.NoSuchProcess):  # it has just ended
        return kernel.environ()
    return {}


def test_after_sessions_no_kernel_and_no_file_is_left(serving):
    row = soak(serving, sessions=12, warm_up=8, margin=inf)  # memory says nothing before some two hundred sessions
    assert row.tried == 12 and not row.wrong, row.note


@pytest.mark.parametrize("kind", FAULTS)
def test_a_visitor_notices_and_a_new_session_is_answered_after(rows, kind):
    assert rows[kind].tried and not rows[kind].wrong


def test_no_verdict_is_lost_that_a_visitor_was_thanked_for(rows):
    assert rows[KEPT].tried == 2 * len(FAULTS) and not rows[KEPT].wrong
