"""Answering on the device in Firefox and in WebKit, Safari's engine. test_on_device.py promises it in Chromium."""

import pytest
from conftest import PATIENCE, ROOT
from engines import ENGINES, wait_for_script
from on_device import ASK, drawn_photos, hosted, write_bench

from foodvision import Classifier
from foodvision.page.device import RUNTIME
from foodvision.page.static_app import write_static

MODEL = ROOT / "export.onnx"
EXACT = 0.01  # of probability
NEARLY = 0.03  # where the browser decodes large JPEGs, colours or transparency in its own way
NOT_EXACT = {"phone.jpg", "turned.jpg", "transparent.png", "plain.webp"}
ASK_AND_TELL = f"const tell = arguments[1]; ({ASK})(arguments[0]).then(tell, (error) => tell(String(error)));"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not RUNTIME.exists(), reason="no onnxruntime-web: answering in the browser was not tested (npm ci installs it)"
    ),
]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    """A browser, driven by Selenium."""
    with ENGINES[request.param]() as browser:
        yield browser


def test_photos_are_answered_as_on_the_server(engine, tmp_path):
    photos = drawn_photos()
    request = write_bench(tmp_path, photos, MODEL)
    with hosted(tmp_path) as (address, _):
        engine.get(address)
        replies = engine.execute_async_script(ASK_AND_TELL, request)
    assert isinstance(replies, list), replies
    classifier = Classifier(MODEL)
    for (name, content), reply in zip(photos.items(), replies, strict=True):
        expected = classifier.predict(content)
        assert reply["prediction"]["label"] == expected.label, name
        tolerance = NEARLY if name in NOT_EXACT else EXACT
        assert reply["prediction"]["probabilities"] == pytest.approx(expected.probabilities, abs=tolerance), name


def test_the_static_page_answers_and_keeps_to_its_policy(engine, tmp_path):
    write_static(tmp_path / "site", ROOT / "foodvision.ipynb", MODEL)
    with hosted(tmp_path / "site") as (address, asked):
        engine.get(address)
        wait_for_script(engine, "return document.querySelector('input[type=file]')", timeout_s=PATIENCE)
        engine.find_element("css selector", "input[type=file]").send_keys(str(ROOT / "docs" / "phone.png"))
        wait_for_script(engine, "return document.querySelector('.fv-card h2')?.textContent", timeout_s=PATIENCE)
        said = engine.execute_script("return document.querySelector('.fv-device').textContent")
    assert "Your photos stay on this device." in said
    assert {method for method, _ in asked} == {"GET"}
