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


def decide(probabilities: dict[str, float], confidence: float = CONFIDENCE, margin: float = MARGIN) -> tuple[str, bool]:
    """The label for probabilities by answer, and whether it is unsure.

    The label is the likeliest answer. It is unsure below `confidence`, or with another less than `margin` behind.
    """
    label, *others = sorted(probabilities, key=lambda name: -probabilities[name])
    ahead = probabilities[label] - max((probabilities[name] for name in others), default=-1.0)
    return label, probabilities[label] < confidence or ahead < margin
