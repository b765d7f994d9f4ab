"""What other sites see of the page: in a frame if the owner allows it, and as the preview of a shared link."""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from urllib.parse import urljoin, urlsplit

import nbformat
import pytest
from conftest import PATIENCE, PUBLIC_HOST, ROOT, free_port, serve
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect
from tornado.httputil import HTTPHeaders

from foodvision.page.embedding import allow_frames, framing_sites
from foodvision.page.extension import ForOtherSites, OnJupyter
from foodvision.page.preview import invitation, own_sentence, preview, site_address

BLOG = "https://blog.example.org"
BLOG_PORT = free_port()
FOODVISION = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
PLAIN_VOILA = ["voila", "foodvision.ipynb", "--no-browser"]
JUPYTER = ["jupyter_server", "--no-browser", "--allow-root", "--IdentityProvider.token=abc"]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in "FOODVISION_FRAMES", "FOODVISION_ADDRESS":
        monkeypatch.delenv(name, raising=False)


def frame_ancestors(policy):
    (rule,) = [rule for rule in policy.split("; ") if rule.startswith("frame-ancestors")]
    return rule.split()[1:]


# Frames


@pytest.mark.parametrize(
    ("setting", "sites"),
    [
        ("", []),
        ("https://blog.example.org", [BLOG]),
        ("blog.example.org", [BLOG]),
        ("https://blog.example.org/", [BLOG]),
        ("HTTPS://Blog.Example.org", [BLOG]),
        ("https://a.example:8443 http://localhost:3000", ["https://a.example:8443", "http://localhost:3000"]),
        ("a.example,b.example,\n *.c.example", ["https://a.example", "https://b.example", "https://*.c.example"]),
        ("*", ["*"]),
    ],
)
def test_the_setting_takes_sites_as_people_write_them(monkeypatch, setting, sites):
    monkeypatch.setenv("FOODVISION_FRAMES", setting)
    assert framing_sites() == sites


@pytest.mark.parametrize(
    "setting", ["https://a.example/page", "a.example;script-src", "'none'", "data:", "a b@c", "**.a", "ftp://a.example"]
)
def test_anything_else_is_named_with_an_example_of_what_to_write(monkeypatch, setting):
    monkeypatch.setenv("FOODVISION_FRAMES", setting)
    with pytest.raises(
        ValueError, match=r"FOODVISION_FRAMES names .* Write sites like this: https://blog\.example\.org"
    ):
        framing_sites()


def test_sites_are_added_to_a_policy_and_change_nothing_else(monkeypatch):
    policy = "default-src 'self'; frame-ancestors 'self' https://huggingface.co; object-src 'none'"
    assert allow_frames(policy) == policy
    monkeypatch.setenv("FOODVISION_FRAMES", BLOG)
    allowed = allow_frames(policy)
    assert frame_ancestors(allowed) == ["'self'", "https://huggingface.co", BLOG]
    assert {"default-src 'self'", "object-src 'none'"} < set(allowed.split("; "))
    assert allow_frames(allowed) == allowed


@pytest.mark.parametrize("policy", ["", "default-src 'self'", "frame-ancestors 'none'"])
def test_a_policy_without_frames_gets_the_rule(monkeypatch, policy):
    monkeypatch.setenv("FOODVISION_FRAMES", BLOG)
    assert BLOG in frame_ancestors(allow_frames(policy)) and "'none'" not in allow_frames(policy)


