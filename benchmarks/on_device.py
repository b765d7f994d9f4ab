"""Measure answering in the browser: `python -m benchmarks.on_device [MODEL]`. `make bench` runs it.

Prints the table in docs/on-device.md: sizes and times, and a prediction's time as a multiple of native ONNX Runtime's
on one thread of the same machine, measured in turn. The exit status is 1 if a target is missed.
"""

import gzip
import http.server
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from playwright.sync_api import sync_playwright

from foodvision import Classifier
from foodvision.locate import find_file, find_model
from foodvision.page.static_app import contents, write_static

from .browser import CLOCK
from .photos import draw_photo

ROUNDS = 12
WATCHED_S = 5  # how long the live camera is watched
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
TARGETS = {  # name: (limit, whether more is better)
    "page, compressed, without runtime and model, KB": (80, False),
    "download before the first answer, MB": (11, False),
    "a prediction, as a multiple of native": (5, False),
    "first label, first visit, s": (1.5, False),
    "first label, second visit, s": (1, False),
    "live camera, answers a second": (12, True),
}


def main():
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else find_model()
    with tempfile.TemporaryDirectory() as folder:
        site, photo = Path(folder, "site"), Path(folder, "photo.jpg")
        write_static(site, find_file("foodvision.ipynb"), model)
        photo.write_bytes(draw_photo(512, 384, 60_000))
        film = Path(folder, "film.mjpeg")
        film.write_bytes(2 * draw_photo(1280, 720, 300_000))
        figures = sizes(model) | speeds(site, photo, film, model)
    met = [
        value >= TARGETS[name][0] if TARGETS[name][1] else value <= TARGETS[name][0] for name, value in figures.items()
    ]
    print("\n".join(["| | measured | target |", "| --- | --- | --- |", *map(row, figures.items(), met)]))
    return 0 if all(met) else 1


def row(figure, met):
    """A line of the table in docs/on-device.md."""
    name, value = figure
    limit, more = TARGETS[name]
    return f"| {name} | {value:.3g} | {'at least' if more else 'at most'} {limit}{'' if met else ', missed'} |"


def sizes(model):
    files = contents(find_file("foodvision.ipynb"), model)
    page = {name: content for name, content in files.items() if name == "index.html" or "worker-" in name}
    download = sum(len(content) for name, content in files.items() if name.startswith("device/"))
    packed = sum(len(gzip.compress(content)) for content in page.values())
    print(f"The page and its worker, not compressed: {sum(map(len, page.values())) / 1e3:.0f} KB")
    return {
        "page, compressed, without runtime and model, KB": packed / 1e3,
        "download before the first answer, MB": download / 1e6,
    }


def speeds(site, photo, film, model):
    with hosted(site) as address, sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        first, second = zip(*(visits(browser, address, photo) for _ in range(3)), strict=True)
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(address)
            ratio = multiple_of_native(page, photo, model)
            rate = camera_rate(page)
        browser.close()
    return {
        "a prediction, as a multiple of native": ratio,
        "first label, first visit, s": median(first),
        "first label, second visit, s": median(second),
        "live camera, answers a second": rate,
    }


def visits(browser, address, photo):
    """Seconds from opening the page to the label of a photo, in a fresh profile and then again, by the page's clock."""
    seconds = []
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(CLOCK)
        for _ in range(2):
            page.goto(address, wait_until="commit")
            page.locator("input[type=file]").first.set_input_files(photo)
            seconds.append(page.evaluate("clock.seen('.fv-card h2')"))
            page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return seconds


def multiple_of_native(page, photo, model):
    """Median time from a decoded photo to its prediction, over that of ONNX Runtime here; both with one thread."""
    classifier = Classifier(model, threads=1)
    picture = classifier.read(photo)
    here, there = [], []
    for _ in range(ROUNDS):
        start = perf_counter()
        classifier.predict(picture)
        here.append(perf_counter() - start)
        there.append(page.evaluate(TIME_ANSWER))
    print(f"Native: {1000 * median(here):.0f} ms; in the browser: {1000 * median(there):.0f} ms")
    return median(there) / median(here)


# Starts a worker of its own, and then times its answers to a picture of the photo's size.
TIME_ANSWER = """async () => {
    const request = (message, transfer = []) => new Promise((resolve, reject) => {
        timed.onmessage = ({ data }) => data.id && (data.failure ? reject(data.failure) : resolve(data));
        timed.postMessage({ ...message, id: 1 }, transfer);
    });
    if (!globalThis.timed) {
        const known = document.querySelector("script[type=module]").textContent;
        const address = (name) => new URL(`device/${known.match(`"${name}": "([^"]+)"`)[1]}`, document.baseURI).href;
        globalThis.timed = new Worker(address("worker"), { type: "module" });
        await request({ do: "load", runtime: address("runtime"), model: address("model") });
    }
    const picture = await createImageBitmap(new ImageData(512, 384));
    const start = performance.now();
    await request({ do: "answer", picture, started: Date.now() }, [picture]);
    return (performance.now() - start) / 1000;
}"""


def camera_rate(page):
    page.get_by_role("button", name="Live camera").click()
    page.wait_for_selector(".fv-live[data-frames]")
    count = "Number(document.querySelector('.fv-live').dataset.frames)"
    before, start = page.evaluate(count), perf_counter()
    page.wait_for_timeout(1000 * WATCHED_S)
    return (page.evaluate(count) - before) / (perf_counter() - start)


@contextmanager
def hosted(folder):
    """The address of a web server on a folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
