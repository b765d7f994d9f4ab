"""The page that the API's server shows: the same page without a kernel, and calls for programs."""

import io
import json
import shutil
import subprocess
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
from conftest import PATIENCE, PUBLIC_HOST, serve
from drawn_pizza import draw_pizza
from PIL import Image
from playwright.sync_api import expect

from benchmarks.programs import crowd
from foodvision import Classifier
from foodvision.page.feedback import SETTING, Feedback

pytestmark = pytest.mark.slow
VISITORS = 50


def saved(picture, format):
    file = io.BytesIO()
    picture.save(file, format)
    return file.getvalue()


DRAWN = draw_pizza(400, 300)
PIZZA = saved(DRAWN, "JPEG")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page of a server that keeps verdicts: a `Server`, with its `feedback`."""
    path = tmp_path_factory.mktemp("feedback") / "feedback.db"
    with serve(["foodvision", "api"], "/", tmp_path_factory, **{SETTING: str(path)}) as server:
        urlopen(server.url, timeout=5 * PATIENCE).close()  # comes once the page is rendered
        server.feedback = Feedback(path)
        yield server


@contextmanager
def opened(browser, url, **settings):
    """A page in a fresh profile, which must not complain in the console."""
    with browser.new_context(**settings) as context:
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        yield page
        assert said == []


def choose(page, name, content):
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "", "buffer": content})


def heading(page):
    return page.locator(".fv-cards h2")


def title():
    """What the page calls the pizza."""
    classifier = Classifier()
    name = classifier.predict(PIZZA).label
    return classifier.titles[name].capitalize()


def test_the_page_answers_a_photo_without_a_kernel_and_asks_no_other_host(browser, site):
    with opened(browser, site.url) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        choose(page, "pizza.jpg", PIZZA)
        expect(heading(page)).to_have_text(title())
        assert f"{site.url}predict" in asked
        assert all(url.startswith((site.url, "blob:", "data:")) for url in asked)
    assert not site.kernels


def test_a_photo_that_the_browser_cannot_show_comes_back_as_a_picture(browser, site):
    with opened(browser, site.url) as page:
        choose(page, "pizza.tiff", saved(DRAWN, "TIFF"))
        expect(heading(page)).to_have_text(title())
        expect(page.locator(".fv-cards img")).to_be_visible()


def test_a_bad_file_gets_its_sentence(browser, site):
    with browser.new_context() as context:  # the browser itself reports the refusal in the console
        page = context.new_page()
        page.goto(site.url)
        choose(page, "notes.txt", b"this is not a photo")
        expect(page.get_by_role("alert").filter(has_text="notes.txt")).to_contain_text("This is not a photo")


def test_verdicts_are_kept_and_a_photo_only_with_consent(browser, site):
    with opened(browser, site.url) as page:
        expect(page.get_by_text("No photo is kept unless you say so.")).to_be_visible()
        choose(page, "pizza.jpg", PIZZA)
        page.get_by_role("button", name="Yes", exact=True).click()
        expect(page.get_by_text("May this page also keep your photo")).to_be_visible()
        assert site.feedback.verdicts()[-1]["has_photo"] is False
        page.get_by_role("button", name="Keep my photo").click()
        expect(page.get_by_text("Thank you. Your feedback and photo are saved.")).to_be_visible()
    verdict = site.feedback.verdicts()[-1]
    assert verdict["has_photo"] and verdict["truth"] == verdict["label"]


def test_a_verdict_may_be_a_dish_or_any_other_name(browser, site):
    """Those that the page offers: the likeliest dish, another from the list, and the visitor's own words."""
    dishes = Classifier().predict(PIZZA).dishes
    with opened(browser, f"{site.url}#show=dishes") as page:
        choose(page, "pizza.jpg", PIZZA)
        page.get_by_role("button", name="Yes", exact=True).click()
        page.get_by_role("button", name="No, just my feedback").click()
        expect(page.get_by_text("Thank you. Your feedback is saved.")).to_be_visible()
        assert site.feedback.verdicts()[-1]["truth"] == next(iter(dishes))
        for typed, truth in {"ramen": "ramen", "Okonomiyaki": "Okonomiyaki"}.items():
            page.get_by_role("button", name="No", exact=True).click()
            page.get_by_label("What is it?").fill(typed)
            page.get_by_role("button", name="Send", exact=True).click()
            expect(page.get_by_text("Thank you. Your feedback is saved.")).to_be_visible()
            assert site.feedback.verdicts()[-1]["truth"] == truth


