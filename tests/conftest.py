"""Shared fixtures (running servers, a browser, real photos), and which tests are left out."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent
MODEL, PICKLE = ROOT / "export.onnx", ROOT / "export.pkl"
FOOD_101 = Path(os.environ.get("FASTAI_HOME", "~/.fastai")).expanduser() / "data" / "food-101"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--use-fake-device-for-media-stream --use-fake-ui-for-media-stream "
    "--disable-background-networking --disable-component-update --disable-sync"
)
PUBLIC_HOST = "food.example.com"  # a name for this machine that looks public to the page
SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE = 120  # seconds, for a server or a page on a busy machine
SERVERS = {"voila", "jupyter", "workbench", "owned", "serving", "limited", "hub", "binder_environment", "image"}
# The test files that take longest.
LONGEST = ["page", "notebooks", "hosting", "crowd", "hostile_files", "on_device", "messages", "mobile", "training"]
FIXTURE_MARKS = {
    "browser": ["browser"],
    "engine": ["browser"],
    "learner": ["learn"],
    "food_photos": ["slow"],
    "binder_environment": ["network"],
    "image": ["network"],
    "installed": ["slow"],
    **{server: ["slow"] for server in SERVERS},
}


class _Absent(MetaPathFinder):
    """Hides packages, whether they are installed or not."""

    def __init__(self, *packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        if name in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}: mark this test `learn`", name=name)


def pytest_configure(config):
    if "not learn" in config.option.markexpr:
        sys.meta_path.insert(0, _Absent("torch", "fastai"))


def pytest_ignore_collect(collection_path, config):
    """Don't even import a file whose `pytestmark` is excluded by `-m "not ..."`: importing torch takes seconds."""
    if collection_path.suffix != ".py":
        return None
    marks = re.findall(r"^pytestmark = pytest\.mark\.(\w+)", collection_path.read_text("utf-8"), re.MULTILINE)
    terms = config.option.markexpr.split(" and ")
    return any(f"not {mark}" in terms for mark in marks) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark tests by the fixtures they use, and begin with the files that take longest, so that no worker ends with one.

    `make test` gives each file to one worker (`--dist=loadfile`), which starts its servers and environments once.
    """
    for item in items:
        for mark in {mark for name in FIXTURE_MARKS.keys() & set(item.fixturenames) for mark in FIXTURE_MARKS[name]}:
            item.add_marker(mark)
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


def pytest_terminal_summary(terminalreporter):
    if SCREENSHOTS.exists():
        terminalreporter.write_line(f"Screenshots of the page: {SCREENSHOTS}")


class Server:
    """A running server, and the `url` of the page it serves."""

    def __init__(self, process, url):
        self.process = psutil.Process(process.pid)
        self.url = url

    @property
    def kernels(self):
        """A `psutil.Process` for each visitor."""
        return [child for child in self.process.children(recursive=True) if _is_kernel(child)]


def _is_kernel(process):
    with suppress(psutil.NoSuchProcess):  # it has just ended
        return "ipykernel_launcher" in process.cmdline()
    return False


def in_a_thread(act, *arguments):
    """What `act` returns, away from the loop that Playwright keeps running in the tests' own thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act, *arguments).result()


@pytest.fixture(scope="session")
def voila(tmp_path_factory):
    """The page as `make app` serves it: a `Server`."""
    with serve(["foodvision", "serve", "foodvision.ipynb", "--no-browser"], "/", tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """A Jupyter server with Voilà's extension, behind a base URL and a token as on Binder: a `Server`."""
    options = ["--no-browser", "--allow-root", "--ServerApp.base_url=/user/abc-def/", "--IdentityProvider.token=abc"]
    path = "/user/abc-def/voila/render/foodvision.ipynb?token=abc"
    with serve(["jupyter_server", *options], path, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def workbench(tmp_path_factory):
    """A server of JupyterLab and Notebook 7 on a folder with the notebook: a `Server` whose `url` ends at its root."""
    folder = tmp_path_factory.mktemp("workbench")
    shutil.copy(ROOT / "foodvision.ipynb", folder)
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=abc", f"--ServerApp.root_dir={folder}"]
    options += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    settings = {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path_factory.mktemp("settings"))}
    with serve(["notebook", *options], "/", tmp_path_factory, **settings) as server:
        yield server


@pytest.fixture(scope="session")
def owned(tmp_path_factory):
    """The page as on Binder, with feedback on: a `Server` with its `feedback` file."""
    folder = tmp_path_factory.mktemp("owned")
    setting = {"FOODVISION_FEEDBACK": str(folder / "feedback.db")}
    setting |= {"BINDER_LAUNCH_HOST": "https://mybinder.org/", "BINDER_REQUEST": "v2/gh/someone/food/main"}
    with serve(["foodvision", "serve", "foodvision.ipynb", "--no-browser"], "/", tmp_path_factory, **setting) as server:
        server.feedback = folder / "feedback.db"
        yield server


@contextmanager
def serve(arguments, path, tmp_path_factory, **environment):
    log = tmp_path_factory.mktemp("server") / "log.txt"
    port = free_port()
    command = [sys.executable, "-m", *arguments, f"--port={port}"]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(port, process, log)
        yield Server(process, f"http://localhost:{port}{path}")
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port():
    with socket.create_server(("localhost", 0)) as server:
        return server.getsockname()[1]


def wait_for(port, process, log):
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("localhost", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def browser():
    """Chromium: the machine's own, or else the one that Playwright installs."""
    from playwright.sync_api import Error, expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright.chromium, f"--host-resolver-rules=MAP {PUBLIC_HOST} 127.0.0.1")
        except Error as error:
            pytest.fail(f"No browser starts; `playwright install --with-deps chromium` installs one.\n{error}")
        yield browser
        browser.close()


def launch(chromium, *flags):
    """A browser whose pages have time for everything on a busy machine."""
    args = [*CHROMIUM_FLAGS.split(), *flags]
    browser = chromium.launch(executable_path=CHROMIUM, args=args, timeout=1000 * PATIENCE)
    browser.on("context", lambda context: context.set_default_timeout(1000 * PATIENCE))
    return browser


@pytest.fixture
def page(browser, voila):
    """The page, open in a fresh browser profile."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(voila.url)
        yield page


@pytest.fixture(scope="session")
def food_photos():
    """`food_photos("pizza")` gives the paths of a class's official test photos in Food-101, which are held out."""
    split = FOOD_101 / "meta" / "test.txt"
    if not split.exists():
        pytest.skip("no Food-101 photos in FASTAI_HOME: the labels of real photos were not checked")
    photos = [FOOD_101 / "images" / f"{photo_id}.jpg" for photo_id in split.read_text("utf-8").split()]
    return lambda label: [photo for photo in photos if photo.parent.name == label and photo.exists()]
