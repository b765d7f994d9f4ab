"""The API on Ray Serve: two replicas, one of which is killed under load.

Ray is large, so it has an environment of its own: `make ray` installs it and runs this. Its node gives up when its own
agents take longer than 15 seconds to start, so the machine must not be busy.
"""

import io
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from conftest import PATIENCE, free_port
from PIL import Image

pytestmark = pytest.mark.slow
START_S = 5 * PATIENCE  # for a node, on a busy machine; Ray reads it when it is imported
os.environ |= {"RAY_raylet_start_wait_time_s": str(START_S)}
ray = pytest.importorskip("ray", reason="Ray isn't installed: its adapter was not run (`make ray` does)")
REQUESTS, CLIENTS = 200, 4


def photo():
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def cluster():
    """The address of a cluster of two replicas."""
    from ray import serve

    from foodvision.api.ray import app

    port = free_port()
    ray.init(num_cpus=3, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"port": port})
    serve.run(app)
    yield f"http://localhost:{port}/predict"
    serve.shutdown()
    ray.shutdown()


def ask(address):
    """The label; like any program, this one asks again if a server broke off."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            request = Request(address, photo(), {"Content-Type": "image/jpeg"})
            return json.load(urlopen(request, timeout=PATIENCE))["label"]
        except (HTTPError, OSError) as error:
            assert getattr(error, "code", 503) >= 500 and time.monotonic() < deadline, error
            time.sleep(0.1)


def replicas():
    """The replicas' processes, as Ray names them."""
    named = {one.pid: " ".join(one.cmdline()) for one in psutil.process_iter() if one.ppid()}
    return [pid for pid, name in named.items() if name.startswith("ray::ServeReplica")]


def test_no_request_is_lost_when_one_of_two_replicas_is_killed(cluster):
    label = ask(cluster)
    first = replicas()
    assert len(first) == 2
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(ask, cluster) for _ in range(REQUESTS)]
        while sum(one.done() for one in asked) < REQUESTS // 4:
            time.sleep(0.05)
        os.kill(first[0], signal.SIGKILL)
        answers = [one.result() for one in asked]
    assert answers == [label] * REQUESTS
    deadline = time.monotonic() + PATIENCE
    while len(replicas()) < 2 or first[0] in replicas():
        assert time.monotonic() < deadline, "the killed replica was not replaced"
        time.sleep(0.5)
