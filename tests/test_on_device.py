"""Answers given in the browser are those of the server, with any model; and the app as static files."""

import gzip
import re
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from conftest import PATIENCE, ROOT
from on_device import ASK, EXPLAIN, SinglePrecision, drawn_photos, hosted, scene, write_bench, write_foreign_model
from playwright.sync_api import expect
from reliability.files import saved

from foodvision import Classifier
from foodvision.answer.area import area_read
from foodvision.page.device import RUNTIME, DeviceFiles
from foodvision.page.static_app import StaticError, write_static

HALF_TOLERANCE, SINGLE_TOLERANCE = 0.01, 1e-4  # of probability
HEAT_TOLERANCE = 8  # of 255: half precision, and rounding
REAL_PHOTOS = 200
MODEL = ROOT / "export.onnx"
STAYS = "Your photos stay on this device."
pytestmark = pytest.mark.skipif(
    not RUNTIME.exists(), reason="no onnxruntime-web: answering in the browser was not tested (npm ci installs it)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder that `foodvision static` writes."""
    folder = tmp_path_factory.mktemp("static") / "site"
    write_static(folder, ROOT / "foodvision.ipynb", MODEL)
    return folder


@pytest.fixture
def visitor(browser):
    """A fresh browser profile."""
    with browser.new_context() as context:
        yield context


def choose(page, *paths):
    page.locator("input[type=file]").first.set_input_files(paths)


def answers(browser, folder, photos, model, kind=DeviceFiles):
    """What the browser makes of photos, as predictions by name."""
    request = write_bench(folder, photos, model, kind)
    with hosted(folder) as (address, _), browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.set_default_timeout(0)
        replies = page.evaluate(ASK, request)
    return dict(zip(photos, replies, strict=True))


def assert_same(replies, photos, model, tolerance):
    classifier = Classifier(model)
    for name, content in photos.items():
        expected, reply = classifier.predict(content).to_dict(), replies[name]
        assert "prediction" in reply, (name, reply)
        prediction = reply["prediction"]
        assert prediction["label"] == expected["label"] or is_a_tie(expected, tolerance), name
        assert prediction["probabilities"] == pytest.approx(expected["probabilities"], abs=tolerance), name
        assert prediction.keys() == expected.keys()


def is_a_tie(expected, tolerance):
    """Whether rounding may decide between the two likeliest answers, which are then unsure anyway."""
    first, second = sorted(expected["probabilities"].values())[:-3:-1]
    return expected["unsure"] and first - second < 2 * tolerance


def test_drawn_photos_of_every_kind_are_answered_as_on_the_server(browser, tmp_path):
    photos = drawn_photos()
    assert_same(answers(browser, tmp_path, photos, MODEL), photos, MODEL, HALF_TOLERANCE)


def test_with_weights_in_single_precision_the_difference_is_in_the_fifth_digit(browser, tmp_path):
    photos = {name: content for name, content in drawn_photos().items() if name in ("small.jpg", "plain.png")}
    replies = answers(browser, tmp_path, photos, MODEL, SinglePrecision)
    assert_same(replies, photos, MODEL, SINGLE_TOLERANCE)


def test_real_photos_are_answered_as_on_the_server(browser, tmp_path, food_photos):
    labels = ("pizza", "steak", "sushi", "ramen", "ice_cream", "filet_mignon", "lasagna", "sashimi")
    paths = [path for paths in zip(*map(food_photos, labels), strict=False) for path in paths][:REAL_PHOTOS]
    photos = {path.name: path.read_bytes() for path in paths}
    assert_same(answers(browser, tmp_path, photos, MODEL), photos, MODEL, HALF_TOLERANCE)


def test_what_the_model_looked_at_is_the_same_as_on_the_server(browser, tmp_path):
    labels = ["pizza", "filet_mignon"]  # an answer, and a dish of another
    content = drawn_photos()["food-101.jpg"]
    request = write_bench(tmp_path, {"photo.jpg": content}, MODEL)
    with hosted(tmp_path) as (address, _), browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.set_default_timeout(0)
        replies = page.evaluate(EXPLAIN, {"files": request["files"], "name": "photo.jpg", "labels": labels})
    classifier = Classifier(MODEL)
    picture = classifier.read(content)
    area = area_read(picture.size, classifier.preprocessing["steps"])
    for label, reply in zip(labels, replies, strict=True):
        assert reply["area"] == pytest.approx(area)
        np.testing.assert_allclose(reply["heat"], 255 * classifier.heat_map(picture, label), atol=HEAT_TOLERANCE)


def step(do, *size, resample=2, pad_mode="reflection"):
    return {"do": do, "size": list(size), "resample": resample, "pad_mode": pad_mode}


FOREIGN = {
    "pad": [step("pad", 96, 128)],
    "pad with black": [step("pad", 100, 100, pad_mode="zeros")],
    "squish": [step("squish", 160, 120)],
    "bicubic, then crop": [step("squish", 150, 150, resample=3), step("center_crop", 128, 128)],
}


@pytest.mark.parametrize("steps", FOREIGN.values(), ids=FOREIGN)
def test_another_model_is_answered_as_on_the_server(browser, tmp_path, steps):
    photos = {f"{seed}.png": saved(scene(300 + 40 * seed, 350, seed), "PNG") for seed in range(6)}
    model = write_foreign_model(tmp_path / "export.onnx", steps)
    (tmp_path / "bench").mkdir()
    replies = answers(browser, tmp_path / "bench", photos, model)
    assert_same(replies, photos, model, HALF_TOLERANCE)
    assert any(0.1 < reply["prediction"]["probability"] < 0.9 for reply in replies.values())


def test_the_static_page_answers_and_says_that_photos_stay(visitor, site):
    said = []
    with hosted(site) as (address, asked):
        page = visitor.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append((request.method, request.url)))
        page.goto(address)
        choose(page, ROOT / "docs" / "phone.png")
        expect(page.locator(".fv-card h2")).to_be_visible()
        expect(page.get_by_text(STAYS)).to_be_visible()
        page.get_by_role("button", name="What did it look at?").click()
        expect(page.locator(".fv-heat canvas")).to_be_visible()
    assert said == []
    assert {method for method, _ in asked} == {"GET"}
    own = (address, "/", "blob:", "data:")
    assert [url for _, url in asked if not url.startswith(own)] == []


