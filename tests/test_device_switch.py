"""The control "Answer on this device", and the live camera: what is sent, remembered, and offered without the app."""

import urllib.error
import urllib.request

import nbformat
import psutil
import pytest
from conftest import PATIENCE, ROOT, launch
from drawn_pizza import draw_pizza
from on_device import hosted
from playwright.sync_api import expect
from reliability.files import saved

from foodvision.page.device import RUNTIME, device_files
from foodvision.page.first_paint import DrawDashboard
from foodvision.page.static_app import write_static

SWITCH = "Answer on this device"
STAYS = "Your photos stay on this device."
GONE = "The app isn't answering"
PIZZA = {"name": "pizza.jpg", "mimeType": "image/jpeg", "buffer": saved(draw_pizza(), "JPEG", quality=90)}
HEIC = {"name": "phone.heic", "mimeType": "image/heic", "buffer": saved(draw_pizza(), "HEIF")}
pytestmark = pytest.mark.skipif(
    not RUNTIME.exists(), reason="no onnxruntime-web: answering in the browser was not tested (npm ci installs it)"
)


def switch(page):
    return page.get_by_role("switch", name=SWITCH)


def choose(page, *files):
    page.locator("input[type=file]").first.set_input_files(files)


def answer(page):
    return page.locator(".fv-card h2")


def wait_until_connected(page):
    expect(page.locator("[data-connected]")).to_be_visible()


def end_kernel(page, voila):
    identifier = page.evaluate("JSON.parse(document.querySelector('#jupyter-config-data').textContent).kernelId")
    (kernel,) = [kernel for kernel in voila.kernels if identifier in " ".join(kernel.cmdline())]
    kernel.kill()
    psutil.wait_procs([kernel], timeout=PATIENCE)


def test_a_visitor_who_does_not_ask_for_it_downloads_nothing_of_it(browser, voila):
    with browser.new_context() as context:
        page = context.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(voila.url)
        choose(page, PIZZA)
        expect(answer(page)).to_be_visible()
        assert [url for url in asked if "/device/" in url or "onnx" in url] == []


def test_when_it_is_on_nothing_of_a_photo_is_sent(page):
    wait_until_connected(page)
    switch(page).check()
    expect(page.get_by_text(STAYS)).to_be_visible()
    sent = []
    page.on("request", lambda request: request.post_data_buffer is not None and sent.append(request.url))
    frames = watch_frames(page, sent)
    choose(page, PIZZA)
    expect(answer(page)).to_have_text("Pizza")
    page.evaluate("dispatchEvent(new Event('online'))")
    choose(page, PIZZA | {"name": "later.jpg"})
    expect(page.locator("article[aria-label='later.jpg'] h2")).to_have_text("Pizza")
    frames.detach()
    assert sent == []


def test_when_it_is_on_what_the_model_looked_at_is_not_asked_of_the_app(page):
    wait_until_connected(page)
    choose(page, PIZZA)
    expect(answer(page)).to_have_text("Pizza")
    switch(page).check()
    expect(page.get_by_text(STAYS)).to_be_visible()
    sent = []
    frames = watch_frames(page, sent)
    page.get_by_role("button", name="What did it look at?").click()
    expect(page.locator(".fv-heat canvas")).to_be_visible()
    frames.detach()
    assert sent == []


def watch_frames(page, sent):
    """Adds every websocket message that the page sends from now on to a list."""
    session = page.context.new_cdp_session(page)
    session.on("Network.webSocketFrameSent", lambda event: sent.append(event["response"]["payloadData"]))
    session.send("Network.enable")
    return session


def test_it_is_remembered_and_can_be_switched_off(page):
    switch(page).check()
    expect(page.get_by_text(STAYS)).to_be_visible()
    page.reload()
    expect(switch(page)).to_be_checked()
    expect(page.get_by_text(STAYS)).to_be_visible()
    wait_until_connected(page)
    switch(page).uncheck()
    expect(page.get_by_text(STAYS)).to_be_hidden()
    sent = []
    frames = watch_frames(page, sent)
    choose(page, PIZZA)
    expect(answer(page)).to_have_text("Pizza")
    frames.detach()
    assert sent


