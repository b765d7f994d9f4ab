"""Export the learner of fastbook's chapter 2, with an EfficientNet-B2: `python export.py PHOTOS EXPORT.PKL`.

PHOTOS has a folder for each class. Nothing is downloaded: the weights are random, which takes as long to run as any
others. The batch-norm layers see the photos once; otherwise all photos would get the same probabilities.
"""

import sys
from pathlib import Path

from fastai.vision.all import (
    CategoryBlock,
    DataBlock,
    ImageBlock,
    RandomResizedCrop,
    RandomSplitter,
    aug_transforms,
    error_rate,
    get_image_files,
    parent_label,
    vision_learner,
)
from torch.optim.swa_utils import update_bn
from torchvision.models import efficientnet_b2

photos, export = map(Path, sys.argv[1:])
foods = DataBlock(
    blocks=(ImageBlock, CategoryBlock),
    get_items=get_image_files,
    splitter=RandomSplitter(valid_pct=0.2, seed=42),
    get_y=parent_label,
    item_tfms=RandomResizedCrop(224, min_scale=0.5),
    batch_tfms=aug_transforms(),
)
learn = vision_learner(foods.dataloaders(photos, bs=8), efficientnet_b2, metrics=error_rate, pretrained=False)
update_bn(learn.dls.train, learn.model)
learn.export(export.resolve())
