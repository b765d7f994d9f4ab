"""What the owner sees in feedback.ipynb: figures, and the photos to accept or reject before training."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from ipywidgets import HTML, Button, Dropdown, HBox, Image, ToggleButtons, VBox

from ..answer.prediction import percent
from .drift import Answers, Drift
from .feedback import Feedback, Verdict

FOLDER = "feedback-photos"
MAX_SHOWN = 24  # photos at once
EVERYTHING = "all"
DECISIONS = {"undecided": None, "accepted": True, "rejected": False}
STYLE = """<style>
.fv-owner { --accent: #b4400c; --on-accent: #fff; --paper: Canvas; --ink: CanvasText; --good: #15803d;
  --faint: color-mix(in srgb, var(--ink) 7%, var(--paper)); --line: color-mix(in srgb, var(--ink) 20%, var(--paper));
  --quiet: color-mix(in srgb, var(--ink) 70%, var(--paper)); }
@media (prefers-color-scheme: dark) { .fv-owner { --accent: #ffa05c; --on-accent: #1c1917; --good: #4ade80; } }
[data-jp-theme-light] .fv-owner { --paper: var(--jp-layout-color0); --ink: var(--jp-content-font-color1); }
.fv-figures { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.fv-figures > div { background: var(--faint); border-radius: 1rem; padding: 0.75rem 1rem; }
.fv-figures b { display: block; font-size: 1.75rem; line-height: 1.2; }
.fv-figures span, .fv-shares span { color: var(--quiet); }
.fv-said { border-inline-start: 4px solid var(--accent); margin: 0.75rem 0; padding: 0.25rem 0 0.25rem 1rem; }
.fv-said p { margin: 0.25rem 0; }
.fv-shares { display: grid; gap: 0.25rem 1rem;
  grid-template-columns: max-content 1fr max-content; align-items: center; }
.fv-shares i { background: var(--accent); border-radius: 0.25rem; display: block; height: 0.6rem; min-width: 2px; }
.fv-shares i + i { background: var(--line); margin-top: 2px; }
.fv-grid { display: grid !important; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.fv-verdict { background: var(--faint); border: 2px solid transparent; border-radius: 1rem; overflow: hidden; }
.fv-verdict.fv-accepted { border-color: var(--good); }
.fv-verdict.fv-rejected { opacity: 0.55; }
.fv-verdict img { aspect-ratio: 4 / 3; height: auto; object-fit: cover; width: 100%; }
.fv-verdict .widget-html, .fv-verdict .widget-toggle-buttons { margin: 0; padding: 0 0.75rem 0.75rem; width: auto; }
.fv-verdict .widget-toggle-button { flex: 1; padding: 0; }
.fv-owner .jupyter-button { min-width: max-content; }
.fv-owner .jupyter-button.mod-primary { background: var(--accent); color: var(--on-accent); }
.fv-owner > * + * { margin-top: 0.75rem; }
.fv-owner .widget-html-content { line-height: 1.4; }
</style>"""


def figures(verdicts: Sequence[Verdict]) -> HTML:
    """The page's numbers: verdicts, how many answers were right, photos kept and still to be looked at."""
    right = sum(verdict["label"] == verdict["truth"] for verdict in verdicts)
    photos = [verdict for verdict in verdicts if verdict["has_photo"]]
    numbers = {
        "verdicts": str(len(verdicts)),
        "were right": percent(right / len(verdicts)) if verdicts else "none",
        "photos kept": str(len(photos)),
        "photos to look at": str(sum(verdict["accepted"] is None for verdict in photos)),
    }
    tiles = "".join(f"<div><b>{number}</b><span>{name}</span></div>" for name, number in numbers.items())
    empty = "" if verdicts else "<p>No verdicts yet.</p>"
    return _html(f"{STYLE}<div class='fv-figures'>{tiles}</div>{empty}")


def show_drift(drift: Drift) -> HTML:
    """The sentences of a `Drift`, and the shares of answers that they speak of."""
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in drift.sentences)
    shares = _shares(drift.recent, drift.baseline) if drift.recent else ""
    return _html(f"{STYLE}<div class='fv-said'>{said}</div>{shares}")


class Review(VBox):
    """`Review(feedback)`: the kept photos to filter, accept or reject, and a button that exports the accepted ones."""

    def __init__(self, feedback: Feedback, folder: str | Path = FOLDER) -> None:
        self.feedback, self.folder = feedback, Path(folder)
        photos = self._photos()
        labels = sorted({verdict["label"] for verdict in photos})
        self.answer = Dropdown(description="Answer", options=[EVERYTHING, *labels])
        self.verdict = Dropdown(description="Verdict", options=[EVERYTHING, "wrong", "right"], value=EVERYTHING)
        self.decision = Dropdown(description="Decision", options=[EVERYTHING, *DECISIONS], value=EVERYTHING)
        self.cards, self.said = HBox(), _html("")
        accept_all = Button(description="Accept all shown")
        export = Button(description="Export", button_style="primary")
        accept_all.on_click(self._accept_shown)
        export.on_click(self._export)
        for choice in self.answer, self.verdict, self.decision:
            choice.observe(self._show, "value")
        self.cards.add_class("fv-grid")
        filters = HBox([self.answer, self.verdict, self.decision], layout={"flex_flow": "row wrap"})
        buttons = HBox([accept_all, export], layout={"flex_flow": "row wrap"})
        super().__init__([_html(STYLE), filters, self.said, self.cards, buttons])
        self.add_class("fv-owner")
        self._show()

    def shown(self) -> list[Verdict]:
        """The verdicts that the filters let through: wrong answers first, the surest of them foremost."""
        wanted = [verdict for verdict in self._photos() if self._lets_through(verdict)]
        return sorted(wanted, key=lambda verdict: (verdict["label"] == verdict["truth"], -verdict["probability"]))

    def _photos(self) -> list[Verdict]:
        return [verdict for verdict in self.feedback.verdicts() if verdict["has_photo"]]

    def _lets_through(self, verdict: Verdict) -> bool:
        right = verdict["label"] == verdict["truth"]
        return (
            self.answer.value in (EVERYTHING, verdict["label"])
            and self.verdict.value in (EVERYTHING, "right" if right else "wrong")
            and (self.decision.value == EVERYTHING or DECISIONS[self.decision.value] is verdict["accepted"])
        )

    def _show(self, _: object = None) -> None:
        shown = self.shown()
        self.cards.children = [card(self.feedback, verdict, self._decide) for verdict in shown[:MAX_SHOWN]]
        more = f" The first {MAX_SHOWN} are shown." if len(shown) > MAX_SHOWN else ""
        self.said.value = f"{_photo_count(len(shown))}.{more}"

    def _decide(self, key: str, accepted: bool | None) -> None:
        self.feedback.review(key, accepted)

    def _accept_shown(self, _: object) -> None:
        for verdict in self.shown()[:MAX_SHOWN]:
            if verdict["accepted"] is None:
                self.feedback.review(verdict["key"], True)
        self._show()

    def _export(self, _: object) -> None:
        try:
            count = self.feedback.export(self.folder, accepted_only=True)
        except OSError as error:
            self.said.value = f"{escape(str(self.folder))} can't be written: {error.strerror}. Try again once it can."
            return
        accept = "" if count else " Accept those that the model may learn from, then export again."
        self.said.value = f"{_photo_count(count)} in {escape(str(self.folder))}.{accept}"


def card(feedback: Feedback, verdict: Verdict, decide: Callable[[str, bool | None], None]) -> VBox:
    """A photo with its answer and verdict, and buttons for the owner's decision."""
    answer, truth = escape(verdict["label"]), escape(verdict["truth"])
    said = f"<b>{truth}</b>, as answered" if answer == truth else f"<b>{truth}</b>, not {answer}"
    text = _html(f"{said} ({percent(verdict['probability'])})")
    photo = Image(value=feedback.photo(verdict["key"]) or b"", format="jpeg")
    photo.add_class("fv-photo")
    state = next(name for name, accepted in DECISIONS.items() if accepted is verdict["accepted"])
    options = [("Accept", "accepted"), ("Reject", "rejected"), ("Later", "undecided")]
    choice = ToggleButtons(options=options, value=state, style={"button_width": "auto"})
    box = VBox([photo, text, choice])
    box.add_class("fv-verdict")
    box.add_class(f"fv-{state}")

    def on_choice(change: dict) -> None:
        decide(verdict["key"], DECISIONS[change["new"]])
        box.remove_class(f"fv-{change['old']}")
        box.add_class(f"fv-{change['new']}")

    choice.observe(on_choice, "value")
    return box


def _shares(recent: Answers, baseline: Answers | None) -> str:
    names = list(dict.fromkeys([*recent.counts, *(baseline.counts if baseline else {})]))
    rows = []
    for name in names:
        shares = [answers.counts.get(name, 0) / answers.total for answers in (recent, baseline) if answers]
        bars = "".join(f"<i style='width: {share:.1%}'></i>" for share in shares)
        numbers = " instead of ".join(map(percent, shares))
        rows.append(f"<b>{escape(name.replace('_', ' '))}</b><div>{bars}</div><span>{numbers}</span>")
    return f"<div class='fv-shares'>{''.join(rows)}</div>"


def _photo_count(count: int) -> str:
    return "One photo" if count == 1 else f"{count or 'No'} photos"


def _html(text: str) -> HTML:
    widget = HTML(text)
    widget.add_class("fv-owner")
    return widget
