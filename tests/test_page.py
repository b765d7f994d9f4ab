"""What the page promises visitors, checked in a real browser."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
from conftest import PATIENCE, PUBLIC_HOST, ROOT, SCREENSHOTS, serve
from jupyter_core.paths import jupyter_path
from PIL import Image
from playwright.sync_api import expect
from visitor import (
    PIXEL,
    RED,
    answer,
    assert_upright,
    card,
    choose,
    choose_several,
    chooser,
    complaint,
    drawn,
    hand_over,
    kernel_of,
    kernel_with,
    opened,
    picture,
    press,
    press_in_menu,
    run_all,
    saved,
)

from foodvision import Prediction
from foodvision.page.dashboard import APOLOGY, MAX_BYTES, NONSENSE, Dashboard
from foodvision.page.feedback import Feedback

FOODS = ("pizza", "steak", "sushi")
PAPER = (255, 250, 244)
GONE = "The app isn't answering"


@pytest.fixture(scope="session")
def phone_photo(tmp_path_factory):
    """12 megapixels, 12 MB: `drawn`, with noise in its middle, stored lying on its side with EXIF orientation 6."""
    photo = drawn(3000, 4000)
    noise = np.random.default_rng(0).integers(0, 256, (3200, 3000, 3), dtype=np.uint8)
    photo.paste(Image.fromarray(noise), (0, 400))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path_factory.mktemp("photos") / "phone.jpg"
    photo.transpose(Image.Transpose.ROTATE_90).save(path, quality=97, exif=exif)
    assert path.stat().st_size >= 12e6
    return path


def test_the_page_opens_with_its_title_and_a_photo_chooser(page):
    expect(chooser(page)).to_be_visible()
    expect(page).to_have_title("FoodVision")
    expect(page.get_by_role("heading", name="FoodVision")).to_be_visible()
    expect(page.get_by_role("button", name="Try another")).to_be_hidden()


@pytest.fixture
def held(browser):
    """`held(url)`: a page whose front end is kept from arriving, as on a slow network, and what lets it through."""
    with browser.new_context() as context:

        def open_page(url):
            page, waiting = context.new_page(), []
            page.route("**/voila.js", lambda route: waiting.append(route))
            page.goto(url, wait_until="commit")

            def let_through():
                for route in waiting:
                    route.continue_()
                page.unroute("**/voila.js")

            return page, let_through

        yield open_page


@pytest.mark.parametrize("server", ["voila", "jupyter"])
def test_a_photo_chosen_before_the_app_has_started_is_shown_and_then_answered(held, server, request):
    page, let_through = held(request.getfixturevalue(server).url)
    choose(page, "drawn.jpg", saved(drawn()))
    expect(picture(page, "drawn.jpg")).to_be_visible()
    expect(page.get_by_text("drawn.jpg is waiting for the app to start…")).to_be_visible()
    let_through()
    expect(answer(page)).to_be_visible()
    expect(chooser(page)).to_have_count(1)


WATCH = """
    globalThis.loading = 0;
    new MutationObserver(() => {
        const node = document.evaluate("//*[contains(text(), 'Loading widget')]", document, null, 9).singleNodeValue;
        if (node?.checkVisibility() && node.getClientRects().length) loading++;
    }).observe(document, { subtree: true, childList: true });
