"""The pictures of `train.ipynb`: how far to trust the model, and where it says no."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from .data import BACKGROUND
from .evaluate import reliability


def plot_reliability(probabilities, targets):
    """Accuracy against confidence, a line for each named array (photos, classes) of probabilities."""
    _, ax = plt.subplots(figsize=(4.5, 4.5))
    ax.plot([0, 1], [0, 1], ":", color="grey")
    for name, array in probabilities.items():
        table = reliability(array, targets)
        ax.plot(table.confidence, table.accuracy, "o-", label=name)
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    return ax


def plot_roc(score, labels, foods):
    """Foods accepted against strangers let through, for a score (photos), by kind of stranger."""
    _, ax = plt.subplots(figsize=(4.5, 4.5))
    is_food = np.isin(labels, foods)
    for name in BACKGROUND:
        chosen = is_food | (labels == name)
        through, accepted, _ = roc_curve(is_food[chosen], score[chosen])
        ax.plot(through, accepted, label=name)
    ax.set(xlabel="strangers let through", ylabel="foods accepted", xlim=(0, 0.5), ylim=(0.5, 1))
    ax.legend()
    return ax
