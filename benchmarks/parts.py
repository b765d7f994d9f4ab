"""The parts of the benchmark. Each serves the apps one after another and adds its measurements to a `Results`."""

import asyncio
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial, wraps
from itertools import product
from pathlib import Path
from time import perf_counter, process_time, sleep

import psutil
from playwright.async_api import Error

from foodvision import Classifier

from . import install
from .apps import (
    API,
    APPS,
    BINDER,
    BUILD,
    FASTBOOK,
    FOODVISION,
    GRADIO,
    GRADIO_API,
    GRADIO_PYTHON,
    ROOT,
    BenchmarkError,
    fastbook_learner,
    serving,
)
from .browser import answer_time, first_paint, open_page, profile
from .memory import memory, peak, settled, tree
from .network import PHONE, Network
from .photos import SIZES, photo, photo_folder
from .programs import FoodVisionClient, GradioClient, crowd, seconds_per_request
from .report import (
    API_CLIENT,
    API_CPU,
    API_INSTALLED,
    API_MEMORY,
    API_SECONDS,
    API_START,
    CROWD,
    CROWD_MEMORY,
    CROWD_WAIT,
    DIRECT,
    DIRECT_CPU,
    OPEN_TO_ANSWER,
)

NEVER = 30  # seconds after which a photo counts as never answered
QUIET = 2  # seconds without traffic after which a page counts as loaded
CROWDS = (1, 2, 4, 8)
FOLDERS = (100, 400)
REQUESTS = 240  # of programs, from 8 clients at once: enough for the start and the end to matter little
SAMPLE_EVERY_S = 0.5


def of_each_app(measure):
    """A part that calls `measure(results, repeats, browser, server)` for each app, served alone."""

    @wraps(measure)
    async def part(results, repeats, browser):
        for app in APPS:
            await _served(app, results, partial(measure, results, repeats, browser))

    return part


async def _served(app, results, measure, settle=True):
    """Call `measure(server)`, once the app is idle if it has to `settle`.

    An app that doesn't start or a page that fails loses only its own figures.
    """
    print(f"  {app.name}", file=sys.stderr, flush=True)
    try:
        async with serving(app) as server:
            if settle:
                await settled(server.process)
            await measure(server)
    except (BenchmarkError, Error, OSError, subprocess.CalledProcessError) as error:
        results.note(f"{app.name}: {error}")


@of_each_app
async def page(results, repeats, browser, server):
    """Time to open the page in a fresh profile and on a second visit, and to answer a photo chosen at once."""
    app, url = server.app, server.url()
    for _ in range(repeats):
        async with profile(browser) as visitor:
            await settled(server.process)
            first, opened = await open_page(visitor, app, url)
            answered = await answer_time(first, photo("4 MB"))
            results.add(app, "first paint", await first_paint(first))
            results.add(app, "page open", opened)
            results.add(app, OPEN_TO_ANSWER, opened + answered)
            await first.tab.close()
            await settled(server.process)
            _, opened = await open_page(visitor, app, url)
            results.add(app, "page open, second visit", opened)


@of_each_app
async def upload(results, repeats, browser, server):
    """Time from choosing a photo to its label, on an open page."""
    async with profile(browser) as visitor:
        opened, _ = await open_page(visitor, server.app, server.url())
        await settled(server.process)
        results.add(server.app, "first photo, small", await answer_time(opened, photo("small", 1)))
        for name, number in product(SIZES, range(repeats)):
            seconds = await answer_time(opened, photo(name, number % 2), NEVER)
            results.add(server.app, f"{name} photo", seconds)
            if seconds == float("inf"):
                break  # the connection is gone, and this size was the largest


@of_each_app
async def phone(results, repeats, browser, server):
    """On a 3G-like network: time to open the page and to answer a 4 MB photo, and bytes of a first and second visit."""
    app = server.app
    for _ in range(repeats if app in (FOODVISION, BINDER, API) else 1):  # the others take minutes and hardly vary
        async with Network(server.port, PHONE) as network, profile(browser) as visitor:
            url = server.url(network.port)
            await settled(server.process)
            first, opened = await open_page(visitor, app, url)
            await _loaded(server, network)
            results.add(app, "page open, 3G", opened)
            results.add_traffic(app, "first visit", network.count())
            results.add(app, "4 MB photo, 3G", await answer_time(first, photo("4 MB")))
            await first.tab.close()
            await _loaded(server, network)
            network.count()
            _, opened = await open_page(visitor, app, url)
            await _loaded(server, network)
            results.add(app, "page open, second visit, 3G", opened)
            results.add_traffic(app, "second visit", network.count())


async def _loaded(server, network):
    """Wait until traffic stops, even if a kernel is still starting behind the page."""
    await network.quiet(QUIET)
    await settled(server.process)
    await network.quiet(QUIET)


async def visitors(results, repeats, browser):
    """Opening, answering and memory with 1, 2, 4 and 8 visitors at once, with a new server for each number."""
    for app in APPS:
        for count in CROWDS:
            if not _fits(results, app, count):
                break
            await _served(app, results, partial(_crowd, results, count, browser))
        results.add_visitor_memory(app)


async def _crowd(results, count, browser, server):
    app, url = server.app, server.url()
    results.add_memory(app, memory(server.process), visitors=0)
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(profile(browser)) for _ in range(count)]
        pages = await asyncio.gather(*(open_page(person, app, url) for person in people))
        await settled(server.process)
        answers = await asyncio.gather(*(answer_time(page, photo("4 MB")) for page, _ in pages))
        await settled(server.process)
        results.add_memory(app, memory(server.process), count)
    for (_, opened), answered in zip(pages, answers, strict=True):
        results.add(app, "page open, all at once", opened, visitors=count)
        results.add(app, "4 MB photo, all at once", answered, visitors=count)


