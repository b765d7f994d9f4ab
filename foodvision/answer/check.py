"""What a visitor would run into, found while the image is built."""

import numpy as np
from PIL import Image, ImageDraw

from .classifier import MODEL, Classifier, ModelError


def check_model(path=MODEL):
    """A `Prediction` for a drawn picture, by the model at `path` and the learner beside it.

    Raises ModelError where either is missing, one is not of the other, or the answer is no set of probabilities.
    """
    classifier = Classifier(path)
    pickle = classifier.path.with_suffix(".pkl")
    if not pickle.exists():
        raise ModelError(f"There is no {pickle.name} beside {classifier.path.name}: commit both.")
    prediction = classifier.predict(draw_plate())
    probabilities = list(prediction.probabilities.values())
    if not np.isclose(sum(probabilities), 1, atol=1e-4):  # nor is it for a NaN
        raise ModelError(f"{classifier.path.name} answers {probabilities}, which are no probabilities.")
    return prediction


def draw_plate():
    """A white plate with something red on it, 320 x 240 pixels."""
    picture = Image.new("RGB", (320, 240), "burlywood")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 20, 260, 220), fill="white")
    draw.ellipse((110, 70, 210, 170), fill="firebrick")
    return picture