"""


@pytest.mark.parametrize(
    ("server", "promise"),
    [("voila", "No photo is kept."), ("owned", "If you say whether an answer is right, your feedback is saved")],
)
def test_the_privacy_notice_appears_at_once_and_nothing_moves_when_the_app_starts(held, server, promise, request):
    page, let_through = held(request.getfixturevalue(server).url)
    page.evaluate(WATCH)
    expect(page.get_by_text(promise)).to_be_visible()
    expect(page.get_by_text("Is it pizza, steak or sushi?")).to_be_visible()
    before = page.locator(".foodvision").inner_text(), page.locator(".fv-promise").bounding_box()
    let_through()
    expect(page.locator("[data-connected]")).to_be_visible()
    page.wait_for_function("document.querySelector('#rendered_cells')?.innerText.trim() === ''")
    after = page.locator(".foodvision").inner_text(), page.locator(".fv-promise").bounding_box()
    assert after[0].startswith(before[0]) and after[1] == before[1]
    assert page.evaluate("loading") == 0


def test_of_two_photos_chosen_before_the_app_has_started_the_last_is_answered(held, voila):
    page, let_through = held(voila.url)
    choose(page, "first.jpg", saved(drawn()))
    expect(picture(page, "first.jpg")).to_be_visible()
    choose(page, "last.jpg", saved(drawn()))
    expect(picture(page, "last.jpg")).to_be_visible()
    let_through()
    expect(answer(page)).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(picture(page, "last.jpg")).to_be_visible()


@pytest.fixture(scope="module")
def editable(tmp_path_factory):
    """The page of a `notebook`, a file that may change once the server has tried it: a `Server`."""
    path = tmp_path_factory.mktemp("editable") / "changed.ipynb"
    shutil.copy(ROOT / "foodvision.ipynb", path)
    command = ["foodvision", "serve", str(path), "--no-browser", "--preheat_kernel=False"]
    with serve(command, "/", tmp_path_factory) as server:
        server.notebook = path
        yield server


@pytest.fixture
def beginning_with(editable):
    """`beginning_with(code)`: a `Server` whose notebook begins with more code since the server has tried it."""

    def change(code):
        notebook = nbformat.read(ROOT / "foodvision.ipynb", as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
        nbformat.write(notebook, editable.notebook)
        return editable

    return change


def test_the_dashboard_appears_before_the_notebook_has_run(browser, beginning_with):
    server = beginning_with("import time; time.sleep(1000)")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server.url, wait_until="commit")
        expect(page.get_by_role("heading", name="FoodVision")).to_be_visible()
        choose(page, "drawn.jpg", saved(drawn()))
        expect(picture(page, "drawn.jpg")).to_be_visible()


def test_a_notebook_that_fails_once_the_server_runs_says_so_at_once(held, beginning_with):
    page, _ = held(beginning_with("1 / 0").url)
    expect(complaint(page)).to_contain_text("This page could not start.")
    expect(chooser(page)).to_have_count(0)


def test_a_first_visit_loads_little_and_a_second_almost_nothing(browser, voila):
    with browser.new_context() as context:
        for limit in (1_400_000, 100_000):
            page, sizes = context.new_page(), []
            page.on("websocket", lambda socket, sizes=sizes: socket.on("framereceived", lambda f: sizes.append(len(f))))
            network = context.new_cdp_session(page)
            network.send("Network.enable")
            network.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
            page.goto(voila.url)
            kernel_of(page, voila)
            assert sum(sizes) <= limit
            page.close()


def test_real_photos_get_the_right_label(page, food_photos):
    photos = [photo for food in FOODS for photo in food_photos(food)[:75]]
    right = right_of_three = 0
    for photo in photos:
        chooser(page).set_input_files(photo)
        expect(picture(page, photo.name)).to_be_visible()
        expect(answer(page)).to_be_visible()
        food = photo.parent.name
        names = [bar.split()[0].lower() for bar in page.locator(".fv-bars li").all_text_contents()]
        right += names[0] == food
        right_of_three += next(name for name in names if name in FOODS) == food
    assert right / len(photos) >= 0.93
    assert right_of_three / len(photos) >= 0.96


def test_an_answer_says_how_sure_and_how_long_with_a_bar_for_each_class(page):
    choose(page, "drawn.jpg", saved(drawn()))
    expect(page.get_by_role("article")).to_contain_text("sure, in 0.")
    numbers = page.locator("details", has_text="All the numbers")
    numbers.evaluate("details => (details.open = true)")
    expect(numbers.get_by_role("listitem")).to_contain_text(["%"] * 5)


def test_a_large_photo_lying_on_its_side_is_shown_upright_and_answered(page, phone_photo):
    chooser(page).set_input_files(phone_photo)
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "phone.jpg"), (640, 853))


COUNT_PIXELS = """() => {
    window.decoded = [];
    const [decode, decodeInFull] = [ImageDecoder.prototype.decode, createImageBitmap];
    ImageDecoder.prototype.decode = async function () {
        const result = await decode.call(this);
        decoded.push(result.image.codedWidth * result.image.codedHeight);
        return result;
    };
    window.createImageBitmap = async (...options) => {
        const bitmap = await decodeInFull(...options);
        decoded.push(bitmap.width * bitmap.height);
        return bitmap;
    };
}"""


def test_a_large_photo_is_never_decoded_in_full(page, phone_photo):
    page.evaluate(COUNT_PIXELS)
    chooser(page).set_input_files(phone_photo)
    expect(answer(page)).to_be_visible()
    assert page.evaluate("decoded") == [750 * 1000]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_photo_is_shown_upright_however_it_is_stored(page, orientation):
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transpositions of Pillow that undo what a reader does
    photo, exif = drawn(1500, 2000), Image.Exif()
    exif[0x0112] = orientation
    if orientation > 1:
        photo = photo.transpose(turns[orientation])
    choose(page, "turned.jpg", saved(photo, exif=exif))
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "turned.jpg"), (640, 853))


def test_a_browser_without_an_image_decoder_shrinks_a_photo_while_it_decodes_it(page, phone_photo):
    page.evaluate(COUNT_PIXELS)
    page.evaluate("delete window.ImageDecoder")
    chooser(page).set_input_files(phone_photo)
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "phone.jpg"), (640, 853))
    assert page.evaluate("decoded") == [640 * 853]


TURNS_LATE = """() => {
    delete window.ImageDecoder;
    const decode = createImageBitmap;
    window.createImageBitmap = (file, { resizeWidth, resizeHeight, ...options }) => decode(
        file, resizeWidth ? { resizeWidth: resizeHeight, resizeHeight: resizeWidth } : options);
}"""


def test_a_browser_that_turns_a_photo_after_it_was_shrunk_does_not_distort_it(page, phone_photo):
    page.evaluate(TURNS_LATE)
    chooser(page).set_input_files(phone_photo)
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "phone.jpg"), (640, 853))


SHOWS_NOTHING = """() => {
    window.createImageBitmap = async () => {
        const canvas = new OffscreenCanvas(640, 853);
        canvas.getContext("2d");
        return canvas.transferToImageBitmap();
    };
}"""


def test_a_photo_that_the_browser_decodes_to_nothing_is_decoded_by_the_app(page):
    page.evaluate(SHOWS_NOTHING)
    choose(page, "drawn.jpg", saved(drawn(900, 1200)))
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "drawn.jpg"), (640, 853))


def test_a_picture_with_transparent_parts_is_shown_on_white(page):
    photo = drawn().convert("RGBA")
    photo.paste((0, 0, 0, 0), (100, 100, 200, 200))
    choose(page, "logo.png", saved(photo, "PNG"))
    expect(answer(page)).to_be_visible()
    assert picture(page, "logo.png").evaluate(PIXEL, [150, 150])[:3] == pytest.approx([255] * 3, abs=3)


def test_a_photo_that_the_browser_cannot_decode_is_shown_and_answered(page):
    choose(page, "iphone.heic", saved(drawn(900, 1200), "HEIF"))
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "iphone.heic"), (640, 853))


def test_a_bad_file_gets_a_sentence_and_costs_nothing(page):
    choose(page, "good.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    choose(page, "photo.jpg", b"only text")
    expect(complaint(page)).to_contain_text("photo.jpg This is not a photo")
    expect(picture(page, "good.jpg")).to_be_visible()
    expect(answer(page)).to_be_visible()
    choose(page, "next.jpg", saved(drawn()))
    expect(picture(page, "next.jpg")).to_be_visible()
    expect(answer(page)).to_be_visible()
    expect(complaint(page)).to_be_empty()


SHOWS_HALF = """() => {
    delete window.ImageDecoder;
    window.createImageBitmap = () => {
        const canvas = new OffscreenCanvas(640, 640);
        canvas.getContext("2d").fillRect(0, 0, 640, 320);
        return canvas.transferToImageBitmap();
    };
}"""


@pytest.mark.parametrize("browser_shows_half", [False, True], ids=["as it is", "in a browser that shows half"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP"])
def test_a_photo_that_is_cut_short_is_refused_in_every_browser(page, format, browser_shows_half):
    if browser_shows_half:
        page.evaluate(SHOWS_HALF)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (640, 640, 3), dtype=np.uint8))
    whole = saved(noise, format)
    choose(page, "cut.jpg", whole[: len(whole) // 2])
    expect(complaint(page)).to_contain_text("cut.jpg This photo is damaged or cut short.")
    expect(answer(page)).to_have_count(0)


def test_a_jpeg_followed_by_a_video_is_complete(page):
    choose(page, "motion.jpg", saved(drawn()) + b"film" * 10_000)
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "motion.jpg"), (300, 400))


def test_a_file_too_large_to_send_gets_a_sentence(page, tmp_path):
    scan = tmp_path / "scan.tiff"
    scan.write_bytes(bytes(MAX_BYTES + 1))
    chooser(page).set_input_files(scan)
    expect(complaint(page)).to_contain_text("scan.tiff Your browser can't show this file, and at 30.0 MB")


def test_the_same_file_is_answered_twice(page):
    choose(page, "again.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    answer(page).evaluate("heading => heading.remove()")
    choose(page, "again.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()


def test_the_latest_photo_wins(page):
    for name in ("first.heic", "second.heic"):
        choose(page, name, saved(drawn(), "HEIF"))
    choose(page, "third.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    expect(page.get_by_role("img")).to_have_count(1)
    expect(picture(page, "third.jpg")).to_be_visible()


def test_a_bad_second_photo_does_not_cancel_an_answer_in_progress(page):
    choose(page, "slow.heic", saved(drawn(), "HEIF"))
    choose(page, "photo.jpg", b"only text")
    expect(complaint(page)).to_contain_text("photo.jpg This is not a photo")
    expect(answer(page)).to_be_visible()
    expect(picture(page, "slow.heic")).to_be_visible()


def test_several_photos_are_each_answered_and_a_bad_file_stops_none(page):
    files = [(f"{number}.jpg", saved(drawn())) for number in range(4)]
    choose_several(page, *files[:2], ("text.jpg", b"only text"), ("iphone.heic", saved(drawn(), "HEIF")), *files[2:])
    expect(page.get_by_role("status").get_by_text("6 of 6 done, 1 could not be read")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("article").get_by_role("heading")).to_have_count(5)
    expect(card(page, "text.jpg")).to_contain_text("text.jpg This is not a photo")
    for name in ("3.jpg", "iphone.heic"):
        expect(card(page, name).get_by_role("img", name=name)).to_be_visible()
        expect(card(page, name)).to_contain_text("sure, in")


def test_photos_chosen_while_several_are_under_way_join_them_and_come_first(page):
    choose_several(page, *[(f"{number}.heic", saved(drawn(900, 1200), "HEIF")) for number in range(6)])
    expect(page.get_by_role("article").get_by_role("heading").first).to_be_visible()
    choose(page, "latest.jpg", saved(drawn()))
    expect(page.get_by_text("7 of 7 done")).to_be_visible()
    expect(page.get_by_role("article").first).to_have_accessible_name("latest.jpg")
    expect(page.get_by_role("article").get_by_role("heading")).to_have_count(7)


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_photos_are_dropped_and_pasted_anywhere_on_the_page(page, event):
    expect(chooser(page)).to_be_visible()
    hand_over(page, event, ("photo.png", saved(drawn(), "PNG")))
    expect(answer(page)).to_be_visible()
    expect(picture(page, "photo.png")).to_be_visible()
    hand_over(page, event, *[(f"{number}.jpg", saved(drawn())) for number in range(2)])
    expect(page.get_by_text("3 of 3 done")).to_be_visible()


def test_the_page_shows_that_a_photo_can_be_dropped(page):
    expect(chooser(page)).to_be_visible()
    hand_over(page, "dragover", ("photo.png", saved(drawn(), "PNG")))
    expect(page.locator(".fv-drop-here")).to_be_visible()
    hand_over(page, "drop")
    expect(complaint(page)).to_contain_text("What you dropped is not a file.")
    expect(page.locator(".fv-drop-here")).to_have_count(0)


def test_clearing_resets_the_page(page):
    choose(page, "drawn.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    press(page, "Try another")
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_role("button", name="Try another")).to_be_hidden()
    expect(chooser(page)).to_be_focused()
    choose(page, "photo.jpg", b"only text")
    expect(complaint(page)).to_contain_text("photo.jpg This is not a photo")
    expect(page.get_by_role("article")).to_have_count(0)


def test_a_slow_upload_shows_its_progress(page):
    expect(chooser(page)).to_be_visible()
    page.evaluate(
        """() => {
            globalThis.said = new Set();
            const note = () => said.add(document.querySelector(".fv-answer")?.innerText ?? "");
            new MutationObserver(note).observe(document.body, { subtree: true, childList: true });
        }"""
    )
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    choose(page, "scan.tiff", saved(Image.fromarray(noise), "TIFF"))
    expect(answer(page)).to_be_visible()
    said = page.evaluate("[...said]")
    assert "Looking at scan.tiff…" in said
    assert len([sentence for sentence in said if sentence.startswith("Sending scan.tiff… ")]) > 5


def test_a_kernel_that_is_gone_is_noticed_and_its_photo_asked_again(page, voila):
    kernel_of(page, voila).kill()
    choose(page, "drawn.jpg", saved(drawn()))
    expect(page.get_by_text(GONE)).to_be_visible()
    expect(picture(page, "drawn.jpg")).to_be_visible()
    page.get_by_role("button", name="Reload and ask again").click()
    expect(answer(page)).to_be_visible()
    expect(picture(page, "drawn.jpg")).to_be_visible()
    page.reload()
    expect(chooser(page)).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)


STOP_LONG_CLOCKS = """() => {
    const start = setTimeout;
    window.setTimeout = (act, delay, ...more) => (delay >= 2000 ? 0 : start(act, delay, ...more));
}"""


@pytest.mark.parametrize("known", [False, True], ids=["before", "after"])
def test_a_kernel_that_ends_before_or_after_a_photo_is_chosen_is_noticed_without_waiting(browser, voila, known):
    heard = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
        page.goto(voila.url)
        kernel = kernel_of(page, voila)
        page.evaluate(STOP_LONG_CLOCKS)
        kernel.kill()
        while known and not any(b"restarting" in frame for frame in heard if isinstance(frame, bytes)):
            page.wait_for_timeout(100)
        choose(page, "drawn.jpg", saved(drawn()))
        expect(page.get_by_text(GONE)).to_be_visible()
        page.get_by_role("button", name="Reload and ask again").click()
        expect(answer(page)).to_be_visible()


def test_a_kernel_that_is_silent_while_the_page_opens_answers_in_the_end(browser, voila):
    """It says nothing until Jupyter's script has given up on the first of its two ways to find the widget."""
    silent = []

    def forward(socket):
        server = socket.connect_to_server()

        def send(message):
            if b"request_states" in message:
                silent.extend(kernel_with(urlsplit(socket.url).path.split("/")[-2], voila))
                silent[0].suspend()
            if b"comm_info_request" in message:
                silent[0].resume()
            server.send(message)

        socket.on_message(send)

    with browser.new_context() as context:
        page = context.new_page()
        page.route_web_socket("**/channels*", forward)
        page.goto(voila.url, wait_until="commit")
        choose(page, "drawn.jpg", saved(drawn()))
        try:
            expect(answer(page)).to_be_visible()
        finally:
            for kernel in silent:
                kernel.resume()
    assert silent


