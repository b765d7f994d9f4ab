"""Checks that a model can be served, so a broken one fails while the image is built, not in front of visitors."""

from os import PathLike

import numpy as np
from PIL import Image, ImageDraw

from .classifier import Classifier, ModelError
from .prediction import Prediction


def check_model(path: str | PathLike[str] | None = None) -> Prediction:
    """The prediction of the model at `path`, or else the one that `locate.find_model` finds, for a drawn picture.

    Raises ModelError if the model is missing, if the learner beside it is a different one, or if the model doesn't give
    probabilities. Without a pickle beside the model, as in a wheel, staleness isn't checked.
    """
    classifier = Classifier(path)
    prediction = classifier.predict(draw_plate())
    probabilities = list(prediction.probabilities.values())
    if not np.isclose(sum(probabilities), 1, atol=1e-4):  # also false for NaN
        raise ModelError(f"{classifier.path.name} gives {probabilities}, which are not probabilities.")
    return prediction


def draw_plate() -> Image.Image:
    """A white plate with something red on it, 320 x 240 pixels."""
    picture = Image.new("RGB", (320, 240), "burlywood")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 20, 260, 220), fill="white")
    draw.ellipse((110, 70, 210, 170), fill="firebrick")
    return picture
