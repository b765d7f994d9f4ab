"""The served model on photos that training never saw.

FOLDER holds photos of your own, in a folder for each label. Without it they are the test photos of `train.ipynb`, from
where fastai keeps its data (FASTAI_HOME), or downloaded. Needs the training dependencies.
"""

import sys
from urllib.error import URLError

import numpy as np
import pandas as pd
from fastai.data.external import URLs, untar_data
from fastai.data.transforms import get_image_files

from ..answer.classifier import Classifier, ModelError
from ..answer.photo import PhotoError
from .data import BACKGROUND, NOT_FOOD_URL, list_photos


def answer_photos(classifier, photos):
    """The table `photos` with `answer`, `unsure`, `seconds`, and a column of probabilities for each class."""
    predictions = [classifier.predict(photo) for photo in photos.photo]
    answers = pd.DataFrame([prediction.probabilities for prediction in predictions], index=photos.index)
    answers.insert(0, "answer", [prediction.label for prediction in predictions])
    answers.insert(1, "unsure", [prediction.unsure for prediction in predictions])
    answers.insert(2, "seconds", [prediction.seconds for prediction in predictions])
    return photos.join(answers)


def score_answers(answers, foods):
    """Table of what matters: `right` of `photos`, `rate`, and its 95 % interval `low` to `high`."""
    best_food = answers[foods].idxmax(axis=1)
    is_food = answers.label.isin(foods)
    claims = {f"{food}: right of the {len(foods)} foods": (best_food == food)[answers.label == food] for food in foods}
    claims["all: right of the foods"] = (best_food == answers.label)[is_food]
    claims |= {f"{food}: named right": (answers.answer == food)[answers.label == food] for food in foods}
    claims["all: named right"] = (answers.answer == answers.label)[is_food]
    claims["all: turned away"] = answers.answer.isin(BACKGROUND)[is_food]
    claims["all: named right, but marked unsure"] = (answers.unsure & (answers.answer == answers.label))[is_food]
    claims["all: wrong, and not marked unsure"] = (~answers.unsure & (answers.answer != answers.label))[is_food]
    for name in BACKGROUND:
        claims[f"{name}: taken for one of the foods"] = answers.answer.isin(foods)[answers.label == name]
    rows = [(claim, int(held.sum()), len(held)) for claim, held in claims.items() if len(held)]
    table = pd.DataFrame(rows, columns=["claim", "right", "photos"]).set_index("claim")
    table["rate"] = table.right / table.photos
    intervals = [confidence_interval(right, count) for right, count in zip(table.right, table.photos, strict=True)]
    return table.join(pd.DataFrame(intervals, columns=["low", "high"], index=table.index))


def confidence_interval(right, count, z=1.96):
    """Wilson's 95 % interval (low, high) for a rate of `right` in `count` (Wilson, 1927)."""
    if not count:
        return 0.0, 1.0
    rate, spread = right / count, z * z / count
    center = (rate + spread / 2) / (1 + spread)
    margin = z * ((rate * (1 - rate) + spread / 4) / count) ** 0.5 / (1 + spread)
    return max(0.0, center - margin), min(1.0, center + margin)


def reliability(probabilities, targets, bins=15):
    """Table of the bins of confidence: `confidence`, `accuracy`, `photos`, for probabilities (photos, classes)."""
    probabilities, targets = np.asarray(probabilities), np.asarray(targets)
    confidence = probabilities.max(axis=1)
    table = pd.DataFrame({"confidence": confidence, "accuracy": probabilities.argmax(axis=1) == targets})
    by_bin = table.groupby(np.clip(np.ceil(confidence * bins), 1, bins).astype(int))
    return by_bin.mean().assign(photos=by_bin.size())


def expected_calibration_error(probabilities, targets, bins=15):
    """Mean distance of confidence from accuracy over the bins (Guo et al., "On Calibration ...", 2017)."""
    table = reliability(probabilities, targets, bins)
    return float(((table.confidence - table.accuracy).abs() * table.photos).sum() / table.photos.sum())


def list_folder(folder, vocab):
    """Table of `photo` and `label` of the photos in `folder`, which has a folder for each label.

    Raises ValueError where there are none, or the model knows no such label.
    """
    photos = get_image_files(folder)
    table = pd.DataFrame({"photo": photos, "label": [photo.parent.name for photo in photos]})
    if table.empty:
        raise ValueError(f"There are no photos in {folder}. Put them in a folder for each label.")
    if unknown := set(table.label) - set(vocab):
        raise ValueError(f"The model has no class {', '.join(sorted(unknown))}: it knows {', '.join(vocab)}.")
    return table


def evaluate_folder(folder=None):
    """The command `foodvision evaluate`: print the scores, and exit with a sentence on errors."""
    try:
        classifier = Classifier()
        foods = [name for name in classifier.vocab if name not in BACKGROUND]
        photos = list_folder(folder, classifier.vocab) if folder else _test_photos(foods)
        _print(answer_photos(classifier, photos), classifier.vocab, foods)
    except (ModelError, PhotoError, ValueError) as error:
        sys.exit(str(error))
    except URLError as error:
        sys.exit(f"The test photos cannot be downloaded ({error.reason}). Go online, or name a folder of photos.")


def _test_photos(foods):
    photos = list_photos(untar_data(URLs.FOOD), untar_data(NOT_FOOD_URL), foods)
    return photos[photos.split == "test"]


def _print(answers, vocab, foods):
    print(score_answers(answers, foods).to_string(float_format="{:.3f}".format))
    print(pd.crosstab(answers.label, answers.answer).to_string())
    for name, some in {"the foods": answers[answers.label.isin(foods)], "all photos": answers}.items():
        if len(some):
            error = expected_calibration_error(some[vocab], some.label.map(vocab.index))
            print(f"expected calibration error, {name}: {error:.3f} ({len(some)} photos, 15 bins)")
