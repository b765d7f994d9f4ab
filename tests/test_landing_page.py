"""The landing page in docs/: what a shared link shows, and how it starts the app on Binder."""

import json
import re
import shutil
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from PIL import Image
from playwright.sync_api import expect

from foodvision.page.links import write_links
from foodvision.page.remote import Repository, find_repository

LANDING = ROOT / "docs" / "index.html"
BINDER = "https://mybinder.org/v2/gh/OWNER/REPO/HEAD?urlpath=voila%2Frender%2Ffoodvision.ipynb"
PUBLISHED = "https://pages.example.org/food/"
SERVER = "https://hub.example.org/user/abc/"


@pytest.mark.parametrize(
    ("host", "path", "address"),
    [
        ("github.com", "Someone/food", "https://someone.github.io/food"),
        ("github.com", "someone/someone.github.io", "https://someone.github.io"),
        ("gitlab.com", "group/team/food", "https://group.gitlab.io/team/food"),
        ("codeberg.org", "someone/food", ""),
    ],
)
def test_the_address_of_published_pages_follows_from_the_repository(host, path, address):
    assert Repository("https", host, path, "main").pages_address == address


def test_share_writes_the_address_into_the_landing_page(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", "https://github.com/Someone/food"], check=True)
    shutil.copy(LANDING, tmp_path)
    (written,) = write_links(tmp_path, find_repository(tmp_path))
    text = written.read_text(encoding="utf-8")
    assert "OWNER" not in text and "REPO" not in text
    assert "https://mybinder.org/v2/gh/Someone/food/HEAD?urlpath=voila%2Frender%2Ffoodvision.ipynb" in text
    assert text.count('content="https://someone.github.io/food/') == 2 and "https://github.com/Someone/food" in text


def test_its_preview_is_there_and_its_files_are_beside_it():
    text = LANDING.read_text(encoding="utf-8")
    width, height = Image.open(LANDING.parent / "preview.jpg").size
    assert f'og:image:width" content="{width}"' in text and f'og:image:height" content="{height}"' in text
    for name in re.findall(r'(?:src|href)="([^":]+)"', text):
        assert (LANDING.parent / name).is_file(), name
    static = ROOT / "foodvision" / "page" / "template" / "static"
    assert (LANDING.parent / "preview.jpg").read_bytes() == (static / "preview.jpg").read_bytes()


@pytest.fixture
def landing(browser):
    """The landing page as if it were published; `landing.asked` lists the addresses on other hosts."""
    with browser.new_context(viewport={"width": 390, "height": 664}) as context:
        page = context.new_page()
        page.asked = []

        def answer(route):
            name = route.request.url.removeprefix(PUBLISHED) or "index.html"
            if not route.request.url.startswith(PUBLISHED):
                page.asked.append(route.request.url)
                return route.fulfill(body="Binder's own page", content_type="text/html")
            return route.fulfill(path=LANDING.parent / name)

        context.route("**/*", answer)
        page.goto(PUBLISHED)
        yield page


def binder(page, *events):
    """Let Binder's build service report these events."""
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    headers = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"}
    page.route("https://mybinder.org/build/**", lambda route: route.fulfill(body=body, headers=headers))


def test_the_button_starts_binder_behind_the_page_and_then_opens_the_app(landing):
    ready = {"phase": "ready", "url": SERVER, "token": "t0ken"}
    binder(landing, {"phase": "waiting"}, {"phase": "building", "message": "Step 1"}, {"phase": "launching"}, ready)
    assert landing.asked == []
    landing.get_by_role("link", name="Start FoodVision").click()
    landing.wait_for_url(f"{SERVER}voila/render/foodvision.ipynb?token=t0ken")


@pytest.mark.parametrize("events", [[{"phase": "failed", "message": "no"}], []], ids=["failed", "cut off"])
def test_if_binder_fails_its_own_page_says_why(landing, events):
    binder(landing, *events)
    landing.get_by_role("link", name="Start FoodVision").click()
    landing.wait_for_url(BINDER)


def test_it_says_what_binder_is_doing(landing):
    landing.evaluate("""() => { globalThis.EventSource = class extends EventTarget {
        constructor(address) { super(); globalThis.source = this; this.address = address; }
        close() {}
    } }""")
    landing.get_by_role("link", name="Start FoodVision").click()
    expect(landing.get_by_role("status")).to_have_text("Waiting in line…")
    assert landing.evaluate("source.address") == "https://mybinder.org/build/gh/OWNER/REPO/HEAD"
    say = "phase => source.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ phase }) }))"
    landing.evaluate(say, "building")
    expect(landing.get_by_role("status")).to_contain_text("Building the app")
    landing.evaluate(say, "a phase of the future")
    expect(landing.get_by_role("status")).to_contain_text("Building the app")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(landing, scheme):
    landing.emulate_media(color_scheme=scheme)
    expect(landing.get_by_role("link", name="Start FoodVision")).to_be_in_viewport()
    assert landing.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Axe().run(landing).response["violations"] == []