def test_a_file_that_the_browser_cannot_read_gets_a_sentence_and_is_not_sent(page):
    wait_until_connected(page)
    switch(page).check()
    expect(page.get_by_text(STAYS)).to_be_visible()
    sent = []
    frames = watch_frames(page, sent)
    choose(page, HEIC)
    expect(page.get_by_role("alert").get_by_text("so this device can't answer it")).to_be_visible()
    frames.detach()
    assert sent == []


def test_while_the_app_starts_the_page_offers_this_device(browser, voila):
    with browser.new_context() as context:
        context.route_web_socket("**/channels*", lambda socket: None)  # a kernel that never answers
        page = context.new_page()
        page.goto(voila.url)
        choose(page, PIZZA)
        offer = page.get_by_role("status").filter(has_text="This device can answer in the meantime.")
        offer.get_by_role("button", name=SWITCH).click()
        expect(answer(page)).to_have_text("Pizza")
        expect(switch(page)).to_be_checked()
        expect(offer).to_be_hidden()


def test_when_the_app_is_gone_this_device_answers(page, voila):
    wait_until_connected(page)
    end_kernel(page, voila)
    choose(page, PIZZA)
    expect(page.get_by_text(GONE)).to_be_visible()
    page.get_by_role("status").get_by_role("button", name=SWITCH).click()
    expect(answer(page)).to_have_text("Pizza")
    expect(page.get_by_text(GONE)).to_be_hidden()


def test_a_page_older_than_the_model_says_so_and_can_go_on_with_the_app(page):
    wait_until_connected(page)
    page.route("**/foodvision/device/**", lambda route: route.fulfill(status=404))
    switch(page).check()
    choose(page, PIZZA)
    expect(page.get_by_role("alert").get_by_text("A newer model is available.")).to_be_visible()
    switch(page).uncheck()
    choose(page, PIZZA)
    expect(answer(page)).to_have_text("Pizza")


def test_without_a_connection_the_model_is_asked_for_again(page):
    wait_until_connected(page)
    page.context.set_offline(True)
    switch(page).check()
    choose(page, PIZZA)
    expect(page.get_by_role("alert").get_by_text("The model could not be loaded.")).to_be_visible()
    page.context.set_offline(False)
    choose(page, PIZZA)
    expect(answer(page)).to_have_text("Pizza")


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_the_files_may_be_kept_for_ever_and_older_ones_are_gone(voila):
    files = device_files()
    for name in files.names:
        status, headers = fetch(f"{voila.url}foodvision/device/{name}")
        assert status == 200 and "immutable" in headers["Cache-Control"], name
        assert "'wasm-unsafe-eval'" in headers["Content-Security-Policy"]
    assert fetch(f"{voila.url}foodvision/device/model-0123456789abcdef/model.json")[0] == 404
    assert fetch(f"{voila.url}foodvision/device/..%2f..%2fexport.pkl")[0] == 404


def test_on_jupyters_server_the_files_need_the_token(jupyter):
    base = jupyter.url.partition("voila/")[0]
    name = f"{base}foodvision/device/{device_files().model}model.json"
    assert fetch(f"{name}?token=abc")[0] == 200
    assert fetch(name)[0] == 403 or "login" in fetch(name)[1].get("Location", "login")


def test_on_jupyters_server_this_device_answers_too(browser, jupyter):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(jupyter.url)
        switch(page).check()
        expect(page.get_by_text(STAYS)).to_be_visible()
        choose(page, PIZZA)
        expect(answer(page)).to_have_text("Pizza")


@pytest.fixture(scope="module")
def pizza_camera(tmp_path_factory):
    """A film of a drawn pizza, for Chromium's camera."""
    film = tmp_path_factory.mktemp("camera") / "pizza.mjpeg"
    film.write_bytes(2 * saved(draw_pizza(1280, 720), "JPEG", quality=95))
    return film


