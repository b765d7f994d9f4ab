"""The page in the visitor's language, in a real browser. What each language says is checked in tests/js."""

import re

import pytest
from conftest import ROOT, serve
from playwright.sync_api import expect

from foodvision.answer import refusals
from foodvision.page import dashboard
from foodvision.page.standalone import PICTURES, render_page

LANGUAGES = ROOT / "foodvision" / "page" / "template" / "static" / "languages"
PIZZA = ROOT / "examples" / "1-drawn-pizza.webp"
PHONE = {"width": 320, "height": 568}
DESKTOP = {"width": 1440, "height": 900}
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture
def opened(browser, voila):
    """`opened(locale, query)`: the page in a browser of that language, and the paths of what it has asked for."""
    contexts = []

    def open_page(locale, query="", **options):
        context = browser.new_context(locale=locale, **options)
        contexts.append(context)
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
        page.goto(voila.url + query, wait_until="commit")
        expect(page.locator("[data-connected]")).to_be_visible()
        return page, asked

    yield open_page
    for context in contexts:
        context.close()


def files(asked):
    return [address.rpartition("/")[2] for address in asked if "/languages/" in address]


def ask(page):
    page.locator("input[type=file]").first.set_input_files(PIZZA)
    return page.get_by_role("status").get_by_role("heading")


def test_a_german_browser_gets_a_german_page_and_no_other_words(opened):
    page, asked = opened("de-AT")
    expect(page.get_by_text("Ist es Pizza, Steak oder Sushi?")).to_be_visible()
    expect(page.get_by_label("Foto auswählen")).to_be_attached()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["de", "ltr"]
    assert files(asked) == ["de.js"]
    expect(ask(page)).to_have_text("Pizza")
    expect(page.get_by_text(re.compile(r"Sehr wahrscheinlich|Wahrscheinlich")).first).to_be_visible()


def test_dishes_have_their_japanese_names(opened):
    page, _ = opened("ja")
    expect(ask(page)).to_have_text("ピザ")


def test_the_address_overrides_the_browser(opened):
    page, asked = opened("de", "?lang=fr")
    expect(page.get_by_text(": pizza, steak ou sushi ?")).to_be_visible()
    assert files(asked) == ["fr.js"]


@pytest.mark.parametrize(("locale", "query"), [("en-GB", ""), ("pl-PL", "?lang=tlh")])
def test_english_is_built_in_and_stands_in_for_languages_that_are_missing(opened, locale, query):
    page, asked = opened(locale, query)
    expect(page.get_by_text("Is it pizza, steak or sushi?")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en" and files(asked) == []


def test_a_file_that_cannot_be_read_is_refused_in_the_language(opened):
    page, _ = opened("de")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "menu.pdf", "mimeType": "", "buffer": b"%PDF-1.7 nothing but text"}
    )
    expect(page.get_by_role("alert")).to_contain_text("menu.pdf Dateien dieser Art (PDF) können hier nicht")


@pytest.mark.parametrize("language", sorted(file.stem for file in LANGUAGES.glob("*.js")))
def test_everything_that_the_app_says_about_files_is_translated(language):
    _, _, known = (LANGUAGES / f"{language}.js").read_text(encoding="utf-8").partition("refusals: {")
    sentences = [*vars(refusals).values(), *vars(dashboard).values()]
    said = {one.code for one in sentences if isinstance(one, refusals.Refusal)}
    said |= {refusals.cannot_be_read(kind).code for kind in ("PDF", "TIFF with LERC compression")}
    said |= {refusals.too_large(1, 1).code}
    assert len(said) == 20
    assert said == set(re.findall(r"^    (\w+):", known, re.MULTILINE))


def test_words_that_do_not_arrive_cost_nothing_but_the_language(browser, voila):
    with browser.new_context(locale="de") as context:
        page = context.new_page()
        page.route("**/languages/*", lambda route: route.abort())
        page.goto(voila.url, wait_until="commit")
        expect(page.get_by_text("Is it pizza, steak or sushi?")).to_be_visible()
        expect(ask(page)).to_have_text("Pizza")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_right_to_left_everything_fits_and_begins_at_the_right(opened, viewport):
    page, _ = opened("ar", viewport=viewport)
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate(FITS)
    heading = ask(page)
    expect(heading).to_have_text("بيتزا")
    assert page.evaluate(FITS)
    assert heading.evaluate("node => getComputedStyle(node).direction") == "rtl"


@pytest.mark.parametrize("language", sorted(file.stem for file in LANGUAGES.glob("*.js")))
def test_no_language_overflows_a_small_phone(opened, language):
    page, _ = opened(language, viewport=PHONE)
    assert page.evaluate(FITS)
    expect(ask(page)).to_be_visible()
    assert page.evaluate(FITS)


def test_the_page_without_a_kernel_speaks_it_as_well(browser, tmp_path_factory):
    with (
        serve(["foodvision", "api"], "/", tmp_path_factory) as server,
        browser.new_context(locale="es") as context,
    ):
        page = context.new_page()
        page.goto(server.url, wait_until="commit")
        expect(page.get_by_text("¿Es pizza, bistec o sushi?")).to_be_visible()
        expect(ask(page)).to_have_text("Pizza")


def test_a_page_without_a_server_names_the_address_that_it_was_given():
    html = render_page(ROOT / "foodvision.ipynb", "deviceAnswerer", address="https://a.example/food/").html
    assert 'og:url" content="https://a.example/food/"' in html
    assert f'og:image" content="https://a.example/food/{PICTURES[0]}"' in html
