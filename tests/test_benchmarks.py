"""What `make bench` measures with: a slow network, counters of bytes and memory, and pages timed in a browser."""

import asyncio
import io
import subprocess
import sys
import time
from importlib import metadata
from math import inf

import numpy as np
import psutil
import pytest
from conftest import PATIENCE
from PIL import Image
from reliability import run_async
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from benchmarks.apps import FASTBOOK as RIVAL
from benchmarks.apps import FOODVISION as OURS
from benchmarks.apps import App, BenchmarkError, end, free_port, serving
from benchmarks.browser import FastbookPage, FoodVisionPage, GradioPage, answer_time, chromium, open_page, profile
from benchmarks.install import distributions, recorded_size
from benchmarks.memory import Memory, memory, settled
from benchmarks.network import UNLIMITED, Network, Speed
from benchmarks.photos import draw_photo
from benchmarks.report import Bar, Results, growing, markdown, medians, plot

SLOW = Speed(bits_per_second=800_000, delay=0.1)  # 100 KB/s
CONTENT = bytes(range(256)) * 160  # 40 KB


async def echo(reader, writer):
    """Send back everything once the last byte has arrived."""
    writer.write(await reader.read())
    writer.write_eof()


async def there_and_back(port, content):
    """The reply to `content` from a port, and the seconds it took."""
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    writer.write_eof()
    reply = await reader.read()
    writer.close()
    return reply, time.perf_counter() - start


def through_network(speed, *contents):
    """Replies and seconds of simultaneous visitors, and the bytes counted: (received, sent)."""

    async def talk():
        port = free_port()
        async with await asyncio.start_server(echo, "localhost", port), Network(port, speed) as network:
            talks = await asyncio.gather(*(there_and_back(network.port, content) for content in contents))
            return talks, network.count()

    return run_async(talk())


def test_the_slow_network_takes_at_least_as_long_as_its_speed_says():
    ((reply, seconds),), counted = through_network(SLOW, CONTENT)
    assert reply == CONTENT
    assert counted == (len(CONTENT), len(CONTENT))
    round_trips_s = 2 * SLOW.delay  # the handshake, then the content
    assert seconds >= round_trips_s + 2 * 8 * len(CONTENT) / SLOW.bits_per_second - 0.02


def test_all_connections_share_the_slow_network():
    talks, _ = through_network(SLOW, CONTENT, CONTENT)
    assert [reply for reply, _ in talks] == [CONTENT, CONTENT]
    assert max(seconds for _, seconds in talks) >= 2 * 2 * 8 * len(CONTENT) / SLOW.bits_per_second


def test_a_network_without_a_limit_only_counts():
    content = 100 * CONTENT
    ((reply, seconds),), counted = through_network(UNLIMITED, content)
    assert reply == content
    assert counted == (len(content), len(content))
    assert seconds < 8 * len(content) / SLOW.bits_per_second


@pytest.mark.parametrize("size", [100e3, 300e3])
def test_a_drawn_photo_has_the_size_asked_for_and_is_the_same_each_time(size):
    drawn = draw_photo(900, 675, size)
    assert size <= len(drawn) < 1.25 * size
    assert Image.open(io.BytesIO(drawn)).size == (900, 675)
    assert drawn == draw_photo(900, 675, size) != draw_photo(900, 675, size, seed=1)


def python(script):
    return [sys.executable, "-c", script]


HOLDS_50_MB = "held = bytearray(b'x' * 50_000_000); print('ready', flush=True); input()"
A_CHILD_HOLDS_50_MB = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS_50_MB!r}])"


