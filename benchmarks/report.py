"""The measurements as a table of medians, a table of targets, and a plot."""

import math
import os
import platform
from importlib import metadata
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

import matplotlib
import psutil

from .apps import API, APPS, BINDER, FASTBOOK, FOODVISION, GRADIO, STATIC, App

matplotlib.use("agg")
import matplotlib.pyplot as plt

COLOURS = {
    FOODVISION: "#b5400a",
    BINDER: "#e39b6f",
    API: "#6a2c8f",
    STATIC: "#c9a0dc",
    FASTBOOK: "#4477aa",
    GRADIO: "#888888",
}
BAR = 0.8 / len(COLOURS)  # the height of a bar in the plot
LARGE, SMALL = "12-megapixel photo, bytes to probabilities", "small picture to probabilities"

FOLDER = Path(__file__).parent
FURTHER = "memory per additional visitor"
API_SECONDS, API_CPU = "API, seconds a request with 8 clients", "API, CPU a request"
API_CLIENT = "API, CPU of the clients a request"
API_MEMORY = "API, memory of the server"
API_START = "API, start to first answer"
API_INSTALLED = "API, installed by its extra"
CROWD = 500  # visitors of the page without kernels
CROWD_MEMORY = f"API, memory with {CROWD} visitors at once"
CROWD_WAIT = f"API, longest of {CROWD} visits at once"
DIRECT, DIRECT_CPU = "direct prediction in two threads, seconds", "direct prediction, CPU"
OPEN_TO_ANSWER = "page open to answer, 4 MB"
INTRODUCTION = """\
# FoodVision compared with two rivals

Written by `make bench`. {machine}. {versions}.

Figures are medians of three samples unless `--repeats` says otherwise; crowds, and rivals on 3G, are measured once.
Multiples of FoodVision's figure are in brackets. Each app is served alone, and is idle before each measurement. All are
opened in the same Chromium with the same drawn photos, in a fresh profile except for second visits. Times are those of
the frame that shows the file chooser or the answer, by the page's own clock.

- **FoodVision** is served by `make app`; **as on Binder** by Jupyter's server, which can't preheat kernels; with **no
  kernels** by `foodvision api`, as in the container; **static** as files on a plain web server, which doesn't compress
  them, and answered in the browser.
- **fastbook's app** is from its chapter 2: `load_learner`, `FileUpload` and a button, under plain Voilà. **Gradio** is
  the app from learnpytorch.io's chapter 09. Both run an EfficientNet-B2 with random weights, which takes as long as any
  others, and neither has to wait for files from other hosts.
- The API's rows compare `foodvision api`, which also serves the page, with the same model in Gradio's API. A visit in
  the crowd is opening the page and one photo.
- 3G is a network of 750 kbit/s with a 150 ms round trip, shared by all of a page's connections. The bytes of a visit
  are counted on this network, including headers and websockets.
- Gradio runs one process for everyone: visitors hardly add memory, but they wait for each other. Proportional memory
  splits shared pages among processes; it is what a container is charged for.
- Installed size is that of the packages that each app requires, according to their own records.
"""


class Results:
    """All samples, in seconds, in bytes if the unit is "MB", or else in their unit; and notes on them."""

    def __init__(self):
        self.rows, self.notes = [], []

    def add(self, app, measure, value, unit="s", visitors=None):
        self.rows.append({"app": app.name, "measure": measure, "value": value, "unit": unit, "visitors": visitors})

    def note(self, sentence):
        self.notes.append(sentence)

    def add_traffic(self, app, visit, count):
        received, sent = count
        self.add(app, f"{visit}, received", received, "MB")
        self.add(app, f"{visit}, sent", sent, "MB")

    def add_memory(self, app, memory, visitors):
        for kind, size in memory._asdict().items():
            self.add(app, f"memory, {kind}", size, "MB", visitors)

    def add_visitor_memory(self, app):
        """How much memory each additional visitor takes."""
        counts = sorted({row["visitors"] for row in self.rows if row["app"] == app.name and row["visitors"]})
        if len(counts) < 2:
            return
        for kind in ("resident", "proportional", "own"):
            fewest, most = (self.median(app, f"memory, {kind}", count) for count in (counts[0], counts[-1]))
            each = (most - fewest) / (counts[-1] - counts[0])
            self.add(app, f"{FURTHER}, {kind}", each, "MB")
            self.add(app, f"memory with no visitors, {kind}", self.median(app, f"memory, {kind}", 0), "MB")

    def median(self, app, measure, visitors=None):
        """Median of the samples, or None if there are none."""
        found = [
            row["value"]
            for row in self.rows
            if (row["app"], row["measure"], row["visitors"]) == (app.name, measure, visitors)
        ]
        return median(found) if found else None

    @property
    def measures(self):
        """(measure, unit, visitors), in the order measured."""
        return list(dict.fromkeys((row["measure"], row["unit"], row["visitors"]) for row in self.rows))