@pytest.fixture
def filming(browser, pizza_camera):
    """A browser whose camera shows the pizza."""
    camera = launch(browser.browser_type, f"--use-file-for-fake-video-capture={pizza_camera}")
    yield camera
    camera.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("static") / "site"
    write_static(folder, ROOT / "foodvision.ipynb", ROOT / "export.onnx")
    return folder


RUNNING = "() => document.querySelector('video')?.srcObject?.getTracks().some((track) => track.readyState === 'live')"


def hide(page, hidden):
    state = "hidden" if hidden else "visible"
    page.evaluate(f"""() => {{
        Object.defineProperty(document, "visibilityState", {{ value: "{state}", configurable: true }});
        document.dispatchEvent(new Event("visibilitychange"));
    }}""")


def test_the_live_camera_names_what_it_shows_and_its_photo_gets_an_answer(filming, site):
    with hosted(site) as (address, _), filming.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_role("button", name="Live camera").click()
        dialog = page.get_by_role("dialog", name="Camera")
        expect(dialog.locator(".fv-live")).to_have_text("Pizza")
        dialog.get_by_role("button", name="Take the photo").click()
        expect(answer(page)).to_have_text("Pizza")
        expect(dialog).to_be_hidden()


def test_the_live_camera_stops_while_the_page_is_hidden(filming, site):
    with hosted(site) as (address, _), filming.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_role("button", name="Live camera").click()
        expect(page.locator(".fv-live")).to_have_text("Pizza")
        hide(page, True)
        page.wait_for_function(f"() => !({RUNNING})()")
        hide(page, False)
        page.wait_for_function(RUNNING)
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        page.wait_for_function(f"() => !({RUNNING})()")


def test_a_camera_that_may_not_be_used_is_explained(browser, site):
    with hosted(site) as (address, _), browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }"
        )
        page.goto(address)
        page.get_by_role("button", name="Live camera").click()
        expect(page.get_by_role("alert").get_by_text("This page isn't allowed to use the camera")).to_be_visible()
        expect(page.get_by_role("dialog")).to_be_hidden()


TWO_CAMERAS = """
    const wanted = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (constraints) => {
        wanted.push(constraints.video);
        return open({ video: true });
    };
    const camera = (deviceId) => ({ kind: "videoinput", deviceId });
    navigator.mediaDevices.enumerateDevices = async () => [camera("rear"), camera("front")];
    MediaStreamTrack.prototype.getSettings = () => ({ deviceId: wanted.at(-1).deviceId?.exact ?? "rear" });
    MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true });
    MediaStreamTrack.prototype.applyConstraints = async ({ advanced: [{ torch }] }) => { globalThis.torch = torch; };
    globalThis.wanted = wanted;
"""


def test_the_rear_camera_comes_first_and_cameras_and_light_can_be_switched(filming, site):
    with hosted(site) as (address, _), filming.new_context() as context:
        page = context.new_page()
        page.add_init_script(TWO_CAMERAS)
        page.goto(address)
        page.get_by_role("button", name="Live camera").click()
        page.get_by_role("button", name="Light").click()
        page.wait_for_function("() => globalThis.torch === true")
        page.get_by_role("button", name="Light").click()
        page.wait_for_function("() => globalThis.torch === false")
        page.get_by_role("button", name="Other camera").click()
        page.wait_for_function("() => globalThis.wanted.length === 2")
        expect(page.locator(".fv-live")).to_have_text("Pizza")
        page.get_by_role("button", name="Other camera").click()
        page.wait_for_function("() => globalThis.wanted.length === 3")
        chosen = page.evaluate("wanted.map(({ facingMode, deviceId }) => facingMode ?? deviceId.exact)")
        assert chosen == ["environment", "front", "rear"]


def test_without_the_runtime_the_page_is_told_of_no_files(monkeypatch, tmp_path):
    assert "device" in drawn_settings()
    monkeypatch.setattr("foodvision.page.device.RUNTIME", tmp_path)
    assert device_files() is None
    assert "device" not in drawn_settings()


def drawn_settings():
    notebook = nbformat.read(ROOT / "foodvision.ipynb", as_version=4)
    _, resources = DrawDashboard().preprocess(notebook, {})
    return resources["dashboard"]["settings"]
