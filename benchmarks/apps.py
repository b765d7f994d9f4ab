"""The apps to compare, each served as its own tutorial says."""

import asyncio
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from . import browser
from .memory import tree
from .photos import photo_folder

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "bench"
RIVALS = Path(__file__).parent / "rivals"
GRADIO_PYTHON = BUILD / "gradio" / "bin" / "python"
START = 300  # seconds for a server to start on a busy machine
# Extensions installed here that an environment with only the tutorial's packages would not load.
NOT_THEIRS = [
    f"--VoilaConfiguration.extension_denylist={name}" for name in ("anywidget", "@jupyter-notebook/lab-extension")
]


class BenchmarkError(RuntimeError):
    """Something could not be measured; the message says what, and what to do."""


@dataclass(frozen=True)
class App:
    """An app to measure: `prepare(port)` returns its command, folder and environment; `page` drives it as a visitor."""

    name: str
    prepare: object
    page: type
    path: str = "/"


class Server:
    """A running `App`: its `psutil.Process` and the port it listens on."""

    def __init__(self, app, process, port):
        self.app, self.process, self.port = app, psutil.Process(process.pid), port

    def url(self, port=None):
        """URL of the page; pass a `Network`'s port to go through it."""
        return f"http://localhost:{port or self.port}{self.app.path}"


@asynccontextmanager
async def serving(app):
    """Serve the app: gives a `Server`, and stops all its processes. Raises BenchmarkError if it doesn't start."""
    port = free_port()
    command, folder, environment = app.prepare(port)
    BUILD.mkdir(parents=True, exist_ok=True)
    log = BUILD / f"{app.name}.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        await _listening(app, process, port, log)
        yield Server(app, process, port)
    finally:
        end(process)


def end(process):
    """Ask a process to stop, then kill what is left of it and its descendants."""
    everyone = tree(psutil.Process(process.pid)) if process.poll() is None else []
    for one in everyone[:1]:
        one.terminate()
    _, alive = psutil.wait_procs(everyone, timeout=10)
    for one in alive:
        one.kill()
    psutil.wait_procs(alive)
    process.wait()


def free_port():
    with socket.create_server(("localhost", 0)) as server:
        return server.getsockname()[1]


async def _listening(app, process, port, log):
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("localhost", port)).close()
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)
    last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise BenchmarkError(f"{app.name} did not start. The end of {log.relative_to(ROOT)}:\n{last}")


def make_app(port):
    """The command of `make app`: the last one that make would run."""
    dry_run = ["make", "--dry-run", "--no-print-directory", "app", f"PORT={port}", f"BIN={Path(sys.executable).parent}"]
    lines = subprocess.run(dry_run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return shlex.split(lines[-1]), ROOT, {}


def as_on_binder(port):
    """Jupyter's server with Voilà as an extension, set up as in binder/postBuild; it can't preheat kernels."""
    settings = BUILD / "jupyter"
    settings.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "voila.json", settings / "jupyter_server_config.json")
    options = ["--no-browser", "--allow-root", "--ServerApp.base_url=/user/abc-def/", "--IdentityProvider.token=abc"]
    command = [sys.executable, "-m", "jupyter_server", *options, f"--port={port}"]
    return command, ROOT, {"JUPYTER_CONFIG_PATH": str(settings)}


def fastbook(port):
    """The notebook and its export.pkl in their own folder, under plain Voilà."""
    folder = BUILD / "fastbook"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(RIVALS / "fastbook" / "app.ipynb", folder)
    fastbook_learner()
    command = [sys.executable, "-m", "voila", "app.ipynb", "--no-browser", f"--port={port}", *NOT_THEIRS]
    return command, folder, {}


def fastbook_learner():
    """Path of the learner that the notebook loads; exported on first use."""
    path = BUILD / "fastbook" / "export.pkl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, RIVALS / "fastbook" / "export.py", photo_folder(folder, 30, classes=3), path]
            subprocess.run(command, check=True)
    return path


def gradio(port):
    """The course's app.py, in Gradio's own environment."""
    if not GRADIO_PYTHON.exists():
        raise BenchmarkError("Gradio is not installed. Run `make bench` to install it.")
    setting = {"SERVER_PORT": str(port), "ANALYTICS_ENABLED": "False", "TEMP_DIR": str(BUILD / "uploads")}
    return [GRADIO_PYTHON, "app.py"], RIVALS / "gradio", {f"GRADIO_{name}": value for name, value in setting.items()}


def api(port):
    """FoodVision's API with the page, as the container runs it."""
    return [sys.executable, "-m", "foodvision", "api", f"--port={port}"], ROOT, {}


def static(port):
    """The page as files, on a plain web server; the browser answers."""
    site = BUILD / "site"
    shutil.rmtree(site, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "foodvision", "static", site], cwd=ROOT, capture_output=True, check=True)
    return [sys.executable, "-m", "http.server", f"--directory={site}", str(port)], ROOT, {}


def foodvision_in_gradio(port):
    """FoodVision's own model in the course's way to serve one, in Gradio's environment."""
    command, folder, environment = gradio(port)
    return [command[0], "foodvision_app.py"], folder, environment | {"PYTHONPATH": str(ROOT)}


FOODVISION = App("FoodVision", make_app, browser.FoodVisionPage)
BINDER = App(
    "FoodVision, as on Binder",
    as_on_binder,
    browser.FoodVisionPage,
    "/user/abc-def/voila/render/foodvision.ipynb?token=abc",
)
FASTBOOK = App("fastbook's app", fastbook, browser.FastbookPage)
GRADIO = App("Gradio", gradio, browser.GradioPage)
API = App("FoodVision, no kernels", api, browser.FoodVisionPage)
STATIC = App("FoodVision, static", static, browser.FoodVisionPage)
APPS = (FOODVISION, BINDER, API, STATIC, FASTBOOK, GRADIO)
GRADIO_API = App("Gradio's API", foodvision_in_gradio, browser.GradioPage)
