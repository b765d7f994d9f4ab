"""The model's answer to one photo, and the rule that turns probabilities into that answer."""

import math
from dataclasses import dataclass, field

CONFIDENCE, MARGIN = 0.5, 0.2  # of probability; the defaults for models whose metadata name none
DISHES = 10  # of the finer classes, in a prediction


@dataclass(frozen=True)
class Prediction:
    """The answer to one photo: its label, the probability of each answer, and the seconds it took.

    `unsure` is true if the label isn't likely by itself, or another answer is close behind it. If the model knows finer
    classes than its answers, `dishes` has the most likely of them, best first.
    """

    label: str
    probabilities: dict[str, float]
    seconds: float
    unsure: bool = False
    dishes: dict[str, float] = field(default_factory=dict)

    @property
    def probability(self) -> float:
        """Probability of the predicted label."""
        return self.probabilities[self.label]

    def to_dict(self) -> dict[str, object]:
        """The prediction as plain JSON types: the one format for the command, tables, the page and the API.

        `dishes` is there only if the model knows any.
        """
        return {
            "label": self.label,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "unsure": self.unsure,
            "seconds": self.seconds,
        } | ({"dishes": dict(self.dishes)} if self.dishes else {})


def percent(probability: float) -> str:
    """A probability (0 to 1) in words: "87%", but never 0% or 100%, since no model is that sure."""
    if probability < 0.01:
        return "under 1%"
    if probability > 0.99:
        return "over 99%"
    return f"{math.floor(100 * probability + 0.5)}%"  # rounds halves up, as the page's JavaScript does


def add_up(probabilities: dict[str, float], groups: dict[str, list[str]]) -> dict[str, float]:
    """Probabilities of answers from those of classes: an answer is as likely as its classes together."""
    return {answer: math.fsum(probabilities[name] for name in names) for answer, names in groups.items()}


def most_likely(probabilities: dict[str, float], count: int = DISHES) -> dict[str, float]:
    """The `count` likeliest, best first."""
    ranked = sorted(probabilities, key=lambda name: -probabilities[name])
    return {name: probabilities[name] for name in ranked[:count]}


def decide(
    probabilities: dict[str, float],
    accept: dict[str, float] | None = None,
    confidence: float = CONFIDENCE,
    margin: float = MARGIN,
) -> tuple[str, bool]:
    """The label for probabilities by answer, and whether it is unsure.

    `accept` gives each background class ("none of these") a threshold from 0 to 1. With f the foreground classes' total
    probability and b the background class's, f / (f + b) must reach it. If it misses any of the thresholds, the label
    is the likeliest background class. Otherwise the label is the likeliest foreground class, and unsure below
    `confidence`, or if another class is ahead of it or less than `margin` behind. Without `accept` the label is simply
    the likeliest answer.
    """
    background = accept or {}
    foreground = {name: p for name, p in probabilities.items() if name not in background}
    total = sum(foreground.values())
    if any(total < share * (total + probabilities[name]) for name, share in background.items()):
        return max(background, key=lambda name: probabilities[name]), False
    label = max(foreground, key=lambda name: foreground[name])
    runner_up = max((p for name, p in probabilities.items() if name != label), default=-1.0)
    return label, foreground[label] < confidence or foreground[label] - runner_up < margin