LOOK_LATE = """
    const wait = globalThis.setTimeout;
    const late = (look) => {
        const found = globalThis.jupyterapp?.widgetManager.restoredStatus && performance.now() - began > 3000;
        return found ? look() : wait(late, 50, look);
    };
    let began;
    globalThis.setTimeout = (callback, ms, ...more) => {
        if (ms !== 100) return wait(callback, ms, ...more);
        began ??= performance.now();
        return wait(late, 50, callback);
    };
"""


def test_a_widget_that_arrives_after_jupyters_last_look_is_shown_without_a_reload(browser, voila):
    """Jupyter's script looks every 100 ms for two seconds. Here it looks again when the widget is there: too late."""
    with browser.new_context() as context:
        page = context.new_page()
        missed = []
        page.on("console", lambda message: missed.append("widget model not found" in message.text))
        page.add_init_script(LOOK_LATE)
        page.goto(voila.url, wait_until="commit")
        page.evaluate("globalThis.sameDocument = true")
        choose(page, "drawn.jpg", saved(drawn()))
        expect(answer(page)).to_be_visible()
        assert any(missed)
        assert page.evaluate("globalThis.sameDocument")


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_a_kernel_that_ends_before_it_meets_its_page_costs_one_reload_and_no_photo(held, voila, again):
    page, let_through = held(voila.url)
    choose(page, "drawn.jpg", saved(drawn()))
    expect(picture(page, "drawn.jpg")).to_be_visible()
    if again:
        page.evaluate("sessionStorage.setItem('foodvision-unmet', 'yes')")
    kernel_id = json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]
    [kernel] = kernel_with(kernel_id, voila)
    kernel.kill()
    kernel.wait(PATIENCE)
    while not kernel_with(kernel_id, voila):  # Jupyter replaces its process
        page.wait_for_timeout(100)
    let_through()
    if again:
        expect(page.get_by_text(GONE)).to_be_visible()
        expect(page.get_by_text("Error displaying widget")).to_be_hidden()
        page.get_by_role("button", name="Reload and ask again").click()
    expect(answer(page)).to_be_visible()
    expect(picture(page, "drawn.jpg")).to_be_visible()
    assert not page.evaluate("'foodvision-unmet' in sessionStorage")


