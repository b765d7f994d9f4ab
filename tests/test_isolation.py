"""Visitors are kept apart: nobody sees another's photo, none stays on disk, and the server hands out no files."""

import http.client
import io
import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import nbformat
import numpy as np
import pytest
from conftest import PATIENCE, ROOT, serve
from nbclient import NotebookClient
from PIL import Image
from playwright.sync_api import expect
from reliability.messages import Visitor, photo

from foodvision import Prediction
from foodvision.page.dashboard import FORGOTTEN
from foodvision.page.feedback import Feedback

SCRIPT = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


@pytest.fixture
def visitors(voila):
    """Two visitors, each with a page open."""
    visitors = Visitor(voila.url), Visitor(voila.url)
    yield visitors
    for visitor in visitors:
        visitor.leave()


def test_a_visitor_receives_nothing_meant_for_another(visitors):
    one, other = visitors
    assert "prediction" in one.ask(photo())
    with pytest.raises(TimeoutError):
        while True:
            _, parent, _, _ = other.heard(patience=1)
            assert parent.get("session") != one.session.session
    assert "prediction" in other.ask(photo())


def test_a_visitor_cannot_reach_another_visitors_dashboard(visitors):
    one, other = visitors
    other.dashboard = one.dashboard
    assert other.request({"id": 1, "size": 0}) == []


def test_a_visitor_cannot_give_a_verdict_on_anothers_answer(owned):
    one, other = Visitor(owned.url), Visitor(owned.url)
    before = Feedback(owned.feedback).verdicts()
    reply = one.ask(photo())
    forged = {"id": 1, "size": 0, "about": reply["id"], "truth": "pizza"}
    assert other.request(forged) == [{"id": 1, "error": FORGOTTEN, "code": "forgotten", "values": []}]
    assert Feedback(owned.feedback).verdicts() == before
    one.leave()
    other.leave()


def test_kernel_names_cannot_be_guessed(visitors):
    one, other = (UUID(visitor.kernel_id) for visitor in visitors)
    assert one.version == other.version == 4  # 122 random bits
    assert one != other


class Response:
    """A server's response to a path sent as it is: no client has normalised it, and no redirect is followed."""

    def __init__(self, server, path, method="GET"):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        connection.close()


@pytest.mark.skipif(os.name != "posix", reason="only Unix has sockets that are files")
def test_no_other_user_or_program_can_reach_or_take_a_kernels_sockets(voila, visitors):
    assert voila.kernels
    for kernel in voila.kernels:
        connection = Path(kernel.cmdline()[-1])
        assert json.loads(connection.read_text(encoding="utf-8"))["transport"] == "ipc"
        assert connection.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "path", ["api/kernels", "api/kernels/", "api/sessions", "api", "api/status", "api/contents", "api/me"]
)
def test_the_server_lists_no_kernels_and_no_files(voila, visitors, path):
    response = Response(voila, f"/{path}")
    assert response.status >= 300
    assert not any(visitor.kernel_id.encode() in response.body for visitor in visitors)


@pytest.mark.parametrize(
    "path", ["voila/tree", "voila/render/train.ipynb", "voila/render/foodvision.ipynb", "train.ipynb"]
)
def test_only_the_one_notebook_is_run(voila, path):
    assert Response(voila, f"/{path}").status >= 300


SECRETS = [
    "export.pkl",
    "export.onnx",
    "voila.json",
    "foodvision.ipynb",
    "foodvision/page/server.py",
    "README.md",
    ".git/HEAD",
]
WAYS = [
    "/{}",
    "/static/{}",
    "/files/{}",
    "/view/{}",
    "/voila/files/{}",
    "/voila/files/%2e/{}",
    "/voila/files/x/../{}",
    "/voila/files/x/%2e%2e/{}",
    "/voila/files//{root}/{}",
    "/voila/static/{up}{}",
    "/voila/static/{encoded}{}",
    "/voila/static//{root}/{}",
    "/voila/static/%2f{root}/{}",
    "/voila/static/{up}{root}/{}",
    "/voila/templates/foodvision/static/{up}{root}/{}",
    "/voila/templates/foodvision/static/{encoded}{root}/{}",
    "/voila/templates/foodvision/static//{root}/{}",
    "/voila/templates/foodvision/static/%2f{root}/{}",
    "/voila/templates/../static/{up}{root}/{}",
    "/voila/templates/%2e%2e/static/{encoded}{root}/{}",
    "/voila/templates/{encoded}/static/{root}/{}",
    "/voila/labextensions/{up}{root}/{}",
    "/voila/labextensions/{encoded}{root}/{}",
    "/voila/labextensions//{root}/{}",
    "/voila/api/themes/{up}{root}/{}",
    "/voila/api/themes//{root}/{}",
    "/voila/api/contents/{}",
]


@pytest.mark.parametrize("way", WAYS)
def test_no_path_leads_to_a_file_that_is_not_for_the_page(voila, way):
    for secret in SECRETS:
        up = {"up": "../" * 12, "encoded": "%2e%2e%2f" * 12, "root": str(ROOT).lstrip("/")}
        response = Response(voila, way.format(secret, **up))
        assert response.status >= 300, secret
        assert (ROOT / secret).read_bytes()[:40] not in response.body if (ROOT / secret).is_file() else True


@pytest.mark.parametrize("secret", SECRETS)
def test_the_extension_hands_out_no_file_either(jupyter, secret):
    for way in "voila/files/{}", "voila/static/../../{}", "voila/templates/foodvision/static/{}", "files/{}":
        assert Response(jupyter, f"/user/abc-def/{way.format(secret)}").status >= 300
    assert Response(jupyter, f"/user/abc-def/voila/files/{secret}?token=abc").status == 403


