"""The real page with answers made up for a test, so that it shows every state whatever the model says."""

import base64
import json
import re
from functools import lru_cache
from urllib.request import urlopen

from playwright.sync_api import expect
from visitor import drawn, saved

PIZZA = {
    "label": "pizza",
    "probability": 0.973,
    "probabilities": {"pizza": 0.973, "steak": 0.004, "sushi": 0.003, "other_food": 0.018, "not_food": 0.002},
    "unsure": False,
    "seconds": 0.0214,
    "dishes": {"pizza": 0.973, "lasagna": 0.009, "nachos": 0.005, "ramen": 0.003, "filet_mignon": 0.002},
}
DOUBT = {
    "label": "steak",
    "probability": 0.46,
    "probabilities": {"pizza": 0.02, "steak": 0.46, "sushi": 0.03, "other_food": 0.39, "not_food": 0.1},
    "unsure": True,
    "seconds": 0.0214,
    "dishes": {"filet_mignon": 0.4, "lasagna": 0.3, "steak": 0.06, "ramen": 0.05, "nachos": 0.04},
}
RAMEN = {
    "label": "other_food",
    "probability": 0.92,
    "probabilities": {"pizza": 0.02, "steak": 0.01, "sushi": 0.03, "other_food": 0.92, "not_food": 0.02},
    "unsure": False,
    "seconds": 0.0214,
    "dishes": {"ramen": 0.72, "lasagna": 0.12, "nachos": 0.08, "sushi": 0.03, "pizza": 0.02},
}
NO_FOOD = {
    "label": "not_food",
    "probability": 0.99,
    "probabilities": {"pizza": 0.002, "steak": 0.001, "sushi": 0.003, "other_food": 0.004, "not_food": 0.99},
    "unsure": False,
    "seconds": 0.0214,
    "dishes": {"ramen": 0.002, "lasagna": 0.001, "sushi": 0.003, "pizza": 0.002, "steak": 0.001},
}
DISHES = {
    "filet_mignon": "steak",
    "lasagna": "other_food",
    "nachos": "other_food",
    "pizza": "pizza",
    "ramen": "other_food",
    "steak": "steak",
    "sushi": "sushi",
}
AREA, HEAT = [0, 0.125, 1, 0.875], [[0, 40, 60, 20], [30, 200, 255, 60], [20, 90, 120, 40], [0, 10, 20, 0]]
ABOUT = {
    "titles": {
        "pizza": "pizza",
        "steak": "steak",
        "sushi": "sushi",
        "other_food": "other food",
        "not_food": "not food",
    },
    "background": {
        "other_food": "This looks like food, but not {foods}.",
        "not_food": "I don't see food here.",
    },
    "dishes": DISHES,
    "feedback_on": True,
    "link": "",
    "examples": [],
    "source": "https://code.example.com/food",
}
CONNECT = """async ({ about, area, heat }) => {
    globalThis.posed = { answers: [], judged: [], explained: [], gone: null, held: false };
    const sleep = () => new Promise((resolve) => setTimeout(resolve, 20));
    const answerer = {
        async answer(photo, { signal }) {
            while (posed.held && !signal.aborted) await sleep();
            if (signal.aborted) return null;
            const prediction = posed.answers.length > 1 ? posed.answers.shift() : posed.answers[0];
            const judge = async (truth, photo) => {
                posed.judged.push([truth, Boolean(photo)]);
                return { photo: Boolean(photo) };
            };
            return { prediction, ...(about.feedback_on && { judge }) };
        },
        explain: async (photo, label) => {
            posed.explained.push(label);
            return { area, heat };
        },
        example: async () => (await fetch(about.examples[0].thumbnail)).blob(),
    };
    const dashboard = await foodvision.drawn; // the page speaks the visitor's language first
    posed.dashboard = dashboard;
    dashboard.connect(({ onGone }) => {
        posed.gone = onGone;
        return answerer;
    }, about);
}"""


def pose(page, url, *answers, **about):
    """Open the page without its kernel, and let it answer photos with `answers`, one after the other."""
    address = url.partition("#")[0]
    page.route("**/*.js", lambda route: route.abort())
    page.route(address, lambda route: route.fulfill(content_type="text/html", body=html_of(address)))
    page.goto(url, wait_until="commit")
    page.wait_for_function("globalThis.foodvision")
    page.evaluate(CONNECT, {"about": ABOUT | about, "area": AREA, "heat": HEAT})
    expect(page.locator("[data-connected]")).to_be_visible()
    answer_with(page, *answers or [PIZZA])


@lru_cache
def html_of(address):
    """What the server sends, without the switch "Answer on this device".

    It is asked for once, because each time it gives a kernel away.
    """
    with urlopen(address) as reply:
        return re.sub(r'"device": \{[^}]*\}, ', "", reply.read().decode())


def answer_with(page, *answers):
    page.evaluate("answers => { posed.answers = answers }", json.loads(json.dumps(answers)))


def posed(page):
    """What the page asked of the answerer."""
    return page.evaluate("({ judged: posed.judged, explained: posed.explained })")


def thumbnail(photo=None):
    """A data URL, as the kernel makes them."""
    return f"data:image/jpeg;base64,{base64.b64encode(saved(photo or drawn(144, 144))).decode()}"