def test_a_page_that_the_browser_brings_back_from_memory_keeps_its_photos_and_answers(page, voila):
    choose_several(page, ("one.jpg", saved(drawn())), ("two.jpg", saved(drawn())))
    expect(page.get_by_text("2 of 2 done")).to_be_visible()
    kernel_of(page, voila).kill()
    with page.expect_event("load"):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.get_by_text("2 of 2 done")).to_be_visible()
    choose(page, "next.jpg", saved(drawn()))
    expect(page.get_by_text("3 of 3 done")).to_be_visible()


STOP_THE_SILENCE_CLOCK = """() => {
    const start = setTimeout;
    window.setTimeout = (act, delay) => (delay === 6000 ? 0 : start(act, delay));
}"""


@pytest.mark.parametrize(("target", "event"), [("document", "visibilitychange"), ("window", "online")])
def test_a_page_that_wakes_to_a_dead_connection_makes_a_new_one_and_is_answered(browser, voila, target, event):
    sockets, dead = [], []

    def forward(socket):
        server = socket.connect_to_server()
        sockets.append(socket)
        socket.on_message(lambda message: socket in dead or server.send(message))
        server.on_message(lambda message: socket in dead or socket.send(message))

    with browser.new_context() as context:
        page = context.new_page()
        page.route_web_socket("**/channels*", forward)
        page.goto(voila.url)
        expect(page.locator("[data-connected]")).to_be_visible()
        page.evaluate(STOP_THE_SILENCE_CLOCK)
        dead += sockets
        choose(page, "drawn.jpg", saved(drawn()))
        expect(page.get_by_text("Looking at drawn.jpg…")).to_be_visible()
        page.evaluate(f"{target}.dispatchEvent(new Event('{event}'))")
        expect(answer(page)).to_be_visible()
        expect(page.get_by_text(GONE)).to_have_count(0)