def _fits(results, app, count):
    """Whether so many visitors fit in this machine's memory, judging by what one took."""
    one = results.median(app, "memory, proportional", visitors=1)
    if one is None or count * one < psutil.virtual_memory().available:
        return True
    results.note(f"{app.name}: {count} visitors at once don't fit in this machine's memory.")
    return False


async def inference(results, repeats, browser):
    """On the server: time from a 12-megapixel photo's bytes, and from a decoded small picture, to probabilities."""
    command = [sys.executable, "-m", "benchmarks.inference", str(fastbook_learner()), str(10 * repeats)]
    apps = {app.name: app for app in APPS}
    for name, measure, seconds in json.loads(_run(command)):
        results.add(apps[name], measure, seconds)


async def size(results, repeats, browser):
    """Installed size, from the records of the packages installed here."""
    found = {
        FOODVISION: install.installed(sys.executable, install.serving()),
        FASTBOOK: install.installed(sys.executable, install.FASTBOOK),
        GRADIO: install.installed(GRADIO_PYTHON, ["gradio", *install.TORCH]),
    }
    for app, (everything, without_nvidia) in found.items():
        results.add(app, "installed", everything, "MB")
        results.add(app, "installed, without NVIDIA packages", without_nvidia, "MB")


async def fresh(results, repeats, browser):
    """Time and size of an installation into a fresh environment; torch alone takes gigabytes and minutes."""
    torch = install.as_here(install.TORCH)
    wanted = {
        FOODVISION: ["--require-hashes", "--requirement", "requirements/serve.txt"],
        FASTBOOK: install.as_here(install.FASTBOOK),
        GRADIO: ["--requirement", "requirements/bench.txt", *torch],
    }
    for app, requirements in wanted.items():
        seconds, size = install.install_fresh(*requirements)
        results.add(app, "fresh install", seconds)
        results.add(app, "fresh install, on disk", size, "MB")


async def folder(results, repeats, browser):
    """Photos per second of `foodvision FOLDER --output answers.csv`, including start-up."""
    for count in FOLDERS:
        photos = photo_folder(BUILD / f"{count} photos", count)
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as answers:
                command = [sys.executable, "-m", "foodvision", photos, "--output", Path(answers) / "answers.csv"]
                start = perf_counter()
                _run(command)
                results.add(FOODVISION, f"a folder of {count} photos", count / (perf_counter() - start), "photos/s")


def _run(command):
    """A program's output. Raises BenchmarkError with its error messages if it fails."""
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        words = " ".join(map(str, command[1:4]))
        raise BenchmarkError(f"`python {words}` failed:\n{run.stderr[-2000:]}")
    return run.stdout


async def api(results, repeats, browser):
    """Programs: requests to FoodVision's API and to Gradio's with the same model, and direct calls beside them."""
    content = photo("small").read_bytes()
    bare, extra = (install.installed(sys.executable, install.serving(name))[0] for name in (None, "api"))
    results.add(FOODVISION, API_INSTALLED, extra - bare, "MB")
    for app, shown, client in ((API, FOODVISION, FoodVisionClient), (GRADIO_API, GRADIO, GradioClient)):
        measure = partial(_programs, results, repeats, shown, client, content, perf_counter())
        await _served(app, results, measure, settle=False)


async def _programs(results, repeats, shown, client, content, start, server):
    """Requests to one app. Direct calls take turns with them, since a machine isn't equally fast all the time."""
    await asyncio.to_thread(_first_answer, client, server.port, content)
    results.add(shown, API_START, perf_counter() - start)
    await settled(server.process)
    classifier = Classifier(threads=1)
    for _ in range(repeats):
        if shown is FOODVISION:
            await asyncio.to_thread(_direct, results, classifier, content)
        before, asking = _cpu_of(server), process_time()
        results.add(shown, API_SECONDS, await seconds_per_request(client, server.port, content, REQUESTS))
        results.add(shown, API_CPU, (_cpu_of(server) - before) / REQUESTS)
        results.add(shown, API_CLIENT, (process_time() - asking) / REQUESTS)
    results.add(shown, API_MEMORY, memory(server.process).resident, "MB")
    if shown is FOODVISION:
        await asyncio.to_thread(_crowd_at_once, results, content, classifier.predict(content).label, server)


def _direct(results, classifier, content):
    """Seconds of CPU for a prediction, and seconds when two threads predict side by side, in this process."""
    classifier.predict(content)
    cpu, start = process_time(), perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(classifier.predict, [content] * REQUESTS))
    results.add(FOODVISION, DIRECT_CPU, (process_time() - cpu) / REQUESTS)
    results.add(FOODVISION, DIRECT, (perf_counter() - start) / REQUESTS)


def _crowd_at_once(results, content, label, server):
    """Everyone opens the page and sends a photo at the same time."""
    with peak(lambda: memory(server.process).resident, SAMPLE_EVERY_S) as most:
        visits = crowd(server.port, content, CROWD)
    if {said for said, _ in visits} != {label}:
        raise BenchmarkError(f"In a crowd of {CROWD}, the API didn't give everyone the right answer.")
    results.add(FOODVISION, CROWD_MEMORY, most(), "MB")
    results.add(FOODVISION, CROWD_WAIT, max(seconds for _, seconds in visits))


def _first_answer(client, port, content):
    """Wait until the model is loaded."""
    deadline = perf_counter() + NEVER
    while True:
        try:
            return client(port).ask(content)
        except ConnectionError:
            if perf_counter() > deadline:
                raise
            sleep(0.1)


def _cpu_of(server):
    return sum(one.cpu_times().user + one.cpu_times().system for one in tree(server.process))


PARTS = {part.__name__: part for part in (page, upload, phone, visitors, inference, size, folder, api)}
