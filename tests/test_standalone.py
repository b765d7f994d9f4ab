"""The page of a notebook without a kernel, as one HTML file."""

import http.server
import json
import re
import threading
from contextlib import contextmanager
from functools import partial

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect
from visitor import answer

from foodvision.page.notebook import ServeError
from foodvision.page.standalone import render_page

# An answerer that calls every photo pizza.
PIZZA = """
globalThis.pizzaAnswerer = () => ({
  answer: async () => ({ prediction: {
    label: "pizza", probability: 0.75, probabilities: { pizza: 0.75, steak: 0.25 }, unsure: false, seconds: 0.1 } }),
});
"""
DASHBOARD = new_code_cell("Dashboard(...)", metadata={"tags": ["dashboard"]})


def written(folder, *cells, **metadata):
    path = folder / "own.ipynb"
    nbformat.write(new_notebook(cells=[*cells], metadata=metadata), path)
    return path


@contextmanager
def hosted(folder):
    """The address of a web server on a folder."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_the_page_shows_the_notebooks_text_around_the_dashboard(tmp_path):
    aside = new_markdown_cell("For whoever reads the notebook", metadata={"tags": ["notebook-only"]})
    cells = new_markdown_cell("# My *dogs*"), aside, new_code_cell("secret = 1"), DASHBOARD, new_markdown_cell("Woof.")
    html = render_page(written(tmp_path, *cells, title="Dogs & more"), "pizzaAnswerer").html
    assert "<title>Dogs &amp; more</title>" in html
    above, below = html.split('<div id="dashboard"></div>')
    assert '<h1 id="My-dogs">My <em>dogs</em></h1>' in above
    assert "Woof." in below
    assert "whoever" not in html and "secret" not in html


def test_the_page_says_what_it_is_for_unless_the_owner_does(tmp_path):
    silent = render_page(written(tmp_path, new_markdown_cell("# Dogs"), DASHBOARD), "pizzaAnswerer")
    spoken = render_page(written(tmp_path, new_markdown_cell("# Dogs\nWhich dog is it?"), DASHBOARD), "pizzaAnswerer")
    assert '"invite": true' in silent.html and '"invite": false' in spoken.html


def test_a_notebook_without_a_dashboard_gets_a_sentence(tmp_path):
    with pytest.raises(ServeError, match=r'own.ipynb has no dashboard\. Give the cell .* the tag "dashboard"\.'):
        render_page(written(tmp_path, new_markdown_cell("# Dogs")), "pizzaAnswerer")


def test_a_missing_notebook_gets_a_sentence(tmp_path):
    with pytest.raises(ServeError, match="can't be opened"):
        render_page(tmp_path / "own.ipynb", "pizzaAnswerer")


def test_names_of_classes_cannot_end_the_script(tmp_path):
    notebook = written(tmp_path, DASHBOARD)
    html = render_page(notebook, "pizzaAnswerer", titles={"x": "</script><script>alert(1)</script>"}).html
    assert html.count("</script>") == 1
    known = json.loads(re.search(r"const known = (.*);\n", html)[1])
    assert known["titles"]["x"] == "</script><script>alert(1)</script>"


def test_the_page_answers_photos_and_keeps_to_its_policy(browser, tmp_path):
    page = render_page(ROOT / "foodvision.ipynb", "pizzaAnswerer")
    (tmp_path / "index.html").write_text(page.html, encoding="utf-8")
    with hosted(tmp_path) as address, browser.new_context() as context:
        tab = context.new_page()
        tab.add_init_script(PIZZA)
        asked, said = [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(address)
        tab.locator("input[type=file]").first.set_input_files(ROOT / "docs" / "phone.png")
        expect(answer(tab)).to_have_text("Pizza")
        assert said == []
        assert {url for url in asked if not url.startswith(("blob:", "data:"))} == {address}


def test_the_policy_stops_scripts_and_styles_from_elsewhere(browser, tmp_path):
    owner = "# Dogs\n\n<script>document.title = 'taken'</script><b style='color: red' id=red>x</b>"
    html = render_page(written(tmp_path, new_markdown_cell(owner), DASHBOARD), "pizzaAnswerer").html
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    with hosted(tmp_path) as address, browser.new_context() as context:
        tab = context.new_page()
        tab.add_init_script(PIZZA)
        tab.goto(address)
        expect(tab.locator("[data-connected]")).to_be_visible()
        assert tab.title() != "taken"
        assert tab.evaluate("getComputedStyle(document.querySelector('b')).color") != "rgb(255, 0, 0)"