def test_the_server_hands_out_what_the_page_needs(voila):
    for path in "/voila/static/voila.js", "/voila/templates/foodvision/static/favicon.svg":
        response = Response(voila, path)
        assert response.status == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_restricts_what_the_browser_may_do(voila):
    headers = Response(voila, "/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("camera=(self)")
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "'unsafe-eval'" not in policy["script-src"]
    assert policy["frame-ancestors"] == "'self' https://huggingface.co"
    hosts = re.findall(r"https?:\S*|\*", headers["Content-Security-Policy"])
    assert hosts == ["https://huggingface.co"]


def telling(format="JPEG"):
    """A photo in the given format whose EXIF holds a script."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = SCRIPT
    Image.new("RGB", (90, 120), "red").save(file, format, exif=exif)
    assert SCRIPT.encode() in file.getvalue()
    return file.getvalue()


WATCH = """
    globalThis.refused = [];
    document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
"""
ELSEWHERE = """async () => {
    document.body.append(Object.assign(document.createElement("img"), { src: "https://example.org/x.png" }));
    document.body.append(Object.assign(document.createElement("script"), { src: "https://example.org/x.js" }));
    await fetch("https://example.org/").catch(() => null);
    try { new WebSocket("wss://example.org/"); } catch {}
    while (refused.length < 4) await new Promise((resume) => setTimeout(resume, 50));
    return refused;
}"""


def test_the_page_obeys_its_policy_and_never_reads_a_photos_text_as_html(page):
    page.add_init_script(WATCH)
    page.reload()
    for name, content in ("photo.jpg", telling()), ("photo.heic", telling("HEIF")), ("photo.tiff", telling("TIFF")):
        files = [{"name": name, "mimeType": "", "buffer": content}]
        page.get_by_label("Choose a photo").set_input_files(files)
        expect(page.get_by_role("img", name=f"Your photo, {name}", exact=True)).to_be_visible()
        expect(page.get_by_role("status").get_by_role("heading")).to_be_visible()
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("img", name="Your photo, camera.jpg", exact=True)).to_be_visible()
    expect(page.get_by_role("status").get_by_role("heading")).to_be_visible()
    expect(page).to_have_title("FoodVision")
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert page.evaluate("refused") == []
    assert set(page.evaluate(ELSEWHERE)) == {"img-src", "script-src-elem", "connect-src"}


@pytest.mark.parametrize("format", ["JPEG", "HEIF", "TIFF", "PNG"])
def test_no_text_of_a_photo_comes_back_from_the_kernel(visitors, format):
    visitor = visitors[0]
    request = {"id": 1, "size": len(telling(format))}
    visitor.post("comm_msg", visitor.custom(request), [telling(format)])
    while True:
        _, _, content, buffers = visitor.heard()
        if "id" in str(content.get("data")):
            break
    assert b"hacked" not in b"".join(buffers)
    assert "hacked" not in json.dumps(content)


@pytest.mark.slow
def test_the_owners_notebook_shows_text_as_text(tmp_path, monkeypatch):
    feedback = Feedback(tmp_path / "feedback.db")
    for number in range(2):
        feedback.add(str(number), Prediction(SCRIPT, {SCRIPT: 1.0}, seconds=0.1), f"{SCRIPT}-{number}", photo())
    monkeypatch.setenv("FOODVISION_FEEDBACK", str(feedback.path))
    notebook = nbformat.read(ROOT / "feedback.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": ROOT}}).execute()
    shown = [
        output.get("data", {}).get("text/html", "") for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    assert any("&lt;script&gt;" in html for html in shown)
    assert not any("<script>" in html or "<img src=x" in html for html in shown)


@pytest.mark.slow
def test_nothing_of_a_visitor_is_on_disk_during_a_visit_or_afterwards(tmp_path, tmp_path_factory):
    noise = np.random.default_rng(int(time.time())).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    sent, start = file.getvalue(), time.time()
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    places = {"HOME": str(home), "TMPDIR": str(temporary)}
    command = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
    with serve(command, "/", tmp_path_factory, **places) as server:
        first = Visitor(server.url)
        first.ask(photo())
        first.leave()
        before = names(tmp_path)
        visitor = Visitor(server.url)
        assert "prediction" in visitor.ask(sent)
        assert not written(start, sent, tmp_path, ROOT)
        visitor.leave()
        assert names(tmp_path) == before
    assert not written(start, sent, tmp_path, ROOT)
    assert not list(temporary.iterdir())


def test_onnx_runtime_sends_no_telemetry(tmp_path):
    run = [sys.executable, "-c", "from foodvision import Classifier; Classifier()"]
    subprocess.run(run, cwd=ROOT, check=True, env=os.environ | {"TMPDIR": str(tmp_path)})
    assert not list(tmp_path.iterdir())  # ONNX Runtime's telemetry would have left its session


def names(folder):
    """All files in a folder, except the connection files of kernels, which hold their ports."""
    return {path for path in folder.rglob("*") if not re.fullmatch(r"kernel-[-0-9a-f]{36}\.json", path.name)}


def written(since, content, *folders):
    """Files written since then that contain part of the content."""
    piece = content[len(content) // 2 :][:64]
    return [path for folder in folders for path in files(folder) if contains(path, piece, since)]


def contains(path, piece, since):
    with suppress(FileNotFoundError):  # another test's temporary file
        return path.stat().st_mtime >= since and piece in path.read_bytes()


def files(folder):
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", ".venv", "build", "node_modules")]
        yield from (path for path in (Path(top, name) for name in names) if path.is_file())
