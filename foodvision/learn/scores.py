"""Scores a model's answers: rates with confidence intervals, and calibration."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from .data import BACKGROUND, NOT_FOOD


def score_answers(answers: pd.DataFrame, foods: list[str]) -> pd.DataFrame:
    """A row for each claim about the table from `evaluate.answer_photos`. Labels other than `foods` are background.

    The columns are the number of photos for which the claim is `right`, out of so many `photos`, the `rate` (0 to 1),
    and the rate's 95% confidence interval, `low` to `high`.
    """
    rows = [(claim, int(held.sum()), len(held)) for claim, held in _claims(answers, foods).items() if len(held)]
    table = pd.DataFrame(rows, columns=["claim", "right", "photos"]).set_index("claim")
    table["rate"] = table.right / table.photos
    intervals = [confidence_interval(right, count) for right, count in zip(table.right, table.photos, strict=True)]
    return table.join(pd.DataFrame(intervals, columns=["low", "high"], index=table.index))


def confidence_interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95% interval, low and high, for a rate of `right` out of `count`."""
    if not count:
        return 0.0, 1.0
    interval = binomtest(int(right), int(count)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def reliability(probabilities: ArrayLike, targets: ArrayLike, bins: int = 15) -> pd.DataFrame:
    """The non-empty confidence bins, for probabilities (photos, classes) and targets (photos).

    The columns are the mean `confidence`, the `accuracy` (both 0 to 1) and the number of `photos`.
    """
    probabilities, targets = np.asarray(probabilities), np.asarray(targets)
    confidence = probabilities.max(axis=1).clip(0, 1)  # rounding can exceed 1
    right = (probabilities.argmax(axis=1) == targets).astype(int)
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=bins, pos_label=1)
    edges = np.linspace(0, 1, bins + 1)[1:-1]  # as in calibration_curve, which doesn't count
    counts = np.bincount(np.searchsorted(edges, confidence))
    return pd.DataFrame({"confidence": mean_confidence, "accuracy": accuracy, "photos": counts[counts > 0]})


def expected_calibration_error(probabilities: ArrayLike, targets: ArrayLike, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over the bins (Guo et al., "On Calibration ...", 2017)."""
    table = reliability(probabilities, targets, bins)
    return float(np.average((table.confidence - table.accuracy).abs(), weights=table.photos))


def _claims(answers: pd.DataFrame, foods: list[str]) -> dict[str, Any]:
    renamed = _by_another_name(answers, foods)
    return _answer_claims(answers[~renamed], foods) | _dish_claims(answers, renamed)


def _by_another_name(answers: pd.DataFrame, foods: list[str]) -> pd.Series:
    """Which photos show a food that the data set calls something else, such as filet mignon."""
    if "dish" not in answers:
        return pd.Series(False, index=answers.index)
    return answers.label.isin(foods) & (answers.dish != answers.label)


def _answer_claims(answers: pd.DataFrame, foods: list[str]) -> dict[str, Any]:
    best_food = answers[foods].idxmax(axis=1)
    is_food, named_right = answers.label.isin(foods), answers.answer == answers.label
    claims = {f"{food}: right of the {len(foods)} foods": (best_food == food)[answers.label == food] for food in foods}
    claims["all: right of the foods"] = (best_food == answers.label)[is_food]
    claims |= {f"{food}: named right": named_right[answers.label == food] for food in foods}
    claims["all: named right"] = named_right[is_food]
    claims["all: rejected"] = ~answers.answer.isin(foods)[is_food]
    claims["all: named right, but marked unsure"] = (answers.unsure & named_right)[is_food]
    claims["all: wrong, and not marked unsure"] = (~answers.unsure & ~named_right)[is_food]
    for name in dict.fromkeys([*BACKGROUND, *answers.label[~is_food]]):
        claims[f"{name}: taken for one of the foods"] = answers.answer.isin(foods)[answers.label == name]
    return claims


def _dish_claims(answers: pd.DataFrame, renamed: pd.Series) -> dict[str, Any]:
    claims = {}
    for dish, some in answers[renamed].groupby("dish") if renamed.any() else ():
        claims[f"{dish}: named {some.label.iloc[0]}"] = some.answer == some.label
    if "place" in answers:
        places = answers.place[answers.label != NOT_FOOD]
        claims["dish: top-1"] = places <= 1
        claims["dish: top-5"] = places <= 5
    return claims
