"""What feedback promises to owners who turn it on, and to their visitors."""

import io
import re
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from unicodedata import normalize

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from PIL import Image

from foodvision import Prediction
from foodvision.page.dashboard import Dashboard
from foodvision.page.feedback import Feedback

VISITORS, VERDICTS = 4, 25
PIZZA = Prediction("pizza", {"pizza": 0.9, "steak": 0.1}, seconds=0.1)


def jpeg(colour="red"):
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def feedback(tmp_path):
    return Feedback(tmp_path / "feedback.db")


def visit(path, visitor):
    feedback = Feedback(path)
    for number in range(VERDICTS):
        feedback.add(f"{visitor}-{number}", PIZZA, "steak", jpeg())


@pytest.mark.slow
def test_visitors_who_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "feedback.db"
    with ProcessPoolExecutor(VISITORS, mp_context=get_context("spawn")) as visitors:
        list(visitors.map(visit, [path] * VISITORS, range(VISITORS)))
    assert len(Feedback(path).verdicts()) == VISITORS * VERDICTS


def test_a_verdict_has_the_models_answer_and_the_visitors(feedback):
    feedback.add("a", PIZZA, "steak")
    (verdict,) = feedback.verdicts()
    assert verdict["time"].endswith("+00:00")
    assert (verdict["label"], verdict["probability"], verdict["truth"]) == ("pizza", 0.9, "steak")
    assert not verdict["has_photo"] and feedback.photo("a") is None


def test_a_change_of_mind_replaces_the_verdict_and_its_photo(feedback):
    feedback.add("a", PIZZA, "steak", jpeg())
    feedback.add("a", PIZZA, "pizza")
    (verdict,) = feedback.verdicts()
    assert verdict["truth"] == "pizza" and not verdict["has_photo"]


def test_photos_are_exported_by_class(feedback, tmp_path):
    feedback.add("a", PIZZA, "steak", jpeg())
    feedback.add("b", PIZZA, "pizza", jpeg())
    feedback.add("c", PIZZA, "pizza")
    assert feedback.export(tmp_path / "photos") == 2
    assert sorted(file.relative_to(tmp_path / "photos").as_posix() for file in tmp_path.glob("photos/*/*")) == [
        "pizza/b.jpg",
        "steak/a.jpg",
    ]


@pytest.mark.parametrize(("change", "folders"), [(("pizza", jpeg()), ["pizza"]), (("steak", None), [])])
def test_an_exported_folder_follows_a_change_of_mind(feedback, tmp_path, change, folders):
    feedback.add("a", PIZZA, "steak", jpeg())
    feedback.export(tmp_path / "photos")
    feedback.add("a", PIZZA, *change)
    feedback.export(tmp_path / "photos")
    assert [file.parent.name for file in tmp_path.glob("photos/*/a.jpg")] == folders


