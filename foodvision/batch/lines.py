"""Prints answers as lines of text or JSON."""

import json

import click

from ..answer.classifier import Classifier
from ..answer.photo import PhotoError
from ..answer.prediction import Prediction, percent
from .inputs import Input
from .names import one_line


def print_answer(classifier: Classifier, photo: Input, as_json: bool) -> bool:
    """Print the answer to a photo, or what is wrong with it on standard error. Returns whether there is an answer.

    With `as_json`, both are objects on standard output: `photo` with `Prediction.to_dict()`, or `photo` with `error`.
    """
    try:
        if photo.error:
            raise PhotoError(photo.error)
        prediction = classifier.predict(photo.source)
    except PhotoError as error:
        line = _json(photo, {"error": str(error)}) if as_json else f"{one_line(photo.name)}: {error}"
        click.echo(line, err=not as_json)
        return False
    click.echo(_json(photo, prediction.to_dict()) if as_json else f"{one_line(photo.name)}: {_text(prediction)}")
    return True


def _json(photo: Input, fields: dict[str, object]) -> str:
    return json.dumps({"photo": photo.name} | fields)


def _text(prediction: Prediction) -> str:
    doubt = ", unsure" if prediction.unsure else ""
    return f"{prediction.label} ({percent(prediction.probability)}{doubt})"