def head(url, **headers):
    """Headers and text of a page, as a crawler gets them."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE) as response:
        return response.headers, response.read().decode()


@pytest.fixture(scope="module", params=["foodvision", "voila", "jupyter", "api"])
def framed(request, tmp_path_factory):
    """The page, served in one of four ways with FOODVISION_FRAMES set: a `Server`."""
    ways = {
        "foodvision": (FOODVISION, "/"),
        "voila": (PLAIN_VOILA, "/"),
        "api": (["foodvision", "api"], "/"),
        "jupyter": ([*JUPYTER, f"--ServerApp.root_dir={ROOT}"], "/voila/render/foodvision.ipynb?token=abc"),
    }
    command, path = ways[request.param]
    sites = f"{BLOG}, *.example.com, http://localhost:{BLOG_PORT}"
    with serve(command, path, tmp_path_factory, FOODVISION_FRAMES=sites) as server:
        server.way = request.param
        yield server


@pytest.mark.slow
def test_one_setting_holds_for_every_way_of_serving(framed):
    headers, _ = head(framed.url)
    sources = frame_ancestors(headers["Content-Security-Policy"])
    assert {"'self'", BLOG, "https://*.example.com"} <= set(sources)


@pytest.mark.slow
def test_nothing_but_the_page_can_be_framed(framed):
    others = {"jupyter": "/api/status?token=abc", "api": "/v2/health/live"}
    other = others.get(framed.way, "/voila/templates/foodvision/static/favicon.svg")
    headers, _ = head(urljoin(framed.url, other))
    assert BLOG not in headers.get("Content-Security-Policy", "")


@pytest.mark.slow
def test_a_link_has_full_addresses_however_the_page_is_served(framed):
    _, html = head(framed.url, **{"X-Forwarded-Host": PUBLIC_HOST, "X-Forwarded-Proto": "https"})
    image, address = tags(html)["og:image"], tags(html)["og:url"]
    if framed.way == "voila":  # plain Voilà doesn't know who asks
        assert image.startswith("/") and address == "/"
    else:
        assert (
            image.startswith(f"https://{PUBLIC_HOST}/")
            and address == f"https://{PUBLIC_HOST}{urlsplit(framed.url).path}"
        )
    with urllib.request.urlopen(urljoin(framed.url, urlsplit(image).path)) as picture:
        assert picture.headers["Content-Type"] == "image/jpeg"


class Blog(BaseHTTPRequestHandler):
    """A site with the page in a frame, of the size that phones and side bars have."""

    page = ""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f'<iframe src="{self.page}" width="320" height="480" allow="camera"></iframe>'.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def blog():
    """`blog(url)`: address of a site that frames the page, the one that FOODVISION_FRAMES names."""
    server = ThreadingHTTPServer(("localhost", BLOG_PORT), Blog)
    Thread(target=server.serve_forever, daemon=True).start()

    def framing(url):
        Blog.page = url
        return f"http://localhost:{BLOG_PORT}/"

    yield framing
    server.shutdown()
    server.server_close()


def test_a_named_site_shows_the_page_in_a_small_frame_where_photos_are_answered(browser, framed, blog):
    from test_page import drawn, saved

    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(blog(framed.url), wait_until="commit")
        frame = tab.frame_locator("iframe")
        expect(frame.locator("[data-connected]")).to_be_visible()
        chooser = frame.locator("input[type=file]").first
        chooser.set_input_files([{"name": "drawn.jpg", "mimeType": "", "buffer": saved(drawn())}])
        expect(frame.get_by_role("heading").last).to_be_visible()
        expect(frame.get_by_role("img").first).to_be_visible()
        page = next(frame for frame in tab.frames if frame.url == framed.url)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_site_that_is_not_named_shows_nothing(browser, voila, blog):
    with browser.new_context() as context:
        tab = context.new_page()
        with tab.expect_event("console", lambda message: "frame-ancestors" in message.text):
            tab.goto(blog(voila.url))
        assert tab.frame_locator("iframe").locator(".foodvision").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("command", [FOODVISION, ["foodvision", "api"]], ids=["serve", "api"])
@pytest.mark.parametrize(
    ("name", "value"), [("FOODVISION_FRAMES", "https://a.example/page"), ("FOODVISION_ADDRESS", "food.example.org")]
)
def test_a_wrong_setting_is_named_before_the_server_starts(command, name, value):
    command = [sys.executable, "-m", *command, f"--port={free_port()}"]
    setting = os.environ | {name: value}
    ran = subprocess.run(command, cwd=ROOT, env=setting, capture_output=True, encoding="utf-8", timeout=2 * PATIENCE)
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(name) and value in ran.stderr


# Previews of links


def request(path="/", **headers):
    """The parts of a Tornado request that matter here."""
    headers = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return SimpleNamespace(path=path, headers=headers, host=headers["Host"], protocol="http")


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Host": "food.example.org"}, "http://food.example.org"),
        ({"Host": "food.example.org:8866"}, "http://food.example.org:8866"),
        ({"Host": "[2001:db8::1]:8866"}, "http://[2001:db8::1]:8866"),
        ({"Host": "food.example.org", "X_Forwarded_Proto": "https"}, "https://food.example.org"),
        (
            {"Host": "10.0.0.3:7860", "X_Forwarded_Host": "a.example, b", "X_Forwarded_Proto": "https,http"},
            "https://a.example",
        ),
        ({"Host": 'x"><script>'}, ""),
        ({"Host": "food.example.org", "X_Forwarded_Proto": "javascript"}, ""),
    ],
)
def test_the_address_is_the_one_that_visitors_use(headers, address):
    assert site_address(request(**headers).headers, "http") == address


def test_the_owner_may_set_the_address(monkeypatch):
    monkeypatch.setenv("FOODVISION_ADDRESS", "https://food.example.org/")
    headers = {"Host": "10.0.0.3", "X-Forwarded-Host": "wrong.example"}
    assert site_address(headers, "http") == "https://food.example.org"


HEAD = b'<head><meta property="og:image" content="/static/p.jpg"><meta property="og:url" content="/"></head><body>'


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_addresses_are_completed_however_the_page_is_cut_into_pieces(size):
    transform = ForOtherSites(request("/voila/a&b.ipynb", Host="a.example"))
    pieces = [HEAD[start : start + size] for start in range(0, len(HEAD), size)]
    headers = HTTPHeaders({"Content-Type": "text/html"})
    _, _, first = transform.transform_first_chunk(200, headers, pieces[0], finishing=False)
    html = first + b"".join(transform.transform_chunk(piece, finishing=False) for piece in pieces[1:])
    assert b'og:image" content="http://a.example/static/p.jpg"' in html
    assert b'og:url" content="http://a.example/voila/a&amp;b.ipynb"' in html and html.endswith(b"<body>")


@pytest.mark.parametrize(
    ("transform", "kind"),
    [(ForOtherSites, "image/svg+xml"), (OnJupyter, "text/html"), (ForOtherSites, "application/json")],
)
def test_nothing_but_the_apps_pages_is_changed(transform, kind):
    headers = HTTPHeaders({"Content-Type": kind})
    chunk = transform(request("/lab", Host="a.example")).transform_first_chunk(200, headers, HEAD, finishing=True)[2]
    assert chunk == HEAD and "Content-Security-Policy" not in headers


def tags(html):
    """What a page's head says to other sites, by name."""
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', html.partition("</head>")[0])
    return {name: content for name, content in found if name != "theme-color"}


