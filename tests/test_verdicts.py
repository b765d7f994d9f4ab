"""The page asks whether an answer is right, and keeps a photo only if the visitor agrees."""

import io
import sqlite3
from contextlib import closing

import pytest
from PIL import Image
from playwright.sync_api import expect
from posed import PIZZA, RAMEN, pose, posed
from visitor import answer, choose, drawn, opened, press, saved

from foodvision import Prediction
from foodvision.page.dashboard import APOLOGY, NONSENSE, Dashboard
from foodvision.page.feedback import Feedback


@pytest.fixture
def tab(browser):
    """An empty tab in a fresh profile."""
    with browser.new_context(reduced_motion="reduce") as context:
        yield context.new_page()


def answered(page, url, *answers, **about):
    pose(page, url, *answers, **about)
    choose(page, "drawn.jpg", saved(drawn()))
    expect(answer(page)).to_be_visible()


def test_an_owner_who_keeps_nothing_asks_nothing(tab, voila):
    answered(tab, voila.url, feedback_on=False)
    expect(tab.get_by_text("No photo is kept.")).to_be_visible()
    expect(tab.get_by_text("Is this right?")).to_have_count(0)


def test_after_a_verdict_the_photo_is_asked_for_once(tab, voila):
    answered(tab, voila.url)
    press(tab, "Yes")
    press(tab, "Keep my photo")
    expect(tab.get_by_text("Thank you. Your feedback and photo are saved.")).to_be_visible()
    press(tab, "Yes")
    expect(tab.get_by_text("Thank you. Your feedback is saved.")).to_be_visible()
    expect(tab.get_by_role("button", name="Keep my photo")).to_have_count(0)
    assert posed(tab)["judged"] == [["pizza", False], ["pizza", True], ["pizza", False]]


@pytest.mark.parametrize(
    ("typed", "truth"), [("Filet Mignon", "filet_mignon"), ("not food", "not_food"), (" Okonomiyaki ", "Okonomiyaki")]
)
def test_the_truth_is_a_dish_of_the_models_list_or_any_other(tab, voila, typed, truth):
    answered(tab, voila.url)
    press(tab, "No")
    field = tab.get_by_role("combobox", name="What is it?")
    expect(field).to_be_focused()
    field.fill(typed)
    press(tab, "Send")
    press(tab, "No, just my feedback")
    expect(tab.get_by_text("Thank you. Your feedback is saved.")).to_be_visible()
    assert posed(tab)["judged"] == [[truth, False]]


def test_the_answer_that_is_right_is_the_one_on_show(tab, voila):
    answered(tab, voila.url, RAMEN)
    tab.get_by_label("7 dishes").check()
    press(tab, "Yes")
    expect(tab.get_by_role("button", name="Keep my photo")).to_be_focused()
    assert posed(tab)["judged"] == [["ramen", False]]


def test_two_visitors_verdicts_are_kept_and_a_photo_only_if_they_agree(browser, owned):
    feedback = Feedback(owned.feedback)
    before = len(feedback.verdicts())
    with opened(browser, owned.url) as one, opened(browser, owned.url) as two:
        for page in one, two:
            expect(page.get_by_text("No photo is kept unless you say so.")).to_be_visible()
            choose(page, "drawn.jpg", saved(drawn()))
        press(one, "Yes")
        press(one, "No, just my feedback")
        press(two, "No")
        two.get_by_role("combobox", name="What is it?").fill("Sushi")
        press(two, "Send")
        press(two, "Keep my photo")
        expect(one.get_by_text("Thank you. Your feedback is saved.")).to_be_visible()
        expect(two.get_by_text("Thank you. Your feedback and photo are saved.")).to_be_visible()
    kept = feedback.verdicts()[before:]
    assert sorted(verdict["has_photo"] for verdict in kept) == [False, True]
    agreed = max(kept, key=lambda verdict: verdict["has_photo"])
    assert agreed["truth"] == "sushi"
    assert Image.open(io.BytesIO(feedback.photo(agreed["key"]))).size == (300, 400)


def test_a_verdict_that_cannot_be_kept_gets_an_apology(browser, owned):
    with opened(browser, owned.url) as page:
        choose(page, "drawn.jpg", saved(drawn()))
        expect(answer(page)).to_be_visible()
        with closing(sqlite3.connect(owned.feedback)) as db:
            db.execute("ALTER TABLE verdicts RENAME TO elsewhere")
        press(page, "Yes")
        expect(page.get_by_text(APOLOGY)).to_be_visible()
        with closing(sqlite3.connect(owned.feedback)) as db:
            db.execute("ALTER TABLE elsewhere RENAME TO verdicts")


@pytest.mark.parametrize(
    ("truth", "is_kept"),
    [
        ("steak", True),
        ("Okonomiyaki", True),
        ("n/a", True),
        ("", False),
        ("  ", False),
        ("two\nlines", False),
        ("a" * 61, False),
        (7, False),
        (None, False),
    ],
)
def test_a_visitors_own_words_are_one_short_line(tmp_path, monkeypatch, truth, is_kept):
    prediction = Prediction(PIZZA["label"], PIZZA["probabilities"], seconds=0.1)
    feedback = Feedback(tmp_path / "feedback.db")
    dashboard, sent = Dashboard(lambda photo: prediction, feedback), []
    monkeypatch.setattr(dashboard, "send", lambda reply, pictures: sent.append(reply))
    photo = saved(drawn())
    dashboard._receive(dashboard, {"id": 1, "size": len(photo), "shown": True}, [photo])
    dashboard._receive(dashboard, {"id": 2, "size": 0, "about": 1, "truth": truth}, [])
    assert sent[1] == (
        {"id": 2, "photo_kept": False} if is_kept else {"id": 2, "error": NONSENSE, "code": "nonsense", "values": []}
    )
    assert [verdict["truth"] for verdict in feedback.verdicts()] == ([truth] if is_kept else [])
