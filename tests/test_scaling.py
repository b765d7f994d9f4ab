"""The promises of docs/scaling.md: one machine and its limits, several servers behind nginx, a pod per visitor.

No cluster is needed. The Helm values are checked by the chart's own schema where the chart can be fetched, and
tests/test_hosting.py tries their settings in a JupyterHub on this machine. To print what was measured:
`pytest tests/test_scaling.py -rP`.
"""

import http.client
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock
from urllib.parse import quote, urlsplit

import jsonschema
import psutil
import pytest
import yaml
from conftest import PATIENCE, ROOT, Server, free_port, wait_for
from PIL import Image
from playwright.sync_api import expect
from test_hosting import HOSTING, LINUX, VALUES, ask, binder_base, in_words
from visitor import choose, complaint, kernel_of, opened, saved

from foodvision.answer import machine
from foodvision.page.server import FoodVision, pool_size

SCALING = (ROOT / "docs" / "scaling.md").read_text()
VOILA = json.loads((ROOT / "voila.json").read_text())
CHART = "https://hub.jupyter.org/helm-chart/jupyterhub-{}.tgz"
MIB = 2**20


def documented(pattern, text=SCALING):
    """The groups of a pattern's only match in a document."""
    (match,) = re.finditer(pattern, text)
    return match.groups()


def fenced(language, place=0):
    """A code block of docs/scaling.md."""
    return re.findall(rf"```{language}\n(.*?)```", SCALING, re.DOTALL)[place]


# Sizing


def measured(server):
    """Memory in MB, from docs/hosting.md: of the server, of a visitor's kernel, and what that kernel doesn't share."""
    return map(
        int, documented(rf"\| memory: {server} server \+ .* \| (\d+) MB \+ (\d+) MB \((\d+) MB unshared\) \|", HOSTING)
    )


def table(heading):
    """The rows of numbers in the table of docs/scaling.md with this first heading."""
    (rows,) = documented(rf"\| {heading} \|.*\n\|[ -|]*\n((?:\|.*\n)+)")
    return [tuple(map(int, re.findall(r"\d+", row))) for row in rows.splitlines()]


