"""Hostile pages and faults do no harm: `tests/reliability/messages.py` in a quick form."""

import io
import json
import re
import resource
import sqlite3
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import conftest
import numpy as np
import pytest
from conftest import ROOT, free_port, serve
from jupyter_client.session import Session
from PIL import Image
from playwright.sync_api import expect
from reliability.messages import TO_ANY_SERVER, TO_OURS, Visitor, photo, run
from websockets.exceptions import ConnectionClosed, InvalidStatus

from foodvision import Prediction
from foodvision.answer.refusals import APOLOGY
from foodvision.page.assets import STATIC
from foodvision.page.dashboard import MAX_ARRIVING_BYTES, MAX_BYTES, NONSENSE, Dashboard
from foodvision.page.feedback import Feedback
from foodvision.page.guard import MAX_WEBSOCKETS, POLICY_VIOLATION

PIZZA = Prediction("pizza", {"pizza": 0.9, "steak": 0.1}, seconds=0.1)
GONE = "The app isn't answering"


@pytest.mark.parametrize("kind", TO_OURS, ids=lambda kind: kind.__name__)
def test_whatever_a_page_sends_the_next_photo_is_answered_and_memory_stays_bounded(voila, kind):
    (row,) = run(voila, [kind], many=400)
    assert row.tried and not row.wrong
    assert row.megabytes < 90  # a visitor's unfinished requests are 60 at most


@pytest.mark.parametrize("kind", TO_ANY_SERVER, ids=lambda kind: kind.__name__)
def test_the_dashboard_withstands_visitors_who_own_the_server(jupyter, kind):
    (row,) = run(jupyter, [kind], many=50)
    assert row.tried and not row.wrong
    assert row.megabytes < 90


@pytest.fixture
def dashboard(monkeypatch):
    """A dashboard; `sent` holds its replies."""
    dashboard = Dashboard(lambda photo: PIZZA)
    dashboard.sent = []
    monkeypatch.setattr(dashboard, "send", lambda reply, pictures=(): dashboard.sent.append(reply))
    return dashboard


def test_unfinished_requests_never_hold_more_than_their_share(dashboard):
    almost = bytes(MAX_BYTES - 1)
    for number in range(5):
        dashboard._receive(dashboard, {"id": number, "size": MAX_BYTES}, [almost])
        assert sum(map(len, dashboard._arriving.values())) <= MAX_ARRIVING_BYTES
    assert list(dashboard._arriving) == [3, 4]


def test_a_request_of_more_or_less_than_it_says_gets_a_sentence(dashboard):
    dashboard._receive(dashboard, {"id": 1, "size": 3}, [b"four"])
    dashboard._receive(dashboard, {"id": 2, "size": MAX_BYTES + 1}, [b"four"])
    assert dashboard.sent == [{"id": number, "error": NONSENSE, "code": "nonsense", "values": []} for number in (1, 2)]


def test_a_file_that_cannot_be_read_gets_a_sentence_and_what_translates_it(dashboard):
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    dashboard._receive(dashboard, {"id": 1, "size": len(drawing)}, [drawing])
    (reply,) = dashboard.sent
    assert reply["error"].startswith("This is an SVG drawing")
    assert (reply["code"], reply["values"]) == ("cannot_be_read", ["SVG"])


def test_both_servers_limit_a_message_to_more_than_the_page_sends():
    power = re.search(r"const PART_BYTES = 2 \*\* (\d+);", (STATIC / "kernel.js").read_text())[1]
    config = json.loads((ROOT / "voila.json").read_text())
    for server in "Voila", "ServerApp":
        assert config[server]["tornado_settings"]["websocket_max_message_size"] >= 2 * 2 ** int(power)


def test_a_visitor_has_only_so_many_websockets(voila):
    visitor = Visitor(voila.url)
    first, session = visitor.socket, visitor.session
    for _ in range(MAX_WEBSOCKETS):
        visitor.session = Session()  # or else the server ends the one before
        visitor.connect()
    with pytest.raises(ConnectionClosed):
        visitor.heard()
    assert visitor.closed == POLICY_VIOLATION
    visitor.socket, visitor.session = first, session
    assert "prediction" in visitor.ask(photo())
    visitor.leave()


