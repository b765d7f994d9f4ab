"""Small learners on drawn photos, for tests of compiling."""

from pathlib import Path

import numpy as np
from fastai.vision.all import (
    DataBlock,
    ImageDataLoaders,
    Learner,
    Resize,
    get_image_files,
)
from PIL import Image
from torch import nn


def draw_photos(folder: Path, names=("cat & co", "dog"), count=6, mode="RGB") -> Path:
    """A folder of noise pictures, several for each class and none of them square."""
    random = np.random.default_rng(1)
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (60 + 3 * number, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{number}.png")
    return folder


def photo_dls(folder, item_tfms=None, batch_tfms=None):
    item_tfms = item_tfms or Resize(32)
    return ImageDataLoaders.from_folder(
        folder, valid_pct=0.25, seed=1, item_tfms=item_tfms, batch_tfms=batch_tfms, bs=4, num_workers=0
    )


def block_dls(folder, *blocks, **options):
    return DataBlock(blocks, get_items=get_image_files, item_tfms=Resize(32), **options).dataloaders(
        folder, bs=4, num_workers=0
    )


def tiny_network(outputs=2, channels=3):
    """A network that answers any two pictures differently, however they are resized."""
    body = nn.Sequential(nn.Conv2d(channels, 8, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten())
    return nn.Sequential(body, nn.Linear(128, outputs))


def tiny_learner(dls, path, model=None, outputs=2, **options):
    options = {"loss_func": nn.CrossEntropyLoss()} | options
    return Learner(dls, model or tiny_network(outputs), path=path, **options)
