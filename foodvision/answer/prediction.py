"""The model's answer to one photo, and the rule that turns probabilities into that answer."""

import math
from dataclasses import dataclass

MARGIN = 0.2  # of probability; the default for models whose metadata names none


@dataclass(frozen=True)
class Prediction:
    """The answer to one photo: its label, the probability of each class, and the seconds it took.

    `unsure` is true if another class is close behind the label or ahead of it.
    """

    label: str
    probabilities: dict[str, float]
    seconds: float
    unsure: bool = False

    @property
    def probability(self) -> float:
        """Probability of the predicted label."""
        return self.probabilities[self.label]

    def to_dict(self) -> dict[str, object]:
        """The prediction as plain JSON types: the one format for the command, tables, the page and the API."""
        return {
            "label": self.label,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "unsure": self.unsure,
            "seconds": self.seconds,
        }


def percent(probability: float) -> str:
    """A probability (0 to 1) in words: "87%", but never 0% or 100%, since no model is that sure."""
    if probability < 0.01:
        return "under 1%"
    if probability > 0.99:
        return "over 99%"
    return f"{math.floor(100 * probability + 0.5)}%"  # rounds halves up, as the page's JavaScript does


def decide(
    probabilities: dict[str, float], accept: dict[str, float] | None = None, margin: float = MARGIN
) -> tuple[str, bool]:
    """The label for probabilities by class name, and whether it is unsure.

    `accept` gives each background class ("none of these") a threshold from 0 to 1. With f the foreground classes' total
    probability and b the background class's, f / (f + b) must reach it. If it misses any of the thresholds, the label
    is the likeliest background class. Otherwise the label is the likeliest foreground class, and unsure if another
    class is ahead of it or less than `margin` behind.
    """
    background = accept or {}
    foreground = {name: p for name, p in probabilities.items() if name not in background}
    total = sum(foreground.values())
    if any(total < share * (total + probabilities[name]) for name, share in background.items()):
        return max(background, key=lambda name: probabilities[name]), False
    label = max(foreground, key=lambda name: foreground[name])
    others = [p for name, p in probabilities.items() if name != label]
    return label, bool(others) and foreground[label] - max(others) < margin
