"""What visitors are promised in Firefox and in WebKit, Safari's engine. test_page.py promises it in Chromium."""

import json

import numpy as np
import psutil
import pytest
from conftest import PATIENCE
from engines import ENGINES, wait_for_script
from PIL import Image
from reliability.files import BLUE, GREEN, ORIENTATION, RED, WHITE, close, quadrants, saved

pytestmark = pytest.mark.browser

KINDS = {
    "photo.jpg": "JPEG",
    "photo.png": "PNG",
    "photo.webp": "WEBP",
    "photo.heic": "HEIF",
    "photo.avif": "AVIF",
    "photo.gif": "GIF",
    "photo.bmp": "BMP",
    "photo.tiff": "TIFF",
}


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    """A browser, driven by Selenium."""
    with ENGINES[request.param]() as browser:
        yield browser


class Page:
    """The dashboard in a browser, in the words of a visitor."""

    def __init__(self, browser):
        self.browser = browser

    def wait_for(self, expression, *arguments):
        return wait_for_script(self.browser, f"return {expression}", *arguments, timeout_s=PATIENCE)

    def wait_until_connected(self):
        self.wait_for("document.querySelector('[data-connected]')")

    def choose(self, *paths):
        self.browser.find_element("css selector", "input[type=file]").send_keys("\n".join(map(str, paths)))

    def answer(self, name):
        return self.wait_for("document.querySelector(`article[aria-label='${arguments[0]}'] h2`)?.textContent", name)

    def complaint(self, name):
        """The sentence about a file, or None where the file was answered."""
        self.wait_for(f"(({COMPLAINT}) || document.querySelector(`article[aria-label='${{arguments[0]}}'] h2`))", name)
        return self.browser.execute_script(f"return {COMPLAINT}", name)

    def press(self, text):
        button = "[...document.querySelectorAll('button')].find((button) => button.textContent === arguments[0])"
        self.wait_for(button, text).click()

    def picture(self, name):
        """Its width and height in pixels, and the colours of its quadrants."""
        return self.wait_for(f"({LOOK})(arguments[0])", name)


COMPLAINT = (
    "[...document.querySelectorAll('[role=alert]')].map((e) => e.textContent).find((t) => t.startsWith(arguments[0]))"
)
LOOK = """(name) => {
    const image = document.querySelector(`article[aria-label='${name}'] img`);
    if (!image?.complete) return null;
    const { naturalWidth: width, naturalHeight: height } = image;
    const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
    context.drawImage(image, 0, 0);
    const colour = (x, y) => [...context.getImageData(x * width, y * height, 1, 1).data].slice(0, 3);
    return [[width, height], [colour(0.25, 0.25), colour(0.75, 0.25), colour(0.25, 0.75), colour(0.75, 0.75)]];
}"""


@pytest.fixture
def page(engine, voila):
    """The page, freshly opened and connected with its kernel."""
    engine.get(voila.url)
    page = Page(engine)
    page.wait_until_connected()
    return page


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder with a photo of each kind."""
    folder = tmp_path_factory.mktemp("photos")
    for name, kind in KINDS.items():
        (folder / name).write_bytes(saved(quadrants(1200, 1600), kind))
    return folder


def assert_upright(page, name, size=(640, 853)):
    seen, colours = page.picture(name)
    assert tuple(seen) == size, name
    assert close(colours, [RED, GREEN, BLUE, WHITE]), name


def test_a_photo_of_every_kind_is_shown_and_answered(page, photos):
    for name in KINDS:
        page.choose(photos / name)
        assert page.answer(name)
        assert_upright(page, name)


def test_several_photos_are_each_shown_and_answered(page, photos):
    page.choose(*(photos / name for name in KINDS))
    assert page.wait_for("document.querySelector('.fv-progress')?.textContent.includes('8 of 8 done')")
    for name in KINDS:
        assert page.answer(name)
        assert_upright(page, name)


def test_a_photo_chosen_while_the_app_starts_is_answered(engine, voila, photos):
    engine.get(voila.url)
    page = Page(engine)
    page.choose(photos / "photo.jpg")
    assert page.answer("photo.jpg")


@pytest.mark.parametrize("size", [(300, 400), (1500, 2000)], ids=["small", "large"])
def test_photos_are_shown_upright_however_the_camera_was_held(page, tmp_path, size):
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpositions that undo what a reader does
    paths = [tmp_path / f"{orientation}.jpg" for orientation in turns]
    for path, (orientation, turn) in zip(paths, turns.items(), strict=True):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        path.write_bytes(saved(quadrants(*size).transpose(turn), "JPEG", exif=exif))
    page.choose(*paths)
    for path in paths:
        assert page.answer(path.name)
        assert_upright(page, path.name, size if size == (300, 400) else (640, 853))


COUNT_PIXELS = """
    window.decoded = [];
    const decode = createImageBitmap;
    window.createImageBitmap = async (...options) => {
        const bitmap = await decode(...options);
        decoded.push(bitmap.width * bitmap.height);
        return bitmap;
    };
