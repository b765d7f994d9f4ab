"""For `compare.ipynb`: the course's photos, several bodies trained in the same way, and what each costs to serve."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pandas as pd
import torch
from fastai.vision.all import (
    CategoryBlock,
    ColReader,
    ColSplitter,
    DataBlock,
    DataLoader,
    DataLoaders,
    ImageBlock,
    Learner,
    Normalize,
    PILImage,
    Resize,
    accuracy,
    set_seed,
    vision_learner,
)
from torch import nn
from torch.utils.data import TensorDataset

from ..answer.classifier import Classifier
from .bodies import LITE_STATS, describe_body, load_lite_weights
from .compile import compile_learner
from .data import list_food_photos
from .evaluate import answer_photos
from .scores import confidence_interval

Body = str | Callable[..., Any]  # a name of timm, or a function of torchvision

COURSE_LIST = Path(__file__).parent / "course_photos.txt"
BATCH = 32
NOT_AVAILABLE = "weights not available here"
PUBLISHED = pd.DataFrame(
    {
        "body": ["EfficientNet-B2", "ViT-B/16"],
        "test accuracy": [145 / 150, 148 / 150],
        "right": ["145/150", "148/150"],
        "dishes": [0.581, None],  # its FoodVision Big, from 150 photos of each dish
        "parameters (M)": [7.705221, 85.800963],
        "file (MB)": [29.0, 327.0],
        "seconds a prediction": [0.0269, 0.0641],
    }
).set_index("body")


def list_course_photos(food101: str | Path) -> pd.DataFrame:
    """Table of `photo`, `label` and `split` ("train", "test") for the course's photos, as far as they are available.

    They are the photos of learnpytorch.io's `pizza_steak_sushi_20_percent`, all from Food-101.
    """
    names = [line.split("/", 1) for line in COURSE_LIST.read_text(encoding="utf-8").split()]
    rows = [(Path(food101) / "images" / f"{name}.jpg", name.split("/")[0], split) for split, name in names]
    return pd.DataFrame([row for row in rows if row[0].exists()], columns=["photo", "label", "split"])


def list_dish_photos(food101: str | Path, per_dish: int = 20) -> pd.DataFrame:
    """Table like that of `list_course_photos`, with up to `per_dish` photos of each of Food-101's dishes in a split."""
    photos = list_food_photos(food101)
    return photos[photos.split != "valid"].groupby(["label", "split"]).head(per_dish).reset_index(drop=True)