class Bar(NamedTuple):
    """A target for FoodVision: at most `limit`, or at least `times` better than a rival or its own measure `beside`."""

    claim: str
    measure: str
    app: App = FOODVISION
    rival: App | None = None
    times: float = 1
    limit: float | None = None
    beside: str | None = None

    def compared(self, results):
        """What FoodVision is compared with; None if that was not measured."""
        if self.rival or self.beside:
            return results.median(self.rival or self.app, self.beside or self.measure)
        return self.limit

    def ratio(self, results):
        """How many times better FoodVision is than the rival or the limit; None if not measured."""
        ours, theirs = results.median(self.app, self.measure), self.compared(results)
        return None if ours is None or theirs is None else theirs / ours

    def met(self, results, missing=False):
        """Whether the target is met; `missing` is the verdict if it was not measured."""
        ratio = self.ratio(results)
        return missing if ratio is None else ratio >= self.times

    def row(self, results):
        """The target's row in the table, or None if it was not measured."""
        ratio = self.ratio(results)
        if ratio is None:
            return None
        ours, theirs = results.median(self.app, self.measure), self.compared(results)
        against = self.rival.name if self.rival else self.beside or "limit"
        unit = next(unit for measure, unit, _ in results.measures if measure == self.measure)
        return {
            "target": self.claim,
            "FoodVision": in_words(ours, unit),
            "compared with": f"{against}: {in_words(theirs, unit)}",
            "ratio": times(ratio),
            "met": "yes" if self.met(results) else "no",
        }


BARS = (
    Bar("page open in at most 0.6 of Gradio's time", "page open", rival=GRADIO, times=1 / 0.6),
    Bar("page open as fast as Gradio, not preheated", "page open", BINDER, GRADIO),
    Bar("page open as fast as Gradio, without kernels", "page open", API, GRADIO),
    Bar("page open at least 8 times faster than fastbook's app", "page open", rival=FASTBOOK, times=8),
    Bar("first visit at most 1.4 MB", "first visit, received", limit=1.4e6),
    Bar("second visit at most 0.1 MB", "second visit, received", limit=0.1e6),
    Bar("page open on 3G within 4 s", "page open, 3G", limit=4),
    Bar("page open on 3G within 4 s, not preheated", "page open, 3G", BINDER, limit=4),
    Bar("4 MB photo at least 3 times faster than fastbook's app", "4 MB photo", rival=FASTBOOK, times=3),
    Bar("4 MB photo at least 4 times faster than Gradio", "4 MB photo", rival=GRADIO, times=4),
    Bar("12 MB photo at least 3 times faster than Gradio", "12 MB photo", rival=GRADIO, times=3),
    Bar("4 MB photo on 3G at least 40 times faster than Gradio", "4 MB photo, 3G", rival=GRADIO, times=40),
    Bar("bytes to probabilities at least 8 times faster", LARGE, rival=FASTBOOK, times=8),
    Bar("picture to probabilities at least 3 times faster than eager torch", SMALL, rival=GRADIO, times=3),
    Bar("resident memory per visitor at most a seventh", f"{FURTHER}, resident", rival=FASTBOOK, times=7),
    Bar("proportional memory per visitor at most a fifth", f"{FURTHER}, proportional", rival=FASTBOOK, times=5),
    Bar("installed at most a tenth", "installed", rival=FASTBOOK, times=10),
    Bar("API: at most 1.15 times the CPU of a direct prediction", API_CPU, times=1 / 1.15, beside=DIRECT_CPU),
    Bar("API: at least 0.85 times the rate of two threads", API_SECONDS, times=0.85, beside=DIRECT),
    Bar("API: at least 3 times Gradio's requests a second", API_SECONDS, rival=GRADIO, times=3),
    Bar("API: at most 220 MB with the page", API_MEMORY, limit=220e6),
    Bar("API: 500 visitors at once in 1 GB", CROWD_MEMORY, limit=1e9),
    Bar("API: its extra at most 35 MB", API_INSTALLED, limit=35e6),
)

PLOTTED = {
    "Page": ["page open", "page open, second visit", OPEN_TO_ANSWER],
    "Photo": ["small photo", "4 MB photo", "12 MB photo"],
    "On 3G": ["page open, 3G", "page open, second visit, 3G", "4 MB photo, 3G"],
}
GROWING = ["page open, all at once", "4 MB photo, all at once", "memory, proportional"]


