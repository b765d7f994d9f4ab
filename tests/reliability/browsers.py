"""Files that a browser may choke on, answered on the device in each engine: each gets an answer or a sentence."""

import shutil
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from benchmarks.browser import FLAGS, installed
from benchmarks.on_device import hosted
from foodvision.locate import find_model
from foodvision.page.assets import STATIC
from foodvision.page.device import RUNTIME, DeviceFiles

from . import Row
from .crowd import draw, drawn, is_right
from .files import KINDS

KIND = "unusual and hostile files on the device"
HOSTILE = ("photos of rare kinds", "photos cut short", "files that are no photos")
TIMEOUT_S = 1200  # for all files together
TOLERANCE = 0.01  # of a probability, for weights in half precision
ASK_EACH = """async ({ files, names }) => {
    const { Device } = await import("./static/device.js");
    const device = new Device(files), replies = [];
    for (const name of names) {
        const start = performance.now();
        const content = await (await fetch(`photos/${name}`)).blob();
        const options = { needsPicture: false, onProgress() {}, signal: new AbortController().signal };
        const reply = await device.answerer.answer(new File([content], name), options);
        replies.push({ ...reply, seconds: (performance.now() - start) / 1000 });
    }
    return replies;
}"""
ASK_EACH_AND_TELL = f"const tell = arguments[1]; ({ASK_EACH})(arguments[0]).then(tell, (error) => tell(String(error)));"


def run(engines):
    """`Row` of each engine; the last file is a photo, whose answer must still be right.

    `engines` are functions by name that open a browser of Selenium's; Chromium is driven by Playwright.
    """
    if not RUNTIME.exists():
        yield Row(KIND, 0, 0, 0, None, "not tried: ONNX Runtime for browsers isn't installed (make runtime)")
        return
    contents = [sample.make() for kind in HOSTILE for sample in KINDS[kind]()] + [draw(0)]
    ((_, expected),) = drawn(1)
    with tempfile.TemporaryDirectory() as folder, hosted(folder) as address:
        request = _write(Path(folder), contents)
        tried = {"chromium": chromium} | {name: partial(selenium, engine) for name, engine in engines.items()}
        for name, engine in tried.items():
            yield _row(f"{KIND}, {name}", engine, address, request, expected)


def _write(folder, contents):
    """An empty page beside the page's modules, the model and the files. Returns what `ASK_EACH` takes."""
    files = DeviceFiles(find_model())
    shutil.copytree(STATIC, folder / "static")
    written = {name: files.read(name) for name in files.names}
    written |= {f"photos/{number}.jpg": content for number, content in enumerate(contents)}
    written["index.html"] = b"<!doctype html><title>Files</title>"
    for name, content in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return {"files": files.settings("./"), "names": [f"{number}.jpg" for number in range(len(contents))]}


@contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS.split())
        page = browser.new_page()

        def ask(address, request):
            page.goto(address)
            return page.evaluate(ASK_EACH, request)

        yield ask
        browser.close()


@contextmanager
def selenium(engine):
    with engine() as browser:
        browser.set_script_timeout(TIMEOUT_S)

        def ask(address, request):
            browser.get(address)
            return browser.execute_async_script(ASK_EACH_AND_TELL, request)

        yield ask


def _row(kind, engine, address, request, expected):
    try:
        with engine() as ask:
            replies = ask(address, request)
    except pytest.skip.Exception as missing:
        return Row(kind, 0, 0, 0, None, f"not tried: {missing}")
    if not isinstance(replies, list):
        return Row(kind, 1, 1, 0, None, str(replies))
    *others, last = replies
    wrong = sum(not ("prediction" in reply or str(reply.get("error")).endswith(".")) for reply in others)
    wrong += not is_right(last, expected, TOLERANCE)
    answered = sum("prediction" in reply for reply in others)
    note = f"{answered} answered, {len(others) - answered} refused"
    return Row(kind, len(replies), wrong, max(reply["seconds"] for reply in replies), None, note)
