"""What an owner who asks for feedback is promised."""

import io
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context

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


def test_visitors_who_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "feedback.db"
    with ProcessPoolExecutor(VISITORS, mp_context=get_context("spawn")) as visitors:
        list(visitors.map(visit, [path] * VISITORS, range(VISITORS)))
    assert len(Feedback(path).verdicts()) == VISITORS * VERDICTS


def test_a_verdict_tells_what_the_model_said_and_what_it_was(feedback):
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


def test_photos_are_exported_by_what_they_show(feedback, tmp_path):
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


def test_nothing_is_kept_unless_the_owner_asks(monkeypatch):
    monkeypatch.delenv("FOODVISION_FEEDBACK", raising=False)
    assert Feedback.from_environment() is None


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    with pytest.raises(sqlite3.Error):
        Feedback(tmp_path / "missing" / "feedback.db")


@pytest.fixture
def dashboard(feedback, monkeypatch):
    """A dashboard that was asked about one photo, as request 1; `sent` holds its replies."""
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


def test_a_photo_given_up_halfway_leaves_the_next_page_alone(dashboard):
    photo = jpeg("blue")
    dashboard._receive(dashboard, {"id": 5, "size": len(photo), "shown": True}, [photo[:100]])
    dashboard._receive(dashboard, {"id": 6, "size": len(photo), "shown": True}, [photo])
    assert dashboard.sent[-1]["id"] == 6
    assert "prediction" in dashboard.sent[-1]


@pytest.mark.parametrize("request_", [{"about": 2, "truth": "pizza"}, {"about": 1, "truth": "<script>"}])
def test_a_verdict_on_no_answer_or_of_no_class_is_not_kept(dashboard, feedback, request_):
    dashboard._receive(dashboard, {"id": 2, "size": 0, **request_}, [])
    assert "error" in dashboard.sent[-1]
    assert not feedback.verdicts()


def test_of_a_kept_photo_only_the_picture_is_kept(dashboard, feedback):
    exif = Image.Exif()
    exif[0x010F] = "a telling camera"
    file = io.BytesIO()
    Image.new("RGB", (60, 40)).save(file, "JPEG", exif=exif)
    dashboard._receive(dashboard, {"id": 2, "size": file.tell(), "about": 1, "truth": "steak"}, [file.getvalue()])
    (verdict,) = feedback.verdicts()
    assert b"telling" not in feedback.photo(verdict["key"])


@pytest.mark.parametrize("verdicts", [0, 3])
def test_the_owners_notebook_runs(feedback, monkeypatch, verdicts):
    for number in range(verdicts):
        feedback.add(str(number), PIZZA, "steak", jpeg() if number else None)
    monkeypatch.setenv("FOODVISION_FEEDBACK", str(feedback.path))
    notebook = nbformat.read(ROOT / "feedback.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": ROOT}}).execute()
    outputs = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert ("No verdict" in outputs) == (verdicts == 0)
    assert ("image/png" in outputs) == (verdicts > 0)


def test_the_owners_notebook_is_committed_without_outputs():
    cells = nbformat.read(ROOT / "feedback.ipynb", as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    assert all(before.cell_type == "markdown" for before, cell in pairwise(cells) if cell.cell_type == "code")