def test_memory_includes_child_processes():
    with subprocess.Popen(python(A_CHILD_HOLDS_50_MB), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        used = memory(psutil.Process(process.pid))
        process.communicate(b"\n")
    assert all(50e6 < size < 150e6 for size in used)
    assert used.resident >= used.proportional >= used.own


@pytest.mark.slow
def test_a_server_has_not_settled_while_it_is_busy():
    busy = (
        "import time; end = time.process_time() + 1\nwhile time.process_time() < end: pass\nprint(flush=True); input()"
    )
    with subprocess.Popen(python(busy), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        run_async(settled(psutil.Process(process.pid), quiet=0.5))
        assert sum(psutil.Process(process.pid).cpu_times()[:2]) > 0.9  # counted in hundredths
        process.communicate(b"\n")


@pytest.mark.slow
def test_no_process_outlives_its_server():
    process = subprocess.Popen(python(A_CHILD_HOLDS_50_MB), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    end(process)
    assert len(everyone) == 2
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in everyone)


def test_a_server_that_fails_to_start_is_reported_with_its_log(tmp_path):
    app = App("A broken app", lambda port: (python("print('No model here.'); exit(1)"), tmp_path, {}), FoodVisionPage)

    async def start():
        async with serving(app):
            pass

    with pytest.raises(BenchmarkError, match=r"A broken app did not start(.|\n)*No model here\."):
        run_async(start())


# The pages of each app, reduced to what the benchmark looks at. They answer after 0.3 s, and never answer silent.jpg.
FOODVISION = """<label>Choose a photo <input type="file"></label><div role="status"></div><script>
    document.querySelector("input").onchange = ({ target }) => setTimeout(() => {
        if (target.files[0].name !== "silent.jpg")
            document.querySelector("div").innerHTML = "<h2>Pizza</h2>";
    }, 300);
</script>"""
FASTBOOK = """<button class="widget-upload">Upload (0)</button><button id="run">Classify</button>
<div class="widget-label">Select your food!</div><div class="widget-label" id="label"></div><script>
    const input = Object.assign(document.createElement("input"), { type: "file" });
    const upload = document.querySelector("button");
    upload.onclick = () => input.click();
    input.onchange = () => (upload.textContent = "Upload (1)");
    let count = 0;
    run.onclick = () => setTimeout(() => {
        if (input.files[0].name !== "silent.jpg") label.textContent = `Prediction: pizza; Probability: 0.${++count}`;
    }, 300);
</script>"""
GRADIO = """<button aria-label="Drop an image file here to upload">Drop Image Here
<input type="file" data-testid="file-upload" style="display: none"></button>
<button aria-label="Remove Image" hidden></button>
<button id="clear">Clear</button><button id="submit">Submit</button><main></main><script>
    const [area, remove] = document.querySelectorAll("button"), input = area.querySelector("input");
    const show = (shown) => { area.hidden = shown; remove.hidden = !shown; };
    input.onchange = () => show(true);
    clear.onclick = () => { show(false); input.value = ""; document.querySelector("main").innerHTML = ""; };
    submit.onclick = () => setTimeout(() => {
        if (input.files[0].name !== "silent.jpg")
            document.querySelector("main").innerHTML = '<h2 data-testid="label-output-value">pizza</h2>';
    }, 300);
</script>"""


@pytest.mark.browser
def test_an_answer_is_timed_from_choosing_the_photo_to_its_own_label(tmp_path):
    patience = {"one.jpg": PATIENCE, "another.jpg": PATIENCE, "silent.jpg": 1}
    for name in patience:
        (tmp_path / name).write_bytes(draw_photo(90, 60, 1000))

    async def times(visitor, kind, html):
        address = f"http://{kind.__name__}.test/"
        await visitor.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        page, opened = await open_page(visitor, App("An app", None, kind), address)
        assert 0 < opened < await page.tab.evaluate("performance.now() / 1000")
        return [await answer_time(page, tmp_path / name, seconds) for name, seconds in patience.items()]

    async def visit():
        async with chromium() as browser, profile(browser) as visitor:
            kinds = (FoodVisionPage, FOODVISION), (FastbookPage, FASTBOOK), (GradioPage, GRADIO)
            return [await times(visitor, *kind) for kind in kinds]

    for first, second, never in run_async(visit()):
        assert 0.3 <= first < inf
        assert 0.3 <= second < inf
        assert never == inf


UPLOAD = """port => new Promise((done) => {
    const socket = new WebSocket(`ws://localhost:${port}/`);
    socket.onopen = () => socket.send(new Uint8Array(40000));
    socket.onmessage = ({ data }) => done(data);
})"""


@pytest.mark.browser
def test_what_a_browser_sends_through_a_websocket_is_slowed_and_counted():
    class Upload(WebSocketHandler):
        def check_origin(self, origin):
            return True

        def on_message(self, message):
            self.write_message(str(len(message)))

    async def upload():
        port = free_port()
        server = Application([("/", Upload)]).listen(port, "localhost")
        async with chromium() as browser, profile(browser) as visitor, Network(port, SLOW) as network:
            tab = await visitor.new_page()
            start = time.perf_counter()
            assert await tab.evaluate(UPLOAD, network.port) == "40000"
            seconds = time.perf_counter() - start
            server.stop()
            return seconds, network.count()

    seconds, (received, sent) = run_async(upload())
    assert seconds >= 8 * 40_000 / SLOW.bits_per_second
    assert 40_000 < sent < 42_000
    assert received < 1000


def test_the_installed_size_is_that_of_the_files_on_disk():
    package = metadata.distribution("psutil")
    folders = [package.locate_file("psutil"), package.locate_file(f"psutil-{package.version}.dist-info")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert recorded_size(package) == sum(path.stat().st_size for path in files)


def test_requirements_of_a_package_count_and_those_of_its_extras_do_not():
    found = distributions(["voila"])
    assert {"voila", "jupyter-server", "tornado"} <= found.keys()
    assert not {"pytest", "papermill", "black"} & found.keys()


@pytest.fixture
def results():
    """Invented samples of two apps."""
    results = Results()
    for app, seconds in (OURS, [3, 1, 2]), (RIVAL, [16, 100, 4]):
        for value in seconds:
            results.add(app, "page open", value)
    results.add(RIVAL, "12 MB photo", inf)
    results.add(OURS, "12 MB photo", 1.0)
    for visitors, size in (0, 100e6), (1, 200e6), (2, 300e6), (8, 900e6):
        results.add_memory(OURS, Memory(size, size / 2, size / 4), visitors)
    results.add_visitor_memory(OURS)
    return results


def test_the_table_gives_medians_and_ratios(results):
    row = next(row for row in medians(results) if row["measured"] == "page open")
    assert row[OURS.name] == "2 s"
    assert row[RIVAL.name] == "16.0 s (8)"


@pytest.mark.parametrize(("times", "met"), [(7.9, "yes"), (8, "yes"), (8.1, "no")])
def test_a_target_ratio_is_met_or_missed(results, times, met):
    assert Bar("faster", "page open", OURS, RIVAL, times).row(results)["met"] == met


@pytest.mark.parametrize(("limit", "met"), [(1.9, "no"), (2, "yes")])
def test_a_limit_is_kept_or_exceeded(results, limit, met):
    assert Bar("within", "page open", OURS, limit=limit).row(results)["met"] == met


def test_the_memory_of_a_visitor_is_that_of_each_further_one(results):
    assert results.median(OURS, "memory per additional visitor, resident") == 100e6
    assert results.median(OURS, "memory with no visitors, proportional") == 50e6
    assert growing(results)[0]["8"] == "900 MB"


def test_a_photo_that_never_arrives_is_reported_as_never(results):
    assert "| 12 MB photo | 1 s |  |  |  | never (∞) |  |" in markdown(results)


def test_the_plot_needs_no_complete_results(results, tmp_path):
    plot(results, tmp_path / "results.png")
    assert Image.open(tmp_path / "results.png").size[0] >= 1000


@pytest.mark.learn
def test_each_alteration_but_the_first_changes_a_photo():
    from benchmarks.robustness import ALTERATIONS

    photo = Image.open(io.BytesIO(draw_photo(300, 200, 30_000))).convert("RGB")
    for name, alter in ALTERATIONS.items():
        altered = alter(photo).convert("RGB").resize(photo.size)
        difference = np.abs(np.asarray(altered, dtype=float) - np.asarray(photo))
        assert (difference.mean() > 1) == (name != "unaltered"), name