def test_a_request_larger_than_any_that_the_page_sends_is_refused(voila):
    connection = HTTPConnection(urlsplit(voila.url).netloc, timeout=conftest.PATIENCE)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    assert connection.getresponse().status == 400


def test_another_site_cannot_talk_to_a_visitors_kernel(voila):
    visitor = Visitor(voila.url)
    with pytest.raises(InvalidStatus, match="403"):
        visitor.connect(origin="https://example.org")
    visitor.leave()


def jpeg(photo):
    file = io.BytesIO()
    photo.save(file, "JPEG")
    return file.getvalue()


@contextmanager
def opened(browser, url):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        yield page


def choose(page, content):
    files = [{"name": "drawn.jpg", "mimeType": "", "buffer": content}]
    page.get_by_label("Choose a photo").set_input_files(files)


def answer(page):
    return page.get_by_role("status").get_by_role("heading")


def test_a_message_too_large_for_the_server_gets_a_sentence(browser, tmp_path_factory):
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    limit = "--Voila.tornado_settings={'websocket_max_message_size': 60000}"
    command = ["foodvision", "serve", "foodvision.ipynb", "--no-browser", limit]
    with serve(command, "/", tmp_path_factory) as server, opened(browser, server.url) as page:
        choose(page, jpeg(Image.fromarray(noise)))
        expect(page.get_by_text(GONE)).to_be_visible()


def test_a_kernel_that_ends_during_an_answer_is_noticed_and_the_photo_is_sent_again(page, voila):
    choose(page, photo())
    expect(answer(page)).to_be_visible()
    kernel_id = json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]
    kernel = next(kernel for kernel in voila.kernels if kernel_id in " ".join(kernel.cmdline()))
    kernel.suspend()
    choose(page, photo())
    expect(page.get_by_text("Looking at drawn.jpg…")).to_be_visible()
    kernel.kill()
    expect(page.get_by_text(GONE)).to_be_visible()
    page.get_by_role("button", name="Reload and ask again").click()
    expect(answer(page)).to_be_visible()


def test_a_server_that_was_restarted_under_an_open_page_answers_after_a_reload(browser, tmp_path_factory, monkeypatch):
    port = free_port()
    monkeypatch.setattr(conftest, "free_port", lambda: port)
    command = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
    with browser.new_context() as context:
        page = context.new_page()
        with serve(command, "/", tmp_path_factory) as server:
            page.goto(server.url)
            choose(page, photo())
            expect(answer(page)).to_be_visible()
        with serve(command, "/", tmp_path_factory):
            choose(page, photo())
            expect(page.get_by_text(GONE)).to_be_visible()
            page.get_by_role("button", name="Reload and ask again").click()
            expect(answer(page)).to_be_visible()


@contextmanager
def full_disk(size):
    """Limit the size of this process's files to `size` bytes, to act like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_a_verdict_gets_an_apology_and_what_was_kept_stays_whole(dashboard, tmp_path):
    path = tmp_path / "feedback.db"
    dashboard.feedback = feedback = Feedback(path)
    dashboard._receive(dashboard, {"id": 1, "size": len(photo()), "shown": True}, [photo()])
    feedback.add("earlier", PIZZA, "steak", photo())
    noise = jpeg(Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)))
    verdict = {"id": 2, "size": len(noise), "about": 1, "truth": "steak"}
    with full_disk(path.stat().st_size + 4096):
        dashboard._receive(dashboard, verdict, [noise])
    assert dashboard.sent[-1] == {"id": 2, "error": APOLOGY, "code": "apology", "values": []}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [kept["key"] for kept in feedback.verdicts()] == ["earlier"]
    assert feedback.photo("earlier") == photo()
    dashboard._receive(dashboard, verdict | {"id": 3}, [noise])
    assert dashboard.sent[-1] == {"id": 3, "photo_kept": True}
    assert len(feedback.verdicts()) == 2
