"""For `compare.ipynb`: the course's photos, several bodies trained in the same way, and what each costs to serve."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pandas as pd
from fastai.vision.all import (
    CategoryBlock,
    ColReader,
    ColSplitter,
    DataBlock,
    DataLoaders,
    ImageBlock,
    Learner,
    PILImage,
    Resize,
    accuracy,
    vision_learner,
)

from ..answer.classifier import Classifier
from .bodies import describe_body
from .compile import compile_learner
from .evaluate import answer_photos
from .scores import confidence_interval

Body = str | Callable[..., Any]  # a name of timm, or a function of torchvision

COURSE_LIST = Path(__file__).parent / "course_photos.txt"
NOT_AVAILABLE = "weights not available here"
PUBLISHED = pd.DataFrame(
    {
        "body": ["EfficientNet-B2", "ViT-B/16"],
        "test accuracy": [145 / 150, 148 / 150],
        "right": ["145/150", "148/150"],
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


def course_dls(photos: pd.DataFrame, size: int, bs: int = 32) -> DataLoaders:
    """The course's photos, `size` pixels square; its test photos are the validation set."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("photo"),
        get_y=ColReader("label"),
        splitter=ColSplitter("split", on="test"),
        item_tfms=Resize(size),
    )
    return block.dataloaders(photos, bs=bs)


def new_learner(photos: pd.DataFrame, body: Body, weights: str | None, size: int) -> tuple[Learner, bool]:
    """A learner with a frozen body, and whether pretrained weights were available. Random ones cost as much to run."""
    dls = course_dls(photos, size)
    if not isinstance(body, str):
        describe_body(body, weights)
    try:
        return vision_learner(dls, body, metrics=accuracy), True
    except OSError:  # no network, or a hub that refuses
        if not isinstance(body, str):
            describe_body(body, None)
        return vision_learner(dls, body, pretrained=False, metrics=accuracy), False


def compare_body(
    photos: pd.DataFrame, name: str, body: Body, weights: str | None, size: int, epochs: int = 10
) -> dict[str, Any]:
    """Train with the course's recipe (frozen body, Adam at 1e-3, batches of 32); returns a row of accuracy and cost."""
    learner, pretrained = new_learner(photos, body, weights, size)
    with learner.no_bar(), learner.no_logging():
        if pretrained:
            learner.fit(epochs, lr=1e-3)
        row = {"body": name, "weights": str(weights) if pretrained else NOT_AVAILABLE}
        row |= _accuracy(learner) if pretrained else {}
        return row | _cost(learner, photos.photo.tolist()[:20])


def measure_served(classifier: Classifier, photos: pd.DataFrame) -> dict[str, Any]:
    """Measure a compiled model on the course's test photos. Its answer is the likeliest of the course's classes."""
    test = photos[photos.split == "test"]
    answers = answer_photos(classifier, test)
    best = answers[sorted(photos.label.unique())].idxmax(axis=1)
    pictures = [PILImage.create(photo) for photo in test.photo[:20]]
    cost = {"file (MB)": classifier.path.stat().st_size / 1e6, "seconds served": _seconds(classifier.predict, pictures)}
    return _rate(int((best == test.label).sum()), len(test)) | cost


def _accuracy(learner):
    probabilities, targets = learner.get_preds()
    return _rate(int((probabilities.argmax(dim=1) == targets).sum()), len(targets))


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
