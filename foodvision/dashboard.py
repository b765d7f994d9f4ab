"""The dashboard: choose a photo, see it at once, read what the model makes of it."""

import io
from pathlib import Path

import anywidget
from PIL import ImageOps
from traitlets import Int

from .photo import PhotoError, read_photo

STATIC = Path(__file__).parent / "static"
SHORT_SIDE = 640  # pixels: more than the model looks at, and a quick upload from a phone
MAX_BYTES = 10 * 2**20 - 2**16  # the server drops a message of 10 MiB without a word; the rest is for its envelope
BARS = 5
BACKGROUND = {"other_food": "This looks like food, but not {foods}.", "not_food": "I don't see food here."}
APOLOGY = "Sorry, something went wrong here, not with your photo. Please try again."


class Dashboard(anywidget.AnyWidget):
    """`Dashboard(classifier.predict)`: a photo chooser that shows each photo and the answer to it.

    `predict` takes an upright RGB `PIL.Image` and returns a `Prediction`. The visitor reads the text of a PhotoError,
    and an apology for any other error, which is logged.
    """

    _esm = STATIC / "dashboard.js"
    _css = STATIC / "dashboard.css"
    short_side = Int(SHORT_SIDE).tag(sync=True)
    max_bytes = Int(MAX_BYTES).tag(sync=True)

    def __init__(self, predict):
        super().__init__()
        self.predict = predict
        self.on_msg(self._receive)

    def _receive(self, _, message, buffers):
        """One reply to every photo: an answer or an error, and a picture where the browser could not decode it."""
        reply, pictures = {"id": message["id"]}, []
        try:
            photo = read_photo(buffers[0])
            reply["answer"] = describe(self.predict(photo))
            if not message["shown"]:
                pictures = [encode(photo)]
        except PhotoError as error:
            reply["error"] = str(error)
        except Exception:
            self.log.exception("A photo got no answer.")
            reply["error"] = APOLOGY
        self.send(reply, pictures)


def describe(prediction):
    """A `Prediction` as the page shows it: in words, and a bar for each class, the label's first, at most `BARS`."""
    label, probabilities = prediction.label, prediction.probabilities
    ranked = sorted(probabilities, key=lambda name: (name != label, -probabilities[name]))
    return {
        "heading": _heading(label, probabilities),
        "doubt": _doubt(ranked) if prediction.unsure else "",
        "probability": prediction.probability,
        "seconds": prediction.seconds,
        "bars": [{"name": _title(name), "probability": probabilities[name]} for name in ranked[:BARS]],
    }


def encode(photo):
    """Bytes of a JPEG to show: `photo`, its short side at most `SHORT_SIDE` pixels."""
    if min(photo.size) > SHORT_SIDE:
        photo = ImageOps.cover(photo, (SHORT_SIDE, SHORT_SIDE))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=90)
    return file.getvalue()


def _heading(label, vocab):
    if label not in BACKGROUND:
        return _title(label)
    foods = [_words(name) for name in vocab if name not in BACKGROUND]
    return BACKGROUND[label].format(foods=_either(foods))


def _doubt(ranked):
    _, second = [name for name in ranked if name not in BACKGROUND][:2]
    return f"It could also be {_words(second)}."


def _either(foods):
    *others, last = foods
    if len(foods) > BARS:
        return f"one of the {len(foods)} foods I know"
    return f"{', '.join(others)} or {last}" if others else last


def _title(name):
    return _words(name)[:1].upper() + _words(name)[1:]


def _words(name):
    return name.replace("_", " ")