def exported(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.jpg") if file.is_file())


LABELS = ["../outside", "..", ".", "", "n/a", "mac/cheese", "mac\\cheese", "/etc", "C:\\food", "~", ".hidden", "a\0b"]
LABELS += ["CON", "nul.txt", "com1", "LPT9.jpg", "aux", "ends.", "ends ", "a:b", "what?", "*", "<b>", '"', "|", "%2F"]
LABELS += ["%no label", "two\nlines", "寿司", "crème brûlée", "x" * 300, "寿" * 100, "filet mignon"]


def test_an_export_stays_in_its_folder_and_keeps_labels_apart(feedback, tmp_path):
    for number, label in enumerate(LABELS):
        feedback.add(f"key{number}", Prediction(label, {label: 1.0}, 0.1), label, jpeg())
    assert feedback.export(tmp_path / "photos") == len(LABELS)
    files = exported(tmp_path)
    assert len(files) == len(LABELS) and all(file.startswith("photos/") and file.count("/") == 2 for file in files)
    folders = [file.split("/")[1] for file in files]
    assert len({folder.casefold() for folder in folders}) == len(LABELS), "two labels share a folder"
    for folder in folders:
        assert not re.search(r'[\x00-\x1f<>:"|?*\\]|^\.|[. ]$', folder) and len(folder.encode()) <= 255
        assert not re.fullmatch(r"(con|nul|aux|prn|com\d|lpt\d)(\..*)?", folder, re.IGNORECASE)
    assert {"寿司", "crème brûlée", "filet mignon", "n%2Fa", "mac%2Fcheese"} <= set(folders)


@pytest.mark.parametrize(("one", "other"), [("Pizza", "pizza"), ("cr\u00e8me", "cre\u0300me"), ("STRASSE", "straße")])
def test_labels_that_some_system_cannot_tell_apart_get_separate_folders(feedback, tmp_path, one, other):
    for key, label in {"a": one, "b": other}.items():
        feedback.add(key, PIZZA, label, jpeg())
    feedback.export(tmp_path / "photos")
    folders = {normalize("NFC", file.split("/")[0]).casefold() for file in exported(tmp_path / "photos")}
    assert len(folders) == 2


@pytest.mark.parametrize("key", ["../../outside", "*", "[a-z]*", "a/b", "..", ""])
def test_an_odd_key_touches_no_other_file(feedback, tmp_path, key):
    mine = tmp_path / "photos" / "pizza" / "my own.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    for _ in range(2):
        feedback.add(key, PIZZA, "pizza", jpeg())
        feedback.export(tmp_path / "photos")
    assert len(exported(tmp_path)) == len(exported(tmp_path / "photos")) == 2 and mine.read_bytes() == b"mine"


def test_a_change_of_mind_moves_what_an_older_export_wrote_deeper(feedback, tmp_path):
    old = tmp_path / "photos" / "n" / "a" / "key.jpg"
    old.parent.mkdir(parents=True)
    old.write_bytes(jpeg())
    feedback.add("key", PIZZA, "soup", jpeg())
    feedback.export(tmp_path / "photos")
    assert exported(tmp_path / "photos") == ["soup/key.jpg"]
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["soup"], "an empty folder would be a class"


def test_an_unknown_key_has_no_photo(feedback):
    assert feedback.photo("never given") is None


def test_nothing_is_kept_unless_the_owner_asks(monkeypatch):
    monkeypatch.delenv("FOODVISION_FEEDBACK", raising=False)
    assert Feedback.from_environment() is None


def test_a_folder_that_cannot_be_written_is_reported_at_once(tmp_path):
    with pytest.raises(sqlite3.Error):
        Feedback(tmp_path / "missing" / "feedback.db")


@pytest.fixture
def dashboard(feedback, monkeypatch):
    """A dashboard that has answered one photo, as request 1; `sent` holds its replies."""
    dashboard = Dashboard(lambda photo: PIZZA, feedback)
    dashboard.sent = []
    monkeypatch.setattr(dashboard, "send", lambda reply, pictures=(): dashboard.sent.append(reply))
    dashboard._receive(dashboard, {"id": 1, "size": len(jpeg()), "shown": True}, [jpeg()])
    return dashboard


def test_the_page_offers_the_models_own_classes(dashboard):
    assert list(dashboard.sent[-1]["prediction"]["probabilities"]) == ["pizza", "steak"]
    assert dashboard.feedback_on


def test_a_verdict_may_arrive_between_the_parts_of_the_next_photo(dashboard, feedback):
    photo = jpeg("blue")
    part = {"id": 2, "size": len(photo), "shown": True}
    dashboard._receive(dashboard, part, [photo[:100]])
    dashboard._receive(dashboard, {"id": 3, "size": 0, "about": 1, "truth": "pizza"}, [])
    dashboard._receive(dashboard, part, [photo[100:]])
    received, verdict, answer = dashboard.sent[-3:]
    assert received == {"id": 2, "received": 100}
    assert verdict == {"id": 3, "photo_kept": False} and "prediction" in answer
    assert len(feedback.verdicts()) == 1


def test_a_photo_abandoned_halfway_does_not_disturb_the_next(dashboard):
    photo = jpeg("blue")
    dashboard._receive(dashboard, {"id": 5, "size": len(photo), "shown": True}, [photo[:100]])
    dashboard._receive(dashboard, {"id": 6, "size": len(photo), "shown": True}, [photo])
    assert dashboard.sent[-1]["id"] == 6
    assert "prediction" in dashboard.sent[-1]


@pytest.mark.parametrize("request_", [{"about": 2, "truth": "pizza"}, {"about": 1, "truth": "two\nlines"}])
def test_a_verdict_on_an_unknown_answer_or_of_several_lines_is_not_kept(dashboard, feedback, request_):
    dashboard._receive(dashboard, {"id": 2, "size": 0, **request_}, [])
    assert "error" in dashboard.sent[-1]
    assert not feedback.verdicts()


def test_only_the_pixels_of_a_photo_are_kept(dashboard, feedback):
    exif = Image.Exif()
    exif[0x010F] = "a telling camera"
    file = io.BytesIO()
    Image.new("RGB", (60, 40)).save(file, "JPEG", exif=exif)
    dashboard._receive(dashboard, {"id": 2, "size": file.tell(), "about": 1, "truth": "steak"}, [file.getvalue()])
    (verdict,) = feedback.verdicts()
    assert b"telling" not in feedback.photo(verdict["key"])


@pytest.mark.slow
@pytest.mark.parametrize("verdicts", [0, 3])
def test_the_owners_notebook_runs(feedback, monkeypatch, verdicts):
    for number in range(verdicts):
        feedback.add(str(number), PIZZA, "steak", jpeg() if number else None)
    monkeypatch.setenv("FOODVISION_FEEDBACK", str(feedback.path))
    notebook = nbformat.read(ROOT / "feedback.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": ROOT}}).execute()
    outputs = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert ("No verdicts yet" in str(notebook.metadata.widgets)) == (verdicts == 0)
    assert ("image/png" in outputs) == (verdicts > 0)


def test_the_owners_notebook_is_committed_without_outputs():
    cells = nbformat.read(ROOT / "feedback.ipynb", as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    assert all(before.cell_type == "markdown" for before, cell in pairwise(cells) if cell.cell_type == "code")