def markdown(results):
    """The whole report: method, medians, growth with visitors, targets and notes."""
    parts = [INTRODUCTION.format(machine=machine(), versions=versions()), table(medians(results))]
    if growth := growing(results):
        parts += ["## With several visitors at once", table(growth)]
    if bars := [row for bar in BARS if (row := bar.row(results))]:
        parts += ["## Targets", table(bars)]
    if results.notes:
        parts += ["## Notes", "\n\n".join(results.notes)]
    return "\n\n".join(parts) + "\n"


def medians(results):
    """A row for each measure, with each app's median and its multiple of FoodVision's."""
    rows = []
    for measure, unit, visitors in results.measures:
        if visitors is None:
            rows.append({"measured": measure} | {app.name: cell(results, app, measure, unit) for app in APPS})
    return rows


def growing(results):
    """A row for each measure and app, with the median at each number of visitors."""
    grown = dict.fromkeys((measure, unit) for measure, unit, visitors in results.measures if visitors is not None)
    counts = sorted({visitors for _, _, visitors in results.measures if visitors is not None})
    rows = []
    for (measure, unit), app in product(grown, APPS):
        found = {str(count): results.median(app, measure, count) for count in counts}
        if any(value is not None for value in found.values()):
            cells = {count: "" if value is None else in_words(value, unit) for count, value in found.items()}
            rows.append({"visitors": f"{measure}: {app.name}"} | cells)
    return rows


def cell(results, app, measure, unit):
    value, ours = results.median(app, measure), results.median(FOODVISION, measure)
    if value is None:
        return ""
    if app == FOODVISION or not ours or value <= 0:
        return in_words(value, unit)
    return f"{in_words(value, unit)} ({times(value / ours)})"


def in_words(value, unit):
    if value == math.inf:
        return "never"
    if unit == "MB" and value <= 0:
        return "within the noise"
    if unit == "MB":
        return f"{value / 1e6:,.{2 if value < 1e7 else 0}f} MB"
    if unit == "s":
        return f"{value:.3g} s" if value < 10 else f"{value:.1f} s"
    return f"{value:.3g} {unit}"


def times(ratio):
    return "∞" if ratio == math.inf else f"{ratio:.3g}"


def table(rows):
    """Markdown table of rows with the same keys."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(row.values() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine():
    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        name = next(
            (line.split(": ")[1] for line in info.read_text(encoding="utf-8").splitlines() if "model name" in line),
            name,
        )
    return f"{os.cpu_count()} cores ({name}), {psutil.virtual_memory().total / 1e9:.0f} GB, {platform.system()}"


def versions():
    names = "voila", "onnxruntime", "fastai", "torch"
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def plot(results, path):
    """Plot bars for one visitor, and lines for what grows with the number of visitors."""
    figure, axes = plt.subplots(2, 3, figsize=(15, 8), layout="constrained")
    bars, lines = axes.flat[:3], axes.flat[3:]
    for axis, (title, measures) in zip(bars, PLOTTED.items(), strict=True):
        draw_bars(axis, results, title, measures)
    for axis, measure in zip(lines, GROWING, strict=True):
        draw_lines(axis, results, measure)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    figure.legend(handles, [app.name for app in COLOURS], loc="outside upper center", ncols=len(COLOURS))
    figure.savefig(path, dpi=100)
    plt.close(figure)


def draw_bars(axis, results, title, measures):
    places = [(place, app) for place in range(len(measures)) for app in COLOURS]
    for place, app in places:
        value = results.median(app, measures[place])
        if value is not None and value < math.inf:
            y = place + BAR * list(COLOURS).index(app)
            axis.barh(y, value, height=BAR, color=COLOURS[app])
            axis.text(value, y, f" {value:.2g}", va="center", fontsize=8)
    axis.set(title=title, xlabel="seconds", xscale="log", xlim=(0.05, 300))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_yticks([place + BAR * (len(COLOURS) - 1) / 2 for place in range(len(measures))], measures)
    axis.invert_yaxis()


def draw_lines(axis, results, measure):
    scale, unit = (1e6, "MB") if measure.startswith("memory") else (1, "seconds")
    counts = sorted({visitors for name, _, visitors in results.measures if name == measure})
    for app, colour in COLOURS.items():
        found = [(count, results.median(app, measure, count)) for count in counts]
        found = [(count, value / scale) for count, value in found if value is not None and value < math.inf]
        axis.plot([count for count, _ in found], [value for _, value in found], "o-", color=colour)
    axis.set(title=measure, xlabel="visitors", ylabel=unit, ylim=(0, None), xticks=counts)
