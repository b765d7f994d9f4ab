"""Draws and augments the photos of a stage for `train.ipynb`."""

import random
from collections.abc import Iterable

import numpy as np
import pandas as pd
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import ColReader, ColSplitter, Normalize
from fastai.vision.augment import (
    Brightness,
    Contrast,
    FlipItem,
    RandomResizedCrop,
    RandTransform,
    Resize,
)
from fastai.vision.core import PILImage
from fastai.vision.data import ImageBlock
from fasttransform import Transform
from PIL import ImageEnhance

from .bodies import LITE_STATS
from .data import NOT_FOOD, OTHER_FOOD, answers_of, classes_of_labels

ANSWER_SHARES = {"pizza": 0.15, "steak": 0.14, "sushi": 0.14, OTHER_FOOD: 0.44, NOT_FOOD: 0.13}
HANDS = 16  # deals an epoch: between two of them no photo that is rare comes twice


def load_photos(
    photos: pd.DataFrame,
    vocab: list[str],
    groups: dict[str, list[str]],
    size: int,
    epoch: int,
    shares: dict[str, float],
    augment: Iterable[Transform] = (),
    test_size: int | None = None,
    bs: int = 64,
) -> DataLoaders:
    """DataLoaders that draw `epoch` training photos an epoch, each source in its share, and all validation photos.

    Training photos are random crops of `size` pixels; validation photos are resized to `test_size` (a quarter more by
    default), because a crop magnifies what is in it (Touvron et al., "Fixing the train-test resolution discrepancy",
    2019).
    """
    seen = photos[photos.split != "test"].reset_index(drop=True)
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=list(classes_of_labels(vocab, groups)), sort=False)),
        get_x=ColReader("photo"),
        get_y=ColReader("label"),
        splitter=ColSplitter("split", on="valid"),
        item_tfms=[
            RandomResizedCrop(size, min_scale=0.35, split_idx=0),
            FlipItem(),
            *augment,
            Resize(test_size or round(1.25 * size), split_idx=1),
        ],
        batch_tfms=[Brightness(0.3, 0.75), Contrast(0.3, 0.75), Normalize.from_stats(*LITE_STATS)],
    )
    dls = block.dataloaders(seen, bs=bs, num_workers=1)
    weights = photo_weights(seen[seen.split == "train"], groups, shares)
    dls.train.n, dls.train.get_idxs = epoch, Dealer(weights, epoch)
    return dls


def photo_weights(photos: pd.DataFrame, groups: dict[str, list[str]], shares: dict[str, float]) -> np.ndarray:
    """How often each photo is drawn: each source has its share, and within it each answer (ANSWER_SHARES).

    If the foods were rarer in one source than in another, the network would learn to tell the sources apart by their
    look, and to reject the foods of one. Small photos, which no visitor brings, are drawn alike.
    """
    answers = answers_of(photos.label, groups)
    weights = answers.map(ANSWER_SHARES) / photos.groupby(["source", answers]).label.transform("size")
    weights[photos.source == "small"] = 1.0
    weights *= photos.source.map(shares).fillna(0) / weights.groupby(photos.source).transform("sum")
    return (weights / weights.sum()).to_numpy()


class Dealer:
    """Deals `count` photos an epoch like cards: each as often as its weight says, and none again before its turn."""

    def __init__(self, weights: np.ndarray, count: int) -> None:
        self.every, self.count = 1 / np.asarray(weights).clip(1e-12), count
        self.due = np.random.rand(len(weights)) * self.every

    def __call__(self) -> list[int]:
        """The indices of an epoch's photos."""
        return [photo for _ in range(HANDS) for photo in self._deal(self.count // HANDS)]

    def _deal(self, count: int) -> list[int]:
        photos = np.argsort(self.due)[:count]
        self.due[photos] += self.every[photos]
        return np.random.permutation(photos).tolist()


class Sharpness(RandTransform):
    """Softens or sharpens most training photos, because visitors' photos vary more in sharpness than a data set's."""

    order = 2  # after cropping, at the network's resolution

    def __init__(self) -> None:
        super().__init__(p=0.8)

    def encodes(self, photo: PILImage) -> PILImage:
        return PILImage.create(ImageEnhance.Sharpness(photo).enhance(random.uniform(0, 2.5)))


class Grain(RandTransform):
    """Adds grain to a quarter of the training photos, as cameras do in low light."""

    order = 3  # last, because the other transforms would smooth it

    def __init__(self) -> None:
        super().__init__(p=0.25)

    def encodes(self, photo: PILImage) -> PILImage:
        pixels = np.asarray(photo, dtype=np.float32)
        grain = np.random.normal(0, random.uniform(0, 14), pixels.shape)
        return PILImage.create((pixels + grain).clip(0, 255).astype(np.uint8))