def test_calls_for_programs_have_the_pages_address_and_work_as_they_are_shown(browser, site, tmp_path):
    with opened(browser, site.url) as page:
        page.get_by_role("button", name="Use via API").click()
        curl, python, script = page.locator(".fv-api pre").all_inner_texts()
        page.keyboard.press("Escape")
        expect(page.locator(".fv-api")).to_have_count(0)
        (tmp_path / "photo.jpg").write_bytes(PIZZA)
        label = Classifier().predict(PIZZA).label
        photo = f"const photo = new Blob([Uint8Array.from({list(PIZZA)})]);"
        logging = f"let said; const console = {{ log: (text) => said = text }}; {photo} {script}"
        logged = page.evaluate(f"async () => {{ {logging}\nreturn said; }}")
    assert logged == label
    ran = subprocess.run(["python3", "-c", python], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == label
    if shutil.which("curl"):
        ran = subprocess.run(["sh", "-c", curl], cwd=tmp_path, capture_output=True, check=True)
        assert json.loads(ran.stdout)["label"] == label


def test_a_public_page_shares_its_address_with_a_code(browser, site):
    with opened(browser, site.url.replace("localhost", PUBLIC_HOST)) as page:
        page.get_by_role("button", name="Share this app").click()
        code = page.locator(".fv-code")
        expect(code).to_be_visible()
        assert page.wait_for_function("() => document.querySelector('.fv-code')?.naturalWidth > 100")
        content = urlopen(code.get_attribute("src").replace(PUBLIC_HOST, "localhost")).read()
    assert content.startswith(b"<?xml") and b"<svg" in content


def test_a_photo_chosen_while_the_server_is_away_is_answered_when_it_is_back(browser, site):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(site.url)
        expect(page.locator("[data-connected]")).to_be_visible()
        context.set_offline(True)
        choose(page, "pizza.jpg", PIZZA)
        expect(page.get_by_text("The app isn't answering")).to_be_visible()
        context.set_offline(False)
        expect(heading(page)).to_have_text(title())
        expect(page.get_by_text("The app isn't answering")).to_have_count(0)


def test_the_page_fits_into_a_small_container(site):
    for _ in range(20):
        urlopen(f"{site.url}predict", PIZZA).close()
    print(f"The API's server with the page: {site.process.memory_info().rss / 1e6:.0f} MB")
    assert not site.kernels and site.process.memory_info().rss < 220e6


def test_a_crowd_at_once_is_answered_in_little_memory(site):
    """`make bench BENCH="--only api"` does it with ten times as many."""
    port = int(site.url.rsplit(":", 1)[1].strip("/"))
    visits = crowd(port, PIZZA, VISITORS)
    assert [label for label, _ in visits] == [Classifier().predict(PIZZA).label] * VISITORS
    print(f"The API's server after {VISITORS} visitors at once: {site.process.memory_info().rss / 1e6:.0f} MB")
    assert site.process.memory_info().rss < 1e9


def test_a_picture_of_any_size_is_sent_small(site):
    tiff = saved(Image.new("RGB", (3000, 2000), "red"), "TIFF")
    picture = Image.open(io.BytesIO(urlopen(f"{site.url}picture", tiff).read()))
    assert picture.format == "JPEG" and min(picture.size) <= 640
