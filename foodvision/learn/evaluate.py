"""Evaluates the served model on held-out photos: its test photos, or a folder of your own."""

import json
import sys
from pathlib import Path
from urllib.error import URLError

import onnx
import pandas as pd
from fastai.data.external import URLs, untar_data

from ..answer.classifier import Classifier
from ..answer.photo import PhotoError
from ..answer.prediction import Prediction
from ..batch.names import one_line, photos_in
from ..locate import find_model
from .data import BACKGROUND, NOT_FOOD_URL, answers_of, list_photos
from .scores import confidence_interval, expected_calibration_error, reliability, score_answers

__all__ = [
    "answer_photos",
    "confidence_interval",
    "evaluate_folder",
    "expected_calibration_error",
    "keep_answers",
    "list_folder",
    "reliability",
    "score_answers",
    "test_photos",
]


def answer_photos(classifier: Classifier, photos: pd.DataFrame) -> pd.DataFrame:
    """The table `photos` with the columns `answer`, `unsure`, `seconds`, and a probability for each answer.

    If the table has a column `dish` and the model knows dishes, `place` is the true one's place among the likeliest
    ten, from 1, or NaN. Photos that can't be read are named on standard error and left out.
    """
    answered = {row.Index: prediction for row in photos.itertuples() if (prediction := _answer(classifier, row.photo))}
    predictions = list(answered.values())
    answers = pd.DataFrame([prediction.probabilities for prediction in predictions], list(answered), classifier.answers)
    answers.insert(0, "answer", [prediction.label for prediction in predictions])
    answers.insert(1, "unsure", [prediction.unsure for prediction in predictions])
    answers.insert(2, "seconds", [prediction.seconds for prediction in predictions])
    if "dish" in photos and classifier.dishes:
        dishes = photos.dish[answers.index]
        places = [_place(dish, prediction) for dish, prediction in zip(dishes, predictions, strict=True)]
        answers.insert(3, "place", places)
    return photos.join(answers, how="inner")


def test_photos(photos: pd.DataFrame, groups: dict[str, list[str]]) -> pd.DataFrame:
    """The test photos of the table from `list_photos`: `label` is the right answer, `dish` Food-101's own class."""
    test = photos[photos.split == "test"]
    return test.assign(label=answers_of(test.label, groups), dish=test.label)


def list_folder(folder: Path, vocab: list[str]) -> pd.DataFrame:
    """Table of `photo` and `label` for the photos in `folder`. A photo's label is the name of the top-level subfolder.

    Raises ValueError if there are no photos, or a label is not one of the model's classes.
    """
    if not folder.is_dir():
        problem = "is a file" if folder.exists() else "does not exist"
        raise ValueError(f"{folder} {problem}. Name a folder with a subfolder of photos for each label.")
    names = [Path(name) for name in photos_in(folder)]
    rows = [(folder / name, name.parts[0]) for name in names if len(name.parts) > 1]
    if not rows:
        raise ValueError(f"There are no photos in {folder}. Put them in a folder for each label.")
    if unknown := {label for _, label in rows} - set(vocab):
        raise ValueError(f"The model has no class {', '.join(sorted(unknown))}: it knows {', '.join(vocab)}.")
    if loose := len(names) - len(rows):
        print(f"{loose} photo(s) directly in {folder} have no label, and are left out.", file=sys.stderr)
    return pd.DataFrame(rows, columns=["photo", "label"])


def keep_answers(answers: pd.DataFrame, model: Path) -> None:
    """Write how often and how confidently the model gave each answer into its file, for drift on the owner's page.

    `answers` is the table from `answer_photos`, about the model's test photos. Compiling the model again removes them.
    """
    confidence = pd.Series([answers.at[row, answer] for row, answer in answers.answer.items()])
    test = {
        "answers": answers.answer.value_counts().to_dict(),
        "confidence": {"mean": confidence.mean(), "deviation": confidence.std()},
    }
    proto = onnx.load(model)
    onnx.helper.set_model_props(
        proto, {prop.key: prop.value for prop in proto.metadata_props} | {"evaluation": json.dumps(test)}
    )
    unchecked = model.with_suffix(".unchecked.onnx")
    onnx.save(proto, unchecked)
    unchecked.replace(model)


def evaluate_folder(folder: Path | None = None, model: Path | None = None, keep: bool = False) -> int:
    """`foodvision evaluate`: print the scores and return the exit status, 1 if a photo could not be read.

    With `keep`, the answers are written into the model's file.
    """
    model = model or find_model()
    classifier = Classifier(model)
    foods = [name for name in classifier.answers if name not in classifier.background]
    try:
        photos = list_folder(Path(folder), classifier.answers) if folder else _official_test_photos(classifier)
    except (ValueError, OSError) as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    answers = answer_photos(classifier, photos)
    if answers.empty:
        print("None of the photos could be read, so there is nothing to score.", file=sys.stderr)
        return 1
    _print(answers, classifier.answers, foods)
    if keep:
        keep_answers(answers, model)
        print(
            f"{model} now holds how often and how confidently it gave each answer. feedback.ipynb compares with that."
        )
    return 0 if len(answers) == len(photos) else 1


def _answer(classifier: Classifier, photo: Path) -> Prediction | None:
    try:
        return classifier.predict(photo)
    except PhotoError as error:
        print(f"{one_line(str(photo))}: {error} It is not scored.", file=sys.stderr)
        return None


def _sentence(error: Exception) -> str:
    if isinstance(error, URLError):
        return f"The test photos can't be downloaded ({error.reason}). Go online, or name a folder of photos."
    return str(error)


def _place(dish: str, prediction: Prediction) -> float:
    return list(prediction.dishes).index(dish) + 1 if dish in prediction.dishes else float("nan")


def _official_test_photos(classifier: Classifier) -> pd.DataFrame:
    if not classifier.dishes or not set(BACKGROUND) <= set(classifier.answers):
        raise ValueError("This model has classes of its own: name a folder with a subfolder of photos for each.")
    return test_photos(list_photos(untar_data(URLs.FOOD), untar_data(NOT_FOOD_URL)), classifier.groups)


def _print(answers: pd.DataFrame, vocab: list[str], foods: list[str]) -> None:
    print(score_answers(answers, foods).to_string(float_format="{:.3f}".format))
    print(pd.crosstab(answers.label, answers.answer).to_string())
    for name, some in {"the foods": answers[answers.label.isin(foods)], "all photos": answers}.items():
        if len(some):
            error = expected_calibration_error(some[vocab], some.label.map(vocab.index))
            print(f"expected calibration error, {name}: {error:.3f} ({len(some)} photos, 15 bins)")