"""


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_of_48_megapixels_is_made_small_while_it_is_decoded(page, tmp_path, kind):
    page.browser.execute_script(COUNT_PIXELS)
    (tmp_path / "large").write_bytes(saved(quadrants(6000, 8000), kind))
    page.choose(tmp_path / "large")
    assert page.answer("large")
    assert_upright(page, "large")
    assert max(page.browser.execute_script("return decoded"), default=0) <= 2_000_000


def cut_short(kind, **options):
    """The first three quarters of a photo with detail everywhere."""
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind, **options)
    return content[: len(content) * 3 // 4]


GIF_TRAILER = b";"
CUT_SHORT = {
    "photo.jpg": cut_short("JPEG"),
    "progressive.jpg": cut_short("JPEG", progressive=True),
    "photo.png": cut_short("PNG"),
    "photo.webp": cut_short("WEBP"),
    "photo.avif": cut_short("AVIF"),
    "photo.heic": cut_short("HEIF"),
    "photo.gif": cut_short("GIF"),
    "seems_whole.gif": cut_short("GIF").rpartition(GIF_TRAILER)[0] + GIF_TRAILER,
    "photo.bmp": cut_short("BMP"),
}


def test_a_truncated_photo_gets_a_sentence_and_no_answer(page, photos, tmp_path):
    page.choose(photos / "photo.tiff")
    assert page.answer("photo.tiff")
    for name, content in CUT_SHORT.items():
        (tmp_path / name).write_bytes(content)
        page.choose(tmp_path / name)
        assert page.complaint(name), f"{name} was answered"
        assert page.answer("photo.tiff"), f"{name} took the answer before it away"


# Jupyter's script parses each message, and the page shows nothing of this one.
LISTEN_FOR_THE_END = """
    const parse = window.JSON.parse;
    window.JSON.parse = (text, ...more) => {
        window.heardOfTheEnd ||= String(text).includes('"restarting"');
        return parse(text, ...more);
    };
"""


def end_kernel(page, voila):
    """Kill the visitor's kernel, and wait until the page has heard of it."""
    config = json.loads(page.wait_for("document.querySelector('#jupyter-config-data').textContent"))
    (kernel,) = [kernel for kernel in voila.kernels if config["kernelId"] in " ".join(kernel.cmdline())]
    page.browser.execute_script(LISTEN_FOR_THE_END)
    kernel.kill()
    psutil.wait_procs([kernel], timeout=PATIENCE)
    page.wait_for("window.heardOfTheEnd")


# So that the page learns nothing from a long silence.
STOP_LONG_CLOCKS = """
    const start = setTimeout;
    window.setTimeout = (act, delay, ...more) => (delay >= 2000 ? 0 : start(act, delay, ...more));
"""


def test_a_kernel_that_died_long_ago_is_noticed_as_soon_as_a_photo_is_chosen(page, voila, photos):
    end_kernel(page, voila)
    page.browser.execute_script(STOP_LONG_CLOCKS)
    page.choose(photos / "photo.jpg")
    page.press("Reload and ask again")
    assert page.answer("photo.jpg")
    assert_upright(page, "photo.jpg")


MARK_THIS_VISIT = """
    window.leaving = true;
    addEventListener("pageshow", ({ persisted }) => sessionStorage.setItem("restored", persisted));
"""


def test_the_back_button_leads_to_a_page_that_answers(page, photos):
    page.choose(photos / "photo.jpg")
    assert page.answer("photo.jpg")
    page.browser.execute_script(MARK_THIS_VISIT)
    page.browser.get("data:text/html,elsewhere")
    page.browser.back()
    page.wait_for("location.protocol === 'http:' && !window.leaving")
    page.wait_until_connected()
    if page.browser.capabilities["browserName"] == "MiniBrowser":
        assert page.browser.execute_script("return sessionStorage.getItem('restored')") == "true"
        assert page.answer("photo.jpg"), "the photo on show is gone"
    page.choose(photos / "photo.png")
    assert page.answer("photo.png")
