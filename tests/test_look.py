"""The page looks as it did when someone last approved of it, and every state is accessible.

After a change of look, `NEW_LOOK=1 pytest tests/test_look.py` draws the references in tests/screenshots again.
"""

import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, SCREENSHOTS
from drawn_pizza import draw_pizza
from PIL import Image
from playwright.sync_api import expect
from posed import DOUBT, NO_FOOD, PIZZA, RAMEN, answer_with, pose, thumbnail
from visitor import PHONE, answer, choose, choose_several, complaint, drawn, hand_over, picture, press, saved

REFERENCES = ROOT / "tests" / "screenshots"
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
DEVICES = {"phone": PHONE, "desktop": DESKTOP}
FONT = "DejaVu Sans"  # Debian's; letters of another font are elsewhere
WIDTH = 360  # pixels of a reference
COLOURS = 64  # in a reference's palette
NOTICEABLE = 40  # difference in a colour, of 255
DARK = {"offer", "sure", "doubt", "several"}  # states with a reference in dark; the colours are all that differs
MAX_CHANGED = 0.02  # of all pixels


def has_debians_font():
    if not shutil.which("fc-match"):
        return False
    found = subprocess.run(["fc-match", "system-ui", "family"], capture_output=True, text=True).stdout
    return found.strip() == FONT


class Look:
    """Checks a page state by state, and collects what is wrong. `compares` tells if it looks at references, too."""

    def __init__(self, page, name):
        self.page, self.name, self.faults = page, name, []
        self.compares = has_debians_font()

    def check(self, state):
        shot = Image.open(io.BytesIO(self.page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        shot.save(SCREENSHOTS / f"{self.name}-{state}.png")
        if self.compares and ("light" in self.name or state in DARK):
            self.compare(state, shot.resize((WIDTH, WIDTH * shot.height // shot.width), Image.Resampling.BOX))
        found = Axe().run(self.page).response["violations"]
        serious = [violation["help"] for violation in found if violation["impact"] in ("serious", "critical")]
        self.faults += [f"{state}: {fault}" for fault in serious]

    def compare(self, state, shot):
        reference = REFERENCES / f"{self.name}-{state}.png"
        if "NEW_LOOK" in os.environ:
            REFERENCES.mkdir(exist_ok=True)
            shot.quantize(COLOURS).save(reference, optimize=True)
        elif not reference.exists():
            self.faults.append(f"{state}: no reference; see the top of {Path(__file__).name}")
        elif (share := changed(shot, Image.open(reference).convert("RGB"))) > MAX_CHANGED:
            self.faults.append(f"{state}: {share:.1%} of the pixels look different; see {SCREENSHOTS}")


def changed(shot, reference):
    """Share of pixels that look different."""
    if shot.size != reference.size:
        return 1.0
    difference = np.abs(np.asarray(shot, dtype=int) - np.asarray(reference, dtype=int)).max(axis=2)
    return float((difference > NOTICEABLE).mean())


@pytest.fixture(scope="module")
def pizza():
    """A portrait of a drawn pizza, as JPEG."""
    return saved(draw_pizza(480, 640), quality=90)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", DEVICES)
def test_every_state_is_accessible_and_looks_as_approved(browser, voila, pizza, device, scheme):
    with browser.new_context(color_scheme=scheme, reduced_motion="reduce", **DEVICES[device]) as context:
        page = context.new_page()
        look = Look(page, f"{device}-{scheme}")
        examples = [{"name": f"{name}.jpg", "thumbnail": thumbnail()} for name in ("pizza", "steak", "sushi")]
        pose(page, voila.url, PIZZA, examples=examples, link="https://food.example.com/")
        show_the_offer(page, look)
        show_single_answers(page, look, pizza)
        show_several(page, look, pizza)
        assert not look.faults
    if not look.compares:
        pytest.skip(f"no {FONT} as the system's font: every state is accessible, but its look was not compared")


def show_the_offer(page, look):
    look.check("offer")
    hand_over(page, "dragover", ("photo.png", saved(drawn(), "PNG")))
    look.check("dragging")
    hand_over(page, "drop")
    expect(complaint(page).first).to_contain_text("is not a file")
    page.locator("summary", has_text="About this page").click()
    look.check("complaint-and-about")
    page.locator("summary", has_text="About this page").click()


def show_single_answers(page, look, pizza):
    page.evaluate("posed.held = true")
    choose(page, "pizza.jpg", pizza)
    expect(picture(page, "pizza.jpg")).to_be_visible()
    expect(page.get_by_text("Looking at")).to_be_visible()
    look.check("waiting")
    page.evaluate("posed.held = false")
    expect(answer(page)).to_have_text("Pizza")
    look.check("sure")
    press(page, "What did it look at?")
    press(page, "Yes")
    expect(page.get_by_role("button", name="Keep my photo")).to_be_focused()
    look.check("why-and-verdict")
    for name, prediction, words in (
        ("doubt", DOUBT, "Not sure"),
        ("refusal", RAMEN, "Not pizza"),
        ("no-food", NO_FOOD, "I don't"),
    ):
        answer_with(page, prediction)
        choose(page, f"{name}.jpg", pizza)
        expect(answer(page)).to_contain_text(words)
        look.check(name)
    page.evaluate("posed.gone()")
    look.check("gone")
    page.evaluate("document.querySelector('.fv-notice').remove()")


def show_several(page, look, pizza):
    answer_with(page, PIZZA, DOUBT, RAMEN, PIZZA)
    choose_several(page, *[(f"{number}.jpg", pizza) for number in range(4)])
    expect(page.get_by_text("5 of 5 done")).to_be_visible()
    look.check("several")
    page.locator("summary", has_text="More").click()
    look.check("menu")
    page.get_by_role("heading", name="FoodVision").click()
    expect(page.get_by_role("button", name="Save as CSV")).to_be_hidden()
    press(page, "Clear all")
    press(page, "Share this app")
    look.check("share")


def test_a_changed_look_is_noticed():
    before = Image.new("RGB", (100, 100), "white")
    after = before.copy()
    assert changed(after, before) == 0
    after.paste("black", (0, 0, 100, 3))
    assert changed(after, before) > MAX_CHANGED
    assert changed(before.resize((100, 101)), before) == 1
