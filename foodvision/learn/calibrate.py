"""Calibration: one temperature and one bias of the foods, folded into a network's last layer."""

import numpy as np
import pandas as pd
import torch
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.transforms import ColReader, Normalize, RandomSplitter
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.metrics import accuracy
from fastai.vision.augment import Resize
from fastai.vision.data import ImageBlock
from torch import Tensor, nn

from .bodies import LITE_STATS
from .data import OTHER_FOOD, answers_of, classes_of_labels
from .training import SumOfClasses

BIASES = np.arange(4, -4, -0.02)  # nats


def calibrate(
    logits: Tensor,
    labels: Tensor,
    photos: pd.DataFrame,
    vocab: list[str],
    groups: dict[str, list[str]],
    passing: float = 0.07,
) -> tuple[float, Tensor]:
    """A temperature, and a bias (classes) that makes the foods likelier, for `fold_in`.

    `logits` (photos, classes) and `labels` (photos) are those of the validation photos, the rows of `photos`. As many
    foods are recognised as can be while a share `passing` of other food is taken for one of them.
    """
    members = classes_of_labels(vocab, groups).values()
    loss = SumOfClasses([[vocab.index(name) for name in names] for names in members], len(vocab), smoothing=0)
    temperature = fit_temperature(logits, labels, loss)
    bias = fit_food_bias(logits / temperature, photos, vocab, groups, passing)
    return temperature, bias * food_mask(vocab, groups)


def fit_temperature(logits: Tensor, labels: Tensor, loss: SumOfClasses) -> float:
    """The temperature at which logits (photos, classes) fit labels (photos) best, by a loss without smoothing.

    This is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    """
    log_temperature = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(logits / log_temperature.exp(), labels)
        value.backward()
        return value

    optimizer.step(closure)
    return log_temperature.exp().item()


def fit_food_bias(
    logits: Tensor, photos: pd.DataFrame, vocab: list[str], groups: dict[str, list[str]], passing: float
) -> float:
    """The largest bias, in nats, with which at most a share `passing` of your own other food passes as a food.

    `photos` are the table's rows for `logits` (photos, classes). Without photos of your own, Food-101's other dishes
    decide.
    """
    other = answers_of(photos.label, groups) == OTHER_FOOD
    own = other & (photos.source == "own")
    chosen = torch.tensor((own if own.any() else other).to_numpy())
    foods = food_mask(vocab, groups)
    for bias in BIASES:
        answers = add_up((logits[chosen] + bias * foods).softmax(dim=1), vocab, groups)
        if answers.idxmax(axis=1).isin(list(groups)[:-2]).mean() <= passing:
            return float(bias)
    raise ValueError(f"No bias lets {passing:.0%} or fewer pass.")


def add_up(probabilities: Tensor | np.ndarray, vocab: list[str], groups: dict[str, list[str]]) -> pd.DataFrame:
    """A column for each answer: the sum of its classes' columns in `probabilities` (photos, classes)."""
    table = pd.DataFrame(np.asarray(probabilities), columns=vocab)
    return pd.DataFrame({answer: table[names].sum(axis=1) for answer, names in groups.items()})


def food_mask(vocab: list[str], groups: dict[str, list[str]]) -> Tensor:
    """One for each class of a food, zero for the background's."""
    foods = {name for answer in list(groups)[:-2] for name in groups[answer]}
    return torch.tensor([float(name in foods) for name in vocab])


def fold_in(last: nn.Linear, temperature: float, bias: Tensor) -> None:
    """Calibrate a network for good: its last layer's logits are divided by a temperature, and a bias is added."""
    with torch.no_grad():
        last.weight /= temperature
        last.bias /= temperature
        last.bias += bias


def plain_learner(model: nn.Module, photos: pd.DataFrame, vocab: list[str], size: int) -> Learner:
    """A learner of fastai's parts alone, whose `predict` names the dish in a photo, `size` pixels square."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=vocab, sort=False)),
        get_x=ColReader("photo"),
        get_y=ColReader("label"),
        splitter=RandomSplitter(seed=42),
        item_tfms=Resize(size),
        batch_tfms=Normalize.from_stats(*LITE_STATS),
    )
    few = photos[(photos.split == "train") & photos.label.isin(vocab)].head(64)
    learner = Learner(block.dataloaders(few, bs=16), model, loss_func=CrossEntropyLossFlat(), metrics=accuracy)
    return learner.to_contiguous(to_fp32=True)