@pytest.mark.slow
def test_a_shared_link_has_title_sentence_and_picture_with_full_addresses(voila):
    _, html = head(voila.url, **{"Host": PUBLIC_HOST, "X-Forwarded-Proto": "https"})
    said, site = tags(html), f"https://{PUBLIC_HOST}"
    assert said["og:title"] == said["twitter:title"] == "FoodVision"
    assert said["description"] == said["og:description"] == said["twitter:description"]
    assert said["description"] == "Is it pizza, steak or sushi? Choose a photo, and see."
    assert said["og:url"] == f"{site}/" and said["twitter:card"] == "summary_large_image"
    assert said["og:image"] == said["twitter:image"]
    assert said["og:image"].startswith(f"{site}/voila/templates/foodvision/static/preview.jpg")
    with urllib.request.urlopen(said["og:image"].replace(f"{site}/", voila.url)) as picture:
        assert picture.headers["Content-Type"] == "image/jpeg" and len(picture.read()) < 300_000
    assert 'rel="apple-touch-icon"' in html and html.count('name="theme-color"') == 2


@pytest.mark.slow
def test_the_address_of_a_link_never_shows_a_token(jupyter):
    _, html = head(jupyter.url)
    assert tags(html)["og:url"].endswith("/user/abc-def/voila/render/foodvision.ipynb")
    assert tags(html)["og:image"].startswith("http://localhost:")


OURS = {"pizza": "pizza", "steak": "steak", "sushi": "sushi", "other_food": "other food", "not_food": "no food"}
NONE = {"other_food": "This looks like food, but not {foods}.", "not_food": "I don't see food here."}
PETS = {"titles": {"cat": "cat", "dog": "dog"}, "background": {}}
DASHBOARD = new_code_cell("Dashboard()", metadata={"tags": ["dashboard"]})


def test_your_own_classes_are_named_and_our_dishes_are_not_shown():
    notebook = new_notebook(cells=[new_markdown_cell("# Pets"), DASHBOARD], metadata={"title": "Pets"})
    shown = preview(notebook, PETS)
    assert shown == {"title": "Pets", "description": "Is it cat or dog? Choose a photo, and see.", "ours": False}
    assert preview(notebook, {"titles": OURS, "background": NONE})["ours"]


def test_your_own_sentence_below_the_title_is_the_description():
    text = "# Pets\n\nUpload *your* pet, and [we](https://example.org) tell\nyou **what** it is.\n\nMore below."
    notebook = new_notebook(cells=[new_markdown_cell(text), DASHBOARD, new_markdown_cell("Later.")])
    assert own_sentence(notebook) == "Upload your pet, and we tell you what it is."
    long = new_notebook(cells=[new_markdown_cell("word " * 100), DASHBOARD])
    assert len(own_sentence(long)) <= 200 and own_sentence(long).endswith("…")


@pytest.mark.parametrize(
    ("titles", "background", "sentence"),
    [
        (OURS, NONE, "Is it pizza, steak or sushi? Choose a photo, and see."),
        ({str(number): str(number) for number in range(101)}, {}, "Which of 101 is it? Choose a photo, and see."),
        ({"cat": "cat", "none": "none"}, {"none": "No cat."}, "Is it cat? Choose a photo, and see."),
        ({}, {}, "Choose a photo, and see what it shows."),
    ],
)
def test_the_sentence_suits_the_classes(titles, background, sentence):
    assert invitation(titles, background) == sentence


@pytest.mark.slow
def test_an_odd_title_cannot_leave_its_attribute(tmp_path, tmp_path_factory):
    notebook = nbformat.read(ROOT / "foodvision.ipynb", as_version=4)
    notebook.metadata.title = 'Pets" onload="alert(1)'
    shutil.copy(ROOT / "export.onnx", tmp_path)
    nbformat.write(notebook, tmp_path / "own.ipynb")
    command = ["foodvision", "serve", str(tmp_path / "own.ipynb"), "--no-browser"]
    with serve(command, "/", tmp_path_factory) as server:
        _, html = head(server.url)
    assert html.count('content="Pets&#34; onload=&#34;alert(1)"') == 2