def test_a_photo_that_cannot_be_kept_stops_neither_the_reload_nor_another_photo(page, voila, tmp_path):
    names = ["first.jpg", "second.jpg", "large.tiff", "deleted.jpg", "last.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(saved(drawn()))
    (tmp_path / "large.tiff").write_bytes(bytes(12_000_000))
    kernel_of(page, voila).kill()
    chooser(page).set_input_files([tmp_path / name for name in names])
    expect(page.get_by_text(GONE)).to_be_visible()
    (tmp_path / "deleted.jpg").unlink()
    page.get_by_role("button", name="Reload and ask again").click()
    expect(page.get_by_text("3 of 3 done")).to_be_visible()
    expect(complaint(page)).to_contain_text("2 photos could not be kept")
    for name in ("first.jpg", "second.jpg", "last.jpg"):
        expect(card(page, name)).to_contain_text("sure, in")


def test_photos_still_in_line_when_the_app_stopped_are_kept_too(page, voila, phone_photo, tmp_path):
    """As they are, not one would find room."""
    photos = [tmp_path / f"{number}.jpg" for number in range(6)]
    for photo in photos:
        photo.symlink_to(phone_photo)
    kernel_of(page, voila).kill()
    chooser(page).set_input_files(photos)
    page.get_by_role("button", name="Reload and ask again").click()
    expect(page.get_by_text("6 of 6 done")).to_be_visible()
    expect(complaint(page)).to_be_empty()
    for photo in photos:
        assert_upright(picture(page, photo.name), (640, 853))


def test_the_notice_disappears_if_the_kernel_was_only_slow(page, voila):
    kernel = kernel_of(page, voila)
    kernel.suspend()
    choose(page, "drawn.jpg", saved(drawn()))
    expect(page.get_by_text(GONE)).to_be_visible()
    kernel.resume()
    expect(answer(page)).to_be_visible()
    expect(page.get_by_text(GONE)).to_have_count(0)


def test_the_live_camera_takes_a_photo_and_is_switched_off(page):
    page.get_by_role("button", name="Use the camera").click()
    video = page.get_by_label("What the camera sees").element_handle()
    page.get_by_role("button", name="Take the photo").click()
    expect(answer(page)).to_be_visible()
    expect(picture(page, "camera.jpg")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert video.evaluate("video => video.srcObject.getTracks().map((track) => track.readyState)") == ["ended"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotAllowedError", "This page isn't allowed to use the camera"),
        ("NotFoundError", "This device has none"),
        ("AbortError", "opened"),
    ],
)
def test_a_camera_that_cannot_be_used_is_explained(page, error, sentence):
    expect(chooser(page)).to_be_visible()
    page.evaluate(
        "error => navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', error))", error
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(complaint(page)).to_contain_text(sentence)


def test_a_phone_takes_a_photo_with_its_own_camera(browser, voila):
    with opened(browser, voila.url, has_touch=True, is_mobile=True) as phone:
        camera = phone.get_by_label("Take a photo")
        expect(camera).to_have_attribute("capture", "environment")
        camera.set_input_files({"name": "image.jpg", "mimeType": "image/jpeg", "buffer": saved(drawn())})
        expect(answer(phone)).to_be_visible()


def test_answers_are_saved_and_copied_as_json(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_several(page, ("one.jpg", saved(drawn())), ("two.txt", b"only text"), ("three.png", saved(drawn(), "PNG")))
    expect(page.get_by_text("3 of 3 done")).to_be_visible()
    with page.expect_download() as download:
        press_in_menu(page, "Save as JSON")
    text = download.value.path().read_text()
    one, two, three = json.loads(text)
    assert [one["photo"], two["photo"], three["photo"]] == ["one.jpg", "two.txt", "three.png"]
    assert set(one) - {"dishes"} == {"photo", "label", "probability", "probabilities", "unsure", "seconds"}
    assert one["probability"] == one["probabilities"][one["label"]]
    assert sum(three["probabilities"].values()) == pytest.approx(1)
    assert "not a photo" in two["error"]
    press_in_menu(page, "Copy as JSON")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text


def test_answers_that_cannot_be_copied_can_be_saved(page):
    choose(page, "drawn.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('')); }")
    press_in_menu(page, "Copy as JSON")
    expect(page.get_by_text("Your browser does not let this page copy. Save the answers as JSON")).to_be_visible()


def test_answers_are_saved_as_a_picture(page):
    choose_several(page, ("one.jpg", saved(drawn())), ("two.jpg", saved(drawn())))
    expect(page.get_by_text("2 of 2 done")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    with Image.open(download.value.path()) as picture:
        assert picture.size == (1200, 864)
        for x in (300, 900):
            assert np.abs(np.subtract(picture.convert("RGB").getpixel((x, 20)), RED)).max() < 30


def test_the_answers_to_many_photos_are_saved_as_several_pictures(page):
    choose_several(page, *[(f"{number}.jpg", saved(drawn(30, 40))) for number in range(35)])
    expect(page.get_by_text("35 of 35 done")).to_be_visible()
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    with page.expect_download(lambda _: len(downloads) == 2):
        page.get_by_role("button", name="Save picture").click()
    expect(page.get_by_text("Saved as 2 pictures.")).to_be_visible()
    assert [download.suggested_filename for download in downloads] == ["foodvision.png", "foodvision-2.png"]
    tiles = 0
    for download in downloads:
        with Image.open(download.path()) as picture:
            width, height = picture.size
            assert width * height <= 16_777_216
            drawn_tiles = [
                picture.convert("RGB").getpixel((x, y)) != PAPER
                for x in range(300, width, 600)
                for y in range(20, height - 64, 800)
            ]
            tiles += sum(drawn_tiles)
    assert tiles == 35


def test_a_picture_that_cannot_be_made_gets_a_sentence(page):
    choose(page, "drawn.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    page.evaluate("() => { HTMLCanvasElement.prototype.toBlob = (callback) => callback(null); }")
    page.get_by_role("button", name="Save picture").click()
    expect(page.get_by_text("Your browser is short of memory for this picture.")).to_be_visible()
    expect(page.get_by_role("button", name="Save picture")).to_be_enabled()


NOTE_ADDRESS = """() => {
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => (globalThis.address = make(blob));
}"""
LOADS = """() => new Promise((resolve) => {
    const image = new Image();
    Object.assign(image, { onload: () => resolve(true), onerror: () => resolve(false), src: address });
})"""


def test_a_saved_file_can_still_be_fetched_after_the_browser_has_asked(page):
    choose(page, "drawn.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    page.evaluate(NOTE_ADDRESS)
    page.clock.install()
    with page.expect_download():
        page.get_by_role("button", name="Save picture").click()
    page.clock.fast_forward("01:00")
    assert page.evaluate(LOADS)


def test_by_default_nothing_is_kept_and_nothing_is_asked(page):
    expect(page.get_by_text("No photo is kept.")).to_be_visible()
    choose(page, "drawn.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    expect(page.get_by_text("Is this right?")).to_have_count(0)


def test_on_binder_its_link_is_shared_as_an_address_and_a_code(browser, owned):
    with opened(browser, owned.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.get_by_role("button", name="Share this app").click()
        address = page.get_by_label("Address of this app").input_value()
        assert address.startswith("https://mybinder.org/v2/gh/someone/food/main?urlpath=voila")
        page.get_by_role("button", name="Copy the address").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == address
        code = page.get_by_role("img", name="QR code")
        expect(code).not_to_have_js_property("naturalWidth", 0)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Share this app")).to_be_focused()


def test_a_public_page_shares_its_own_address_without_what_a_query_says(browser, voila):
    address = f"http://{PUBLIC_HOST}:{urlsplit(voila.url).port}/"
    with opened(browser, f"{address}?session=mine#here") as page:
        page.get_by_role("button", name="Share this app").click()
        expect(page.get_by_label("Address of this app")).to_have_value(address)
        expect(page.get_by_role("img", name="QR code")).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.parametrize("server", ["voila", "jupyter"])
def test_a_page_on_this_machine_has_nothing_to_share(browser, server, request):
    with opened(browser, request.getfixturevalue(server).url) as page:
        expect(page.locator("[data-connected]")).to_be_visible()
        expect(page.get_by_role("button", name="Share this app")).to_have_count(0)


@pytest.mark.parametrize("place", ["lab/tree", "notebooks"], ids=["JupyterLab", "Notebook 7"])
def test_the_notebook_works_where_notebooks_are_written(browser, workbench, place):
    with opened(browser, f"{workbench.url}{place}/foodvision.ipynb?token=abc") as page:
        run_all(page)
        choose(page, "drawn.jpg", saved(drawn()))
        expect(answer(page)).to_be_visible()
        expect(picture(page, "drawn.jpg")).to_be_visible()
        page.screenshot(path=SCREENSHOTS / f"{place.split('/')[0]}.png")


def test_in_a_notebook_the_dashboard_speaks_the_browsers_language(browser, workbench):
    with opened(browser, f"{workbench.url}notebooks/foodvision.ipynb?token=abc", locale="de") as page:
        run_all(page)
        expect(page.get_by_label("Foto auswählen")).to_be_attached()
        assert page.locator("[lang=de][dir=ltr]").count() == 1


@pytest.mark.parametrize(
    ("theme", "scheme", "background", "system"),
    [
        ("JupyterLab Light", "light", "rgb(255, 255, 255)", "dark"),
        ("JupyterLab Dark", "dark", "rgb(17, 17, 17)", "light"),
    ],
)
def test_in_jupyterlab_the_dashboard_has_the_theme_of_jupyter_and_not_of_the_system(
    browser, workbench, theme, scheme, background, system
):
    settings = f"{workbench.url}lab/api/settings/@jupyterlab/apputils-extension:themes?token=abc"
    url = f"{workbench.url}lab/tree/foodvision.ipynb?token=abc"
    with browser.new_context(color_scheme=system) as context:
        assert context.request.put(settings, data={"raw": json.dumps({"theme": theme})}).ok
        page = context.new_page()
        page.goto(url)
        run_all(page)
        dashboard = page.locator(".foodvision")
        expect(dashboard).to_have_css("color-scheme", scheme)
        expect(dashboard).to_have_css("background-color", background)
        expect(dashboard.get_by_role("button", name="Use the camera")).to_have_css("border-radius", "12px")
        page.screenshot(path=SCREENSHOTS / f"lab-{scheme}.png")


@pytest.mark.learn
def test_the_owners_page_of_verdicts_has_margins_buttons_and_a_readable_plot(browser, tmp_path, tmp_path_factory):
    feedback = Feedback(tmp_path / "feedback.db")
    feedback.add("key", Prediction("pizza", {"pizza": 0.9, "steak": 0.1}, seconds=0.1), "pizza")
    setting = {"FOODVISION_FEEDBACK": str(feedback.path)}
    with (
        serve(["voila", "feedback.ipynb", "--no-browser"], "/", tmp_path_factory, **setting) as server,
        opened(browser, server.url, viewport={"width": 390, "height": 664}) as page,
    ):
        export = page.get_by_role("button", name="Export")
        expect(export).to_be_visible()
        assert page.get_by_role("heading", name="What visitors say").bounding_box()["x"] >= 16
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for scheme, shown in ("light", "none"), ("dark", "invert(1) hue-rotate(180deg)"):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator(".celltag_plot img")).to_have_css("filter", shown)
            expect(export).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
            page.screenshot(path=SCREENSHOTS / f"feedback-{scheme}.png", full_page=True)


@pytest.mark.parametrize("content", [saved(drawn()), b"only text"], ids=["a photo", "no photo"])
def test_a_file_name_is_never_read_as_html(page, content):
    name = "<img src=x onerror=document.title='hacked'>.jpg"
    choose(page, name, content)
    expect(picture(page, name).or_(complaint(page).get_by_text(name))).to_be_visible()
    expect(page).to_have_title("FoodVision")
    expect(page.locator("img[src=x]")).to_have_count(0)


@pytest.mark.parametrize("server", ["voila", "jupyter"])
def test_both_servers_answer_and_nothing_comes_from_another_host(browser, server, request):
    url, hosts = request.getfixturevalue(server).url, set()
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(url)
        choose(page, "drawn.jpg", saved(drawn()))
        expect(answer(page)).to_be_visible()
        expect(page).to_have_title("FoodVision")
    assert hosts - {""} == {urlsplit(url).netloc}  # data: and blob: have no host


def test_the_chooser_is_reached_by_keyboard(page):
    expect(chooser(page)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio").first).to_be_focused()  # which question is asked
    with page.expect_file_chooser():
        page.keyboard.press("Tab")
        expect(chooser(page)).to_be_focused()
        page.keyboard.press("Enter")


def test_a_visitors_kernel_stays_small(page, voila, phone_photo):
    chooser(page).set_input_files(phone_photo)
    expect(answer(page)).to_be_visible()
    assert voila.kernels
    assert max(kernel.memory_info().rss for kernel in voila.kernels) < 250e6


@pytest.mark.parametrize("server", ["voila", "jupyter"])
def test_leaving_the_page_ends_its_kernel(browser, server, request):
    server = request.getfixturevalue(server)
    with opened(browser, server.url) as page:
        kernel = kernel_of(page, server)
        page.goto("about:blank")
        kernel.wait(timeout=PATIENCE)


def test_a_visitors_kernel_imports_nothing_of_training():
    cells = nbformat.read(ROOT / "foodvision.ipynb", as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    run = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    modules = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "fastai", "pandas", "matplotlib"} & set(modules)


@pytest.fixture(scope="module")
def bears(tmp_path_factory):
    """The page of a model for bears: a `Server`."""
    onnx = pytest.importorskip("onnx", reason="no onnx: the page of a model with other classes was not opened")
    from reliability.model_files import write_model

    vocab = ["black_bear", "grizzly_bear", "koala", "panda", "teddy"]
    weights = onnx.numpy_helper.from_array(np.eye(3 * 8**2, len(vocab), dtype=np.float32), "weights")
    path = tmp_path_factory.mktemp("bears") / "bears.onnx"
    given = [("logits", onnx.TensorProto.FLOAT, ["photos", len(vocab)])]
    words = {"vocab": vocab, "decision": {"margin": 0.2}, "titles": {"teddy": "teddy bear"}}
    write_model(path, given=given, weights=[weights], **words)
    command = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
    with serve(command, "/", tmp_path_factory, FOODVISION_MODEL=str(path)) as server:
        yield server


def test_a_page_with_other_classes_mentions_only_those(browser, bears):
    with opened(browser, bears.url) as page:
        question = "Is it black bear, grizzly bear, koala, panda or teddy bear?"
        expect(page.get_by_text(question)).to_be_visible()
        choose(page, "drawn.jpg", saved(drawn()))
        expect(answer(page)).to_have_text(
            re.compile("(black bear|grizzly bear|koala|panda|teddy bear)$", re.IGNORECASE)
        )
        for word in ("food", "pizza", "dish"):
            assert word not in page.locator(".foodvision").inner_text().lower()


def test_the_owners_sentence_in_the_notebook_replaces_the_models(held, editable):
    notebook = nbformat.read(ROOT / "foodvision.ipynb", as_version=4)
    notebook.cells[0].source = "# Bear watch\n\nWhich bear is it?"
    nbformat.write(notebook, editable.notebook)
    page, let_through = held(editable.url)
    let_through()
    expect(page.locator("[data-connected]")).to_be_visible()
    expect(page.get_by_role("heading", name="Bear watch")).to_be_visible()
    expect(page.get_by_text("Which bear is it?")).to_be_visible()
    expect(page.get_by_text("Is it pizza")).to_be_hidden()


def test_the_dashboard_answers_a_ping_and_draws_codes_of_web_addresses_alone(monkeypatch):
    dashboard, sent = Dashboard(lambda photo: 1 / 0), []
    monkeypatch.setattr(dashboard, "send", lambda reply, pictures: sent.append(reply))
    requests = [{"ping": True}, {"qr": "https://food.example.com/"}]
    wrong = [None, 7, "javascript:alert()", "https://" + "a" * 1000, "https://寿司.example", ["https://example.com"]]
    for number, request in enumerate([*requests, *({"qr": text} for text in wrong)]):
        dashboard._receive(dashboard, {"id": number, "size": 0, **request}, [])
    pong, code, *refused = sent
    assert pong == {"id": 0, "pong": True}
    assert code["qr_code"].startswith("data:image/svg+xml")
    assert refused == [
        {"id": number, "error": NONSENSE, "code": "nonsense", "values": []} for number in range(2, 2 + len(wrong))
    ]


def test_an_unforeseen_error_becomes_an_apology(monkeypatch):
    dashboard, sent = Dashboard(lambda photo: 1 / 0), []
    photo = saved(drawn())
    monkeypatch.setattr(dashboard, "send", lambda reply, pictures: sent.append(reply))
    dashboard._receive(dashboard, {"id": 7, "size": len(photo), "shown": True}, [photo])
    assert sent == [{"id": 7, "error": APOLOGY, "code": "apology", "values": []}]


def test_the_installed_template_is_the_one_in_this_folder():
    installed = next(filter(Path.exists, (Path(path, "voila/templates/foodvision") for path in jupyter_path())), None)
    assert installed, "Voilà finds no template `foodvision`: install the package (`pip install -e .`)."
    for file in (ROOT / "foodvision" / "page" / "template").glob("**/*.*"):
        copy = installed / file.relative_to(ROOT / "foodvision" / "page" / "template")
        assert copy.read_bytes() == file.read_bytes(), f"{copy} is out of date: `pip install -e .` renews it."