def test_the_static_page_works_under_any_address(visitor, site, tmp_path):
    shutil.copytree(site, tmp_path / "some" / "where")
    with hosted(tmp_path) as (address, asked):
        page = visitor.new_page()
        page.goto(f"{address}some/where/")
        choose(page, ROOT / "docs" / "phone.png")
        expect(page.locator(".fv-card h2")).to_be_visible()
    assert {path for _, path in asked if not path.startswith("/some/where/")} <= {"/favicon.ico"}


def wait_until_kept(page):
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("() => navigator.serviceWorker.controller")


def test_after_the_first_visit_the_static_page_works_without_a_connection(visitor, site):
    with hosted(site) as (address, _):
        page = visitor.new_page()
        page.goto(address)
        expect(page.get_by_text(STAYS)).to_be_visible()
        wait_until_kept(page)
    visitor.set_offline(True)
    page.goto(address)
    choose(page, ROOT / "docs" / "phone.png")
    expect(page.locator(".fv-card h2")).to_be_visible()


def test_the_second_visit_downloads_neither_page_nor_model(visitor, site):
    with hosted(site) as (address, asked):
        page = visitor.new_page()
        page.goto(address)
        wait_until_kept(page)
        asked.clear()
        page.goto(address)
        expect(page.get_by_text(STAYS)).to_be_visible()
        assert {path for _, path in asked} <= {"/service_worker.js"}


def test_a_new_version_replaces_the_old_one_and_keeps_the_model(visitor, site, tmp_path):
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    with hosted(folder) as (address, asked):
        page = visitor.new_page()
        page.goto(address)
        wait_until_kept(page)
        notebook = nbformat.read(ROOT / "foodvision.ipynb", as_version=4)
        notebook.metadata.title = "Version 2"
        nbformat.write(notebook, tmp_path / "new.ipynb")
        write_static(folder, tmp_path / "new.ipynb", MODEL)
        asked.clear()
        page.goto(address)
        page.evaluate("navigator.serviceWorker.getRegistration().then((it) => it.update())")
        for _ in range(10 * PATIENCE):
            if "Version 2" in page.evaluate("fetch('./').then((response) => response.text())"):
                break
            page.wait_for_timeout(100)
        page.goto(address)
        expect(page).to_have_title("Version 2")
        expect(page.get_by_text(STAYS)).to_be_visible()
        assert [path for _, path in asked if "onnx" in path] == []
        assert page.evaluate("caches.keys().then((names) => names.length)") == 1


def test_an_old_page_whose_model_is_gone_says_so(visitor, site, tmp_path):
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    for model in (folder / "device").glob("model-*"):
        shutil.rmtree(model)
    with hosted(folder) as (address, _):
        page = visitor.new_page()
        page.goto(address)
        choose(page, ROOT / "docs" / "phone.png")
        expect(page.get_by_role("alert").get_by_text("A newer model is available. Reload the page")).to_be_visible()


def test_the_static_app_can_be_installed(visitor, site):
    with hosted(site) as (address, _):
        page = visitor.new_page()
        page.goto(address)
        wait_until_kept(page)
        session = visitor.new_cdp_session(page)
        manifest = session.send("Page.getAppManifest")
        errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert manifest["errors"] == []
    assert {error["errorId"] for error in errors} <= {"in-incognito"}  # test profiles are


def test_the_static_page_is_small(site):
    own = [site / "index.html", *(site / "device").glob("worker-*.js")]
    sent = [gzip.compress(path.read_bytes()) for path in own]  # as GitHub Pages and most servers send them
    assert sum(map(len, sent)) <= 80_000
    assert sum(path.stat().st_size for path in (site / "device").rglob("*.*") if path.is_file()) <= 11_000_000


def test_a_folder_with_other_files_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("Years of work", encoding="utf-8")
    with pytest.raises(StaticError, match="has other files in it"):
        write_static(tmp_path, ROOT / "foodvision.ipynb", MODEL)
    assert (tmp_path / "thesis.txt").exists()


def test_the_command_writes_the_folder_and_says_how_to_serve_it(tmp_path):
    command = [sys.executable, "-m", "foodvision", "static", tmp_path / "site"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert re.search(r"site \(\d+\.\d MB\) can be served by any web server: python -m http\.server -d ", ran.stdout)
    assert (tmp_path / "site" / "index.html").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--notebook", "train.ipynb"], "train.ipynb has no dashboard. Give the cell"),
        (["--model", "README.md"], "README.md can't be read as a model."),
        (["--model", "missing.onnx"], "There is no missing.onnx."),
    ],
)
def test_what_cannot_be_made_static_gets_a_sentence(tmp_path, options, sentence):
    command = [sys.executable, "-m", "foodvision", "static", tmp_path / "site", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert ran.returncode == 2 and sentence in ran.stderr and "Traceback" not in ran.stderr
    assert not (tmp_path / "site").exists()
