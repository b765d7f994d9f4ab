"""The plots in `train.ipynb`: reliability, confusion, and photos with what the model looked at."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from PIL import Image
from sklearn.metrics import ConfusionMatrixDisplay

from ..answer.classifier import Classifier
from .scores import reliability


def plot_reliability(probabilities: dict[str, ArrayLike], targets: ArrayLike) -> Axes:
    """Plot accuracy against confidence, with one line per named array (photos, classes) of probabilities."""
    _, ax = plt.subplots(figsize=(4.5, 4.5))
    ax.plot([0, 1], [0, 1], ":", color="grey")
    for name, array in probabilities.items():
        table = reliability(array, targets)
        ax.plot(table.confidence, table.accuracy, "o-", label=name)
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    return ax


def plot_confusion(truth: pd.Series, probabilities: pd.DataFrame) -> Axes:
    """Plot how often each answer was given to photos of each, from `probabilities` with a column for each answer."""
    _, ax = plt.subplots(figsize=(5, 5))
    given, labels = probabilities.idxmax(axis=1), list(probabilities)
    ConfusionMatrixDisplay.from_predictions(truth, given, labels=labels, cmap="Blues", colorbar=False, ax=ax)
    ax.tick_params("x", rotation=45)
    return ax


def show_worst(photos: pd.DataFrame, truth: pd.Series, probabilities: pd.DataFrame, count: int = 9) -> None:
    """Show the photos whose wrong answers were given with the most confidence."""
    given = probabilities.idxmax(axis=1)
    wrong = probabilities.max(axis=1)[(given != truth).to_numpy()].nlargest(count)
    for ax, index in zip(_axes(len(wrong), columns=3), wrong.index, strict=False):
        ax.imshow(Image.open(photos.photo.iloc[index]))
        ax.set_title(f"{truth.iloc[index]}: {given[index]}, {wrong[index]:.0%}", fontsize=9)


def plot_attention(classifier: Classifier, answers: pd.DataFrame) -> None:
    """Show what spoke for the model's answer to each photo in the table from `evaluate.answer_photos`."""
    for ax, row in zip(_axes(len(answers)), answers.itertuples(), strict=False):
        pixels = classifier.pixels(classifier.read(row.photo)).transpose(1, 2, 0)
        low, high = pixels.min(), pixels.max()
        ax.imshow((pixels - low) / (high - low))
        heat, extent = classifier.heat_map(row.photo), (0, pixels.shape[1], pixels.shape[0], 0)
        ax.imshow(heat, extent=extent, alpha=0.5, cmap="magma", interpolation="bilinear")
        ax.set_title(f"{row.label}: {row.answer}", fontsize=9)


def _axes(count: int, columns: int = 4) -> np.ndarray:
    rows = max(1, -(-count // columns))
    _, axes = plt.subplots(rows, columns, figsize=(3 * columns, 3.3 * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    return axes.flat
