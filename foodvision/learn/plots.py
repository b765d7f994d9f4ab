"""The plots in `train.ipynb`: reliability, ROC curves and attention."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from fastai.callback.hook import hook_output
from fastai.learner import Learner
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve

from .data import BACKGROUND
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


def plot_roc(score: np.ndarray, labels: np.ndarray, foods: list[str]) -> Axes:
    """Plot ROC curves for a score (photos) that tells foods from background, one curve per background class."""
    _, ax = plt.subplots(figsize=(4.5, 4.5))
    is_food = np.isin(labels, foods)
    for name in BACKGROUND:
        chosen = is_food | (labels == name)
        through, accepted, _ = roc_curve(is_food[chosen], score[chosen])
        ax.plot(through, accepted, label=name)
    ax.set(xlabel="false positives", ylabel="foods accepted", xlim=(0, 0.5), ylim=(0.5, 1))
    ax.legend()
    return ax


def plot_attention(learner: Learner, photos: list[Path], titles: list[str], columns: int = 4) -> None:
    """Show which parts of each photo (a path) support the learner's answer, by Grad-CAM (Selvaraju et al., 2017)."""
    rows = -(-len(photos) // columns)
    _, axes = plt.subplots(rows, columns, figsize=(3 * columns, 3.3 * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, photo, title in zip(axes.flat, photos, titles, strict=False):
        pixels, heat = attention(learner, photo)
        extent = (0, pixels.shape[1], pixels.shape[0], 0)
        ax.imshow(pixels)
        ax.imshow(heat, extent=extent, alpha=0.5, cmap="magma", interpolation="bilinear")
        ax.set_title(title, fontsize=9)


def attention(learner: Learner, photo: Path) -> tuple[np.ndarray, np.ndarray]:
    """A photo's pixels as the learner sees them (height, width, 3), and a heat map of what supports its answer."""
    dl = learner.dls.test_dl([photo], num_workers=0)
    (batch,) = dl.one_batch()
    body = learner.model.eval()[0]
    with hook_output(body) as activations, hook_output(body, grad=True) as gradients:
        learner.model(batch).max().backward()
    weights = gradients.stored[0][0].mean(dim=(1, 2), keepdim=True)
    heat = (weights * activations.stored[0]).sum(dim=0).relu()
    return dl.decode((batch,))[0][0].permute(1, 2, 0).clamp(0, 1).cpu().numpy(), heat.cpu().numpy()