def square_dls(photos: pd.DataFrame, size: int, bs: int = BATCH) -> DataLoaders:
    """Photos cropped to `size` pixels square, none of them augmented; the test photos are the validation set."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("photo"),
        get_y=ColReader("label"),
        splitter=ColSplitter("split", on="test"),
        item_tfms=Resize(size),
    )
    return block.dataloaders(photos, bs=bs)


def new_learner(photos: pd.DataFrame, body: Body, weights: str | None, size: int) -> tuple[Learner, bool]:
    """A learner, and whether pretrained weights were available. Random ones cost as much to run."""
    dls = square_dls(photos, size)
    try:
        return _pretrained_learner(dls, body, weights), True
    except OSError:  # no network, a hub that refuses, or a package that isn't installed
        if not isinstance(body, str):
            describe_body(body, None)
        return vision_learner(dls, body, pretrained=False), False


def train_head(learner: Learner, epochs: int, lr: float = 1e-3) -> Learner:
    """Train the head of a `vision_learner`, and leave its body as it is; returns the head's own learner.

    The body, in evaluation mode, sees each photo once and not once an epoch: without augmentation, it would find the
    same features every time.
    """
    body, head = learner.model
    first = next(place for place, layer in enumerate(head) if list(layer.parameters()))
    pooled = nn.Sequential(body, *head[:first])  # the layers before `first` have nothing to learn
    frozen = pooled.to(memory_format=torch.channels_last)  # a quarter faster on CPUs
    train, test = (_features(frozen, dl) for dl in (learner.dls.train, learner.dls.valid))
    dls = DataLoaders(
        DataLoader(train, bs=BATCH, shuffle=True, drop_last=len(train) % BATCH == 1),  # batch norm needs two
        DataLoader(test, bs=BATCH),
    )
    trained = Learner(dls, head[first:], loss_func=learner.loss_func, metrics=accuracy)
    with trained.no_bar(), trained.no_logging():
        trained.fit(epochs, lr)
    return trained


def compare_body(
    photos: pd.DataFrame, dishes: pd.DataFrame, name: str, body: Body, weights: str | None, size: int, epochs: int = 10
) -> dict[str, Any]:
    """Train with the course's recipe (frozen body, Adam at 1e-3, batches of 32); returns a row of accuracy and cost.

    `photos` are the course's, and `dishes` those of `list_dish_photos`, for which a second head is trained. A body
    without weights is only timed.
    """
    set_seed(42)
    learner, pretrained = new_learner(photos, body, weights, size)
    row = {"body": name, "weights": str(weights) if pretrained else NOT_AVAILABLE}
    with learner.no_bar():
        row |= _cost(learner, photos.photo.tolist()[:20])
    if pretrained:
        dish_learner, _ = new_learner(dishes, body, weights, size)
        row |= _rate(*_right(train_head(learner, epochs))) | _dish_rate(*_right(train_head(dish_learner, epochs)))
    return row


def measure_served(classifier: Classifier, photos: pd.DataFrame, dishes: pd.DataFrame) -> dict[str, Any]:
    """Measure a compiled model on the same test photos. Its answer is the likeliest of the course's classes.

    `dishes` is NaN for a model that knows none.
    """
    test = photos[photos.split == "test"]
    answers = answer_photos(classifier, test)
    best = answers[sorted(photos.label.unique())].idxmax(axis=1)
    row = _rate(int((best == test.label).sum()), len(test)) | {"dishes": float("nan")}
    if classifier.dishes:
        test = dishes[dishes.split == "test"]
        places = answer_photos(classifier, test.assign(dish=test.label)).place
        row |= _dish_rate(int((places == 1).sum()), len(test))
    pictures = [PILImage.create(photo) for photo in photos.photo[:20]]
    size = classifier.path.stat().st_size / 1e6
    return row | {"file (MB)": size, "seconds served": _seconds(classifier.predict, pictures)}


def _pretrained_learner(dls, body, weights):
    if not isinstance(body, str):
        describe_body(body, weights)
        return vision_learner(dls, body)
    if not body.startswith("efficientnet_lite"):
        return vision_learner(dls, body)
    dls.add_tfms([Normalize.from_stats(*LITE_STATS)], "after_batch")
    learner = vision_learner(dls, body, pretrained=False, normalize=False, bn_eps=1e-3)
    load_lite_weights(learner.model[0].model, body)
    return learner


@torch.no_grad()
def _features(frozen, dl):
    """What frozen layers make of each photo, with its label."""
    # The layers' outputs for more photos don't fit into a CPU's cache.
    dl = dl.new(bs=8, shuffle=False, drop_last=False)
    batches = [(frozen.eval()(photos), labels) for photos, labels in dl]
    features, labels = zip(*batches, strict=True)
    return TensorDataset(torch.cat(features), torch.cat(labels))


def _right(learner):
    """How many validation photos a learner labels right, and of how many."""
    with learner.no_bar():
        probabilities, targets = learner.get_preds()
    return int((probabilities.argmax(dim=1) == targets).sum()), len(targets)


def _dish_rate(right, count):
    return {"dishes": right / count, "dishes right": f"{right}/{count}"}


def _rate(right, count):
    low, high = confidence_interval(right, count)
    return {"test accuracy": right / count, "right": f"{right}/{count}", "low": low, "high": high}


def _cost(learner, photos):
    with tempfile.TemporaryDirectory() as folder:
        classifier = Classifier(compile_learner(learner, Path(folder) / "export.onnx", verbose=False))
        size = classifier.path.stat().st_size / 1e6
    pictures = [PILImage.create(photo) for photo in photos]
    return {
        "parameters (M)": sum(parameter.numel() for parameter in learner.model.parameters()) / 1e6,
        "file (MB)": size,
        "seconds served": _seconds(classifier.predict, pictures),
        "seconds learn.predict": _seconds(learner.predict, pictures),
    }


def _seconds(predict, pictures):
    """Median seconds per picture, after a warm-up."""
    predict(pictures[0])
    times = []
    for picture in pictures:
        start = perf_counter()
        predict(picture)
        times.append(perf_counter() - start)
    return median(times)
