"""What a visitor is promised, checked in a real browser."""

import io
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
from conftest import ROOT
from jupyter_core.paths import jupyter_path
from PIL import Image
from playwright.sync_api import expect

from foodvision import Prediction
from foodvision.dashboard import APOLOGY, MAX_BYTES, Dashboard, describe

FOODS = ("pizza", "steak", "sushi")
RED, BLUE = (220, 30, 30), (30, 30, 220)


def chooser(page):
    return page.get_by_label("Choose a photo")


def choose(page, name, content):
    chooser(page).set_input_files({"name": name, "mimeType": "", "buffer": content})


def picture(page, name):
    return page.get_by_role("img", name=f"Your photo, {name}", exact=True)


def answer(page):
    return page.get_by_role("status").get_by_role("heading")


def complaint(page):
    return page.get_by_role("alert")


def saved(photo, format="JPEG", **options):
    file = io.BytesIO()
    photo.save(file, format, **options)
    return file.getvalue()


def drawn(width=300, height=400):
    """A portrait that shows which way up it is: red above blue."""
    photo = Image.new("RGB", (width, height), RED)
    photo.paste(BLUE, (0, height // 2, width, height))
    return photo


def from_a_phone():
    """12 megapixels, 12 MB: `drawn`, with noise in its middle, stored lying on its side with EXIF orientation 6."""
    photo = drawn(3000, 4000)
    noise = np.random.default_rng(0).integers(0, 256, (3200, 3000, 3), dtype=np.uint8)
    photo.paste(Image.fromarray(noise), (0, 400))
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(photo.transpose(Image.Transpose.ROTATE_90), quality=97, exif=exif)


def assert_upright(canvas, size):
    """The canvas shows `drawn` in a size of (width, height) pixels."""
    width, height = size
    assert canvas.evaluate("canvas => [canvas.width, canvas.height]") == [width, height]
    pixel = "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data]"
    for colour, y in (RED, height // 20), (BLUE, height - height // 20):
        *seen, _ = canvas.evaluate(pixel, [width // 2, y])
        assert np.abs(np.subtract(seen, colour)).max() < 30


def test_the_page_opens_with_its_title_and_a_photo_chooser(page):
    expect(chooser(page)).to_be_visible()
    expect(page).to_have_title("FoodVision")
    expect(page.get_by_role("heading", name="FoodVision")).to_be_visible()


def test_real_photos_get_the_right_label(page, food_photos):
    photos = [photo for food in FOODS for photo in food_photos(food)[:75]]
    right = right_of_three = 0
    for photo in photos:
        chooser(page).set_input_files(photo)
        expect(picture(page, photo.name)).to_be_visible()
        expect(answer(page)).to_be_visible()
        food = photo.parent.name
        right += answer(page).inner_text().lower() == food
        names = [bar.split()[0].lower() for bar in page.get_by_role("listitem").all_inner_texts()]
        right_of_three += next(name for name in names if name in FOODS) == food
    assert right / len(photos) >= 0.93
    assert right_of_three / len(photos) >= 0.96


def test_an_answer_says_how_sure_and_how_long_with_a_bar_for_each_class(page):
    choose(page, "drawn.jpg", saved(drawn()))
    expect(page.get_by_role("status")).to_contain_text("sure, in 0.")
    expect(page.get_by_role("listitem")).to_contain_text(["%"] * 5)


def test_a_large_photo_lying_on_its_side_is_shown_upright_and_answered(page):
    photo = from_a_phone()
    assert len(photo) >= 12e6
    choose(page, "phone.jpg", photo)
    expect(answer(page)).to_be_visible()
    assert_upright(picture(page, "phone.jpg"), (640, 853))


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


def test_a_file_too_large_to_send_gets_a_sentence(page):
    choose(page, "scan.tiff", bytes(MAX_BYTES + 1))
    expect(complaint(page)).to_contain_text("scan.tiff Your browser cannot show this file, and at 10.4 MB")


def test_the_same_file_is_answered_twice(page):
    choose(page, "again.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    page.get_by_role("status").evaluate("status => status.replaceChildren()")
    choose(page, "again.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()


def test_the_latest_photo_wins(page):
    for name in ("first.heic", "second.heic"):
        choose(page, name, saved(drawn(), "HEIF"))
    choose(page, "third.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()
    expect(page.get_by_role("img")).to_have_count(1)
    expect(picture(page, "third.jpg")).to_be_visible()


@pytest.mark.parametrize("content", [saved(drawn()), b"only text"], ids=["a photo", "no photo"])
def test_a_file_name_is_never_read_as_html(page, content):
    name = "<img src=x onerror=document.title='hacked'>.jpg"
    choose(page, name, content)
    expect(picture(page, name).or_(complaint(page).get_by_text(name))).to_be_visible()
    expect(page).to_have_title("FoodVision")
    expect(page.locator("img")).to_have_count(0)


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
    with page.expect_file_chooser():
        page.keyboard.press("Tab")
        expect(chooser(page)).to_be_focused()
        page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 700})
    choose(page, f"{'a-long-name' * 20}.jpg", b"only text")
    expect(complaint(page)).to_contain_text("This is not a photo")
    choose(page, "wide.jpg", saved(drawn(1600, 700)))
    expect(answer(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_visitors_kernel_stays_small(page, voila):
    choose(page, "phone.jpg", from_a_phone())
    expect(answer(page)).to_be_visible()
    assert voila.kernels
    assert max(kernel.memory_info().rss for kernel in voila.kernels) < 250e6


def test_leaving_the_page_ends_its_kernel(page, voila):
    expect(chooser(page)).to_be_visible()
    kernel = max(voila.kernels, key=lambda kernel: kernel.create_time())
    page.goto("about:blank")
    kernel.wait(timeout=30)


def test_a_visitors_kernel_imports_nothing_of_training():
    cells = nbformat.read(ROOT / "foodvision.ipynb", as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    run = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    modules = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "fastai", "pandas", "matplotlib"} & set(modules)


def test_an_unforeseen_error_becomes_an_apology(monkeypatch):
    dashboard, sent = Dashboard(lambda photo: 1 / 0), []
    monkeypatch.setattr(dashboard, "send", lambda reply, pictures: sent.append(reply))
    dashboard._receive(dashboard, {"id": 7, "shown": True}, [saved(drawn())])
    assert sent == [{"id": 7, "error": APOLOGY}]


@pytest.mark.parametrize(
    ("vocab", "label", "heading"),
    [
        (["not_food", "other_food", "pizza", "steak", "sushi"], "pizza", "Pizza"),
        (["not_food", "other_food", "pizza", "steak", "sushi"], "not_food", "I don't see food here."),
        (
            ["not_food", "other_food", "pizza", "steak", "sushi"],
            "other_food",
            "This looks like food, but not pizza, steak or sushi.",
        ),
        (["other_food", "french_fries"], "other_food", "This looks like food, but not french fries."),
        (["other_food", *"abcdefg"], "other_food", "This looks like food, but not one of the 7 foods I know."),
        (["grizzly_bear", "teddy"], "grizzly_bear", "Grizzly bear"),
    ],
)
def test_any_vocab_is_put_in_words(vocab, label, heading):
    probabilities = dict.fromkeys(vocab, 1 / len(vocab))
    described = describe(Prediction(label, probabilities, seconds=0.1))
    assert described["heading"] == heading
    assert len(described["bars"]) == min(5, len(vocab))


def test_doubt_between_two_foods_is_said():
    prediction = Prediction("pizza", {"not_food": 0.2, "pizza": 0.42, "steak": 0.38}, seconds=0.1, unsure=True)
    assert describe(prediction)["doubt"] == "It could also be steak."


def test_the_installed_template_is_the_one_in_this_folder():
    installed = next(filter(Path.exists, (Path(path, "voila/templates/foodvision") for path in jupyter_path())), None)
    assert installed, "Voilà finds no template `foodvision`: install the package (`pip install -e .`)."
    for file in (ROOT / "foodvision" / "template").glob("**/*.*"):
        copy = installed / file.relative_to(ROOT / "foodvision" / "template")
        assert copy.read_bytes() == file.read_bytes(), f"{copy} is out of date: `pip install -e .` renews it."