def test_the_visitors_of_one_machine_follow_from_the_measured_memory():
    server, _, own = measured("Voilà's")
    rows = [(memory, cores) for memory, cores, _ in table("memory, GB")]
    expected = [(memory, cores, (1000 * memory - 1000 - server) // own - cores) for memory, cores in rows]
    assert table("memory, GB") == expected, f"docs/hosting.md has other figures by now: {expected}"


def guarantee():
    return mebibytes(VALUES["singleuser"]["memory"]["guarantee"])


def mebibytes(size):
    """A size as JupyterHub writes it, "320M" or "1G", in MiB."""
    return int(size[:-1]) * {"M": 1, "G": 1024}[size[-1]]


def test_the_pods_of_a_node_follow_from_what_each_is_guaranteed():
    expected = [(memory, 1024 * memory // guarantee()) for memory, _ in table("allocatable memory, GiB")]
    assert table("allocatable memory, GiB") == expected, f"The guarantee is another by now: {expected}"


def test_a_pod_is_guaranteed_a_server_a_kernel_and_ten_percent_to_spare():
    server, kernel, _ = measured("Jupyter's")
    assert 1.1 * (server + kernel) * 1e6 <= guarantee() * MIB
    assert guarantee() < mebibytes(VALUES["singleuser"]["memory"]["limit"])


# One larger machine


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A function that sets the limits of this process's container, as Linux writes them."""
    monkeypatch.delenv("CPU_LIMIT", raising=False)
    monkeypatch.setattr(machine, "CONTAINER", tmp_path)
    return lambda **limits: [(tmp_path / f"{name}.max").write_text(f"{text}\n") for name, text in limits.items()]


def test_a_container_uses_no_more_processors_and_memory_than_it_was_given(container):
    whole = machine.cores()
    container(cpu="150000 100000", memory="1073741824")
    assert (machine.cores(), machine.memory()) == (1, 2**30)
    container(cpu="50000 100000")
    assert machine.cores() == 1, "Half a processor is one thread."
    container(cpu=f"{100_000 * (whole + 1)} 100000", memory="max")
    assert (machine.cores(), machine.memory()) == (whole, math.inf)


def test_a_container_without_limits_uses_the_whole_machine(container):
    whole = machine.cores(), machine.memory()
    container(cpu="max 100000", memory="max")
    assert (machine.cores(), machine.memory()) == whole


def test_kernels_kept_ready_do_not_fill_a_small_container(container):
    container(cpu="max 100000", memory="max")
    assert pool_size() == min(machine.cores(), 16)
    container(memory=str(10**9))
    assert pool_size() == 1
    container(memory=str(5 * 10**8))
    assert pool_size() == 1, "Half a gigabyte holds one."


def test_a_kernel_that_was_ready_for_long_is_not_ended_as_idle_while_its_visitors_page_opens():
    long_ago = datetime.now(UTC) - timedelta(days=1)
    kernels = {kernel_id: Mock(last_activity=long_ago) for kernel_id in ("taken", "next")}
    manager = Mock(_pools={"page.ipynb": [Future(), Future()]}, get_kernel=kernels.get)
    for start, kernel_id in zip(manager._pools["page.ipynb"], kernels, strict=True):
        start.set_result({"kernel_id": kernel_id})
    server = Mock(kernel_manager=manager, _is_alive=lambda start: True)
    assert FoodVision._count_ready_kernels(server, "page.ipynb") == 2
    assert kernels["taken"].last_activity > long_ago
    assert kernels["next"].last_activity == long_ago


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """The server that docs/scaling.md starts with a memory cap on each process: a `Server`."""
    if not LINUX:
        pytest.skip("prlimit is Linux's: the cap on a visitor's memory was not checked")
    command = fenced("bash").replace("\\\n", " ").replace(".venv/bin/python", sys.executable)
    port = free_port()
    log = tmp_path_factory.mktemp("limited") / "log.txt"
    with log.open("w") as output:
        command = command.replace("OPENBLAS", "exec env OPENBLAS").replace("--port=8866", f"--port={port}")
        process = subprocess.Popen(["bash", "-c", command], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(port, process, log)
        yield Server(process, f"http://localhost:{port}/")
    finally:
        process.terminate()
        process.wait(PATIENCE)


def open_files(server):
    """A server's number of open files, once it has started every kernel and the number is stable for three seconds."""
    counts = [server.process.num_fds()]
    deadline = time.monotonic() + PATIENCE
    while len(set(counts[-7:])) > 1 or len(counts) < 7:
        assert time.monotonic() < deadline, f"The open files of an idle server keep changing: {counts}"
        time.sleep(0.5)
        counts.append(server.process.num_fds())
    return counts[-1]


def cpu_seconds(process):
    return sum(process.cpu_times()[:2])


def test_each_kernel_has_the_cap_and_the_server_has_enough_files_for_the_largest_machine(browser, limited):
    cap, files = map(int, documented(r"prlimit --data=(\d+) --nofile=(\d+)"))
    before, spent = open_files(limited), cpu_seconds(limited.process)
    with opened(browser, limited.url) as page:
        ask(page)
        a_visitor, server = open_files(limited) - before, cpu_seconds(limited.process) - spent
        kernel = max(limited.kernels, key=cpu_seconds)
        spent = cpu_seconds(kernel)
        print(f"A visitor: {a_visitor} open files; CPU: {server:.1f} s of the server, {spent:.1f} s of their kernel")
        memory = limited.process.memory_info().rss / 1e6
        print(f"Memory: Voilà's server {memory:.0f} MB, a visitor's kernel {in_words(kernel)}")
        assert {kernel.rlimit(psutil.RLIMIT_DATA) for kernel in limited.kernels} == {(cap, cap)}
        at_rest = max(kernel.memory_info().data for kernel in limited.kernels)
        print(f"A kernel has asked for {at_rest / 1e6:.0f} MB of the {cap / 1e6:.0f} MB that it may")
        assert at_rest < cap / 2
    *_, (_, _, most) = table("memory, GB")
    assert before + a_visitor * most < files


def test_a_photo_beyond_the_cap_costs_one_answer_and_other_visitors_nothing(browser, limited):
    with opened(browser, limited.url) as greedy, opened(browser, limited.url) as other:
        ask(greedy), ask(other)
        kernels = kernel_of(greedy, limited), kernel_of(other, limited)  # not those kept ready for later visitors
        for kernel in kernels:  # lowered, so that a photo which the page takes is too much
            cap = kernel.memory_info().data + 100_000_000
            kernel.rlimit(psutil.RLIMIT_DATA, (cap, cap))
        choose(greedy, "huge.tiff", saved(Image.new("RGB", (8000, 6000)), "TIFF", compression="tiff_deflate"))
        expect(complaint(greedy).filter(has_text="huge.tiff")).to_be_visible()
        ask(greedy, "small.jpg"), ask(other, "small.jpg")
        assert all(kernel.is_running() for kernel in kernels)


def test_each_address_stays_with_one_of_several_servers(browser, limited, voila, tmp_path):
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed: several servers behind it were not checked")
    port, upstream = free_port(), fenced("nginx").replace("listen 80;", "listen PORT;")
    for documented_port, server in (8866, limited), (8867, voila):
        upstream = upstream.replace(f"localhost:{documented_port}", f"127.0.0.1:{urlsplit(server.url).port}")
    seen = "log_format seen '$remote_addr $upstream_addr'; access_log seen.txt seen;"
    configuration = f"daemon off; pid nginx.pid; events {{}} http {{ {seen} {upstream.replace('PORT', str(port))} }}"
    (tmp_path / "nginx.conf").write_text(configuration)
    with (tmp_path / "log.txt").open("w") as output:
        command = [program, "-p", tmp_path, "-c", "nginx.conf", "-e", "stderr"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(port, process, tmp_path / "log.txt")
        for address in [f"127.0.{network}.1" for network in range(8)] * 2:
            connection = http.client.HTTPConnection("127.0.0.1", port, source_address=(address, 0), timeout=PATIENCE)
            connection.request("GET", "/voila/templates/foodvision/static/favicon.svg")
            assert connection.getresponse().status == 200
            connection.close()
        with opened(browser, f"http://127.0.0.1:{port}/") as page:
            ask(page)
    finally:
        process.terminate()
        process.wait(PATIENCE)
    served = {tuple(line.split()) for line in (tmp_path / "seen.txt").read_text().splitlines()}
    assert len({server for _, server in served}) == 2
    assert len(served) == len({address for address, _ in served}), "An address was sent to both servers."


# A pod for each visitor


def fetched_chart():
    """Files of the Helm chart, by name."""
    (version,) = documented(r"--version (\S+)")
    try:
        with urllib.request.urlopen(CHART.format(version), timeout=PATIENCE) as reply:
            archive = io.BytesIO(reply.read())
    except urllib.error.HTTPError:  # the address is wrong, which is our mistake
        raise
    except OSError as error:
        pytest.skip(f"The chart could not be fetched: its schema did not check docs/scaling/jupyterhub.yaml. {error}")
    with tarfile.open(fileobj=archive) as chart:
        return {member.name: chart.extractfile(member).read() for member in chart if member.isfile()}


@pytest.mark.network
def test_the_values_pass_the_charts_own_schema():
    chart = fetched_chart()
    jsonschema.validate(VALUES, json.loads(chart["jupyterhub/values.schema.json"]))
    ours = dict(requirement.split("==") for requirement in binder_base())["jupyterhub"]
    theirs = yaml.safe_load(chart["jupyterhub/Chart.yaml"])["appVersion"]
    assert ours.split(".")[0] == theirs.split(".")[0], f"JupyterHub {ours} in the image, {theirs} in the chart"


def test_a_pod_opens_the_same_page_as_the_binder_link():
    path = quote(VALUES["singleuser"]["defaultUrl"].removeprefix("/"), safe="")
    assert f"?urlpath={path})" in (ROOT / "README.md").read_text()


def test_pods_are_culled_when_their_kernels_would_be():
    assert VALUES["cull"]["timeout"] == VOILA["MappingKernelManager"]["cull_idle_timeout"]


def test_a_binderhub_gives_the_same_memory_and_builds_no_other_repository():
    values = yaml.safe_load(fenced("yaml"))
    for name in "memory", "cpu", "networkPolicy":
        assert values["jupyterhub"]["singleuser"][name] == VALUES["singleuser"][name]
    banned = [re.compile(pattern) for pattern in values["config"]["GitHubRepoProvider"]["banned_specs"]]
    (ours,) = documented(r"banned_specs: \[\"\^\(\?!(\S+?)/\)")
    assert any(pattern.match("another/repository/HEAD") for pattern in banned)
    assert not any(pattern.match(f"{ours}/HEAD") for pattern in banned)
