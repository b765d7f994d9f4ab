"""Drift: whether this month's answers still look like the model's own test. Needs the training packages."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, stdev

from onnxruntime import InferenceSession
from scipy.stats import chi2_contingency, fisher_exact, ttest_ind_from_stats

from ..answer.prediction import percent
from .feedback import Verdict

MONTH = timedelta(days=30)
FEWEST = 30  # answers, below which nothing is said
SIGNIFICANCE = 0.01  # of each test: several are made, and a false alarm costs trust
NOTHING = (
    "There is nothing to compare with yet. Run “foodvision evaluate --keep”: it notes how the model answers its test "
    "photos."
)
CARD_ROW = re.compile(r"^\| (?P<answer>[^|]+): named right \| (?P<right>\d+) \| (?P<photos>\d+) \|", re.MULTILINE)


@dataclass(frozen=True)
class Answers:
    """What a model answered to some photos: how often each answer, and its confidence (0 to 1) on average."""

    source: str
    counts: dict[str, int]
    confidence: float
    deviation: float

    @property
    def total(self) -> int:
        """Number of photos."""
        return sum(self.counts.values())


@dataclass
class Drift:
    """What has changed, in `sentences`, and this month's `recent` answers beside those of the `baseline`."""

    sentences: list[str] = field(default_factory=list)
    recent: Answers | None = None
    baseline: Answers | None = None


def find_drift(verdicts: Sequence[Verdict], model: Path, card: Path, now: datetime | None = None) -> Drift:
    """Compare the last 30 days with the test in the model's metadata, or else with earlier months, and with its card.

    `foodvision evaluate --keep` writes the answers to the test photos into the model's metadata, as `evaluation`:
    `{"answers": {"pizza": 66, ...}, "confidence": {"mean": 0.91, "deviation": 0.14}}`. Of the card, the rows "named
    right" count.
    """
    since = (now or datetime.now(UTC)) - MONTH
    recent = [verdict for verdict in verdicts if datetime.fromisoformat(verdict["time"]) >= since]
    earlier = [verdict for verdict in verdicts if datetime.fromisoformat(verdict["time"]) < since]
    if len(recent) < FEWEST:
        return Drift([f"{_count(len(recent))} in the last 30 days: too few to compare. It takes {FEWEST}."])
    answers = _answers("the last 30 days", recent)
    baseline = read_evaluation(model) or (_answers("earlier months", earlier) if len(earlier) >= FEWEST else None)
    rates = read_card(card)
    if not baseline and not rates:
        return Drift([NOTHING], answers)
    found = [*_rates_part(recent, rates), *(_shares_part(answers, baseline) if baseline else [])]
    sources = [baseline.source] if baseline else []
    against = " and ".join([*sources, *(["the model card"] if rates else [])])
    return Drift(
        found or [f"Nothing has changed that chance would not explain, compared with {against}."], answers, baseline
    )


def read_evaluation(model: Path) -> Answers | None:
    """The answers to the test photos, from a model's metadata; None if it holds none that can be used."""
    try:
        metadata = InferenceSession(model, providers=["CPUExecutionProvider"]).get_modelmeta().custom_metadata_map
        test = json.loads(metadata["evaluation"])
        counts = {str(answer): int(count) for answer, count in test["answers"].items()}
        confidence = test["confidence"]
        answers = Answers("the model's test", counts, float(confidence["mean"]), float(confidence["deviation"]))
    except Exception:  # a missing model, one without a test, or a test that says something else
        return None
    return answers if answers.total >= FEWEST else None


def read_card(card: Path) -> dict[str, tuple[int, int]]:
    """How many test photos of each answer the model named right, and out of how many, from its card."""
    if not card.exists():
        return {}
    rows = CARD_ROW.finditer(card.read_text(encoding="utf-8"))
    return {row["answer"]: (int(row["right"]), int(row["photos"])) for row in rows if row["answer"] != "all"}


def _answers(source: str, verdicts: Sequence[Verdict]) -> Answers:
    confidences = [verdict["probability"] for verdict in verdicts]
    counts = Counter(verdict["label"] for verdict in verdicts)
    return Answers(source, dict(counts.most_common()), fmean(confidences), stdev(confidences))


def _rates_part(recent: Sequence[Verdict], rates: dict[str, tuple[int, int]]) -> list[str]:
    """A sentence for each answer that is right significantly more or less often than on the test photos."""
    sentences = []
    for answer, (test_right, test_photos) in rates.items():
        labels = [verdict["label"] for verdict in recent if verdict["truth"] == answer]
        right = labels.count(answer)
        table = [[right, len(labels) - right], [test_right, test_photos - test_right]]
        if labels and fisher_exact(table).pvalue < SIGNIFICANCE:
            more = "more" if right / len(labels) > test_right / test_photos else "less"
            sentences.append(
                f"{_title(answer)} is named right {more} often than on the model's test photos: {right} of "
                f"{len(labels)} instead of {test_right} of {test_photos}."
            )
    return sentences


def _shares_part(recent: Answers, baseline: Answers) -> list[str]:
    """Sentences for shares of answers (chi-squared test) and confidence (Welch's) that differ significantly."""
    sentences, names = [], list(dict.fromkeys([*baseline.counts, *recent.counts]))
    table = [[answers.counts.get(name, 0) for name in names] for answers in (recent, baseline)]
    if len(names) > 1 and chi2_contingency(table).pvalue < SIGNIFICANCE:
        shares = {name: (table[0][at] / recent.total, table[1][at] / baseline.total) for at, name in enumerate(names)}
        name, (now, before) = max(shares.items(), key=lambda item: abs(item[1][0] - item[1][1]))
        sentences.append(
            f"The mix of answers differs from that of {baseline.source}: above all, {_title(name).lower()} is "
            f"{percent(now)} of them instead of {percent(before)}. Visitors may be sending other kinds of photos."
        )
    means = (recent.confidence, recent.deviation, recent.total, baseline.confidence, baseline.deviation, baseline.total)
    if ttest_ind_from_stats(*means, equal_var=False).pvalue < SIGNIFICANCE:
        less = "less" if recent.confidence < baseline.confidence else "more"
        sentences.append(
            f"The model is {less} sure than in {baseline.source}: {percent(recent.confidence)} on average instead of "
            f"{percent(baseline.confidence)}."
        )
    return sentences


def _title(answer: str) -> str:
    words = answer.replace("_", " ")
    return words[:1].upper() + words[1:]


def _count(answers: int) -> str:
    return "One answer" if answers == 1 else f"{answers or 'No'} answers"
