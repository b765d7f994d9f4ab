"""The dashboard: choose photos, see them at once, read what the model makes of each."""

import io
from uuid import uuid4

import anywidget
import segno
from comm import get_comm_manager
from ipywidgets import Widget
from PIL import ImageOps
from traitlets import Int, Unicode

from ..answer.photo import PhotoError, read_photo
from .assets import MAX_BYTES, SHORT_SIDE, STYLE, join_modules

BARS = 5
BACKGROUND = {"other_food": "This looks like food, but not {foods}.", "not_food": "I don't see food here."}
DOUBT = {"other_food": "It could also be another food.", "not_food": "It could also be no food at all."}
PROMISE = "No photo is kept."
PROMISE_WITH_FEEDBACK = (
    "If you say whether an answer is right, your verdict is kept with the answer. No photo is kept unless you tick it."
)
ARRIVING = 16  # requests of a visitor that arrive at once, and
MAX_ARRIVING = 2 * MAX_BYTES  # bytes of them; older ones were given up
LONG_SIDE = 16_384  # pixels of a picture that the page shows; a JPEG ends at 65,500
VERDICTS = 1000  # answers a visitor can still give a verdict on
APOLOGY = "Sorry, something went wrong here, not with your photo. Please try again."
NONSENSE = "The app cannot make sense of what this page sends. Reload the page, and try again."
FORGOTTEN = "The app does not remember that answer. Choose the photo again, and say then whether it is right."


class RequestError(ValueError):
    """The page asked for what cannot be; the text is a sentence for the visitor."""


class Dashboard(anywidget.AnyWidget):
    """`Dashboard(classifier.predict)`: a photo chooser that shows each photo and the answer to it.

    `predict` takes an upright RGB `PIL.Image` and returns a `Prediction`. The visitor reads the text of a PhotoError,
    and an apology for any other error, which is logged. With `feedback`, a `Feedback`, visitors can say what is right;
    with `link`, the address of the app, they can share it.
    """

    _esm = join_modules()
    _css = STYLE
    short_side = Int(SHORT_SIDE).tag(sync=True)
    max_bytes = Int(MAX_BYTES).tag(sync=True)
    promise = Unicode(PROMISE).tag(sync=True)
    link = Unicode().tag(sync=True)
    qr_code = Unicode().tag(sync=True)

    def __init__(self, predict, feedback=None, link=None):
        super().__init__()
        self.predict, self.feedback = predict, feedback
        if feedback:
            self.promise = PROMISE_WITH_FEEDBACK
        if link:
            self.link, self.qr_code = link, segno.make(link).svg_data_uri(scale=6, border=4, light="white")
        self._arriving, self._answers = {}, {}
        self.on_msg(self._receive)
        _open_no_other_way_in()

    def _handle_msg(self, message):
        """The page may ask; what the kernel told it, it may read again, but not change."""
        data = message["content"].get("data")
        if isinstance(data, dict) and data.get("method") in ("custom", "request_state"):
            super()._handle_msg(message)

    def _receive(self, _, message, buffers):
        """Requests come in parts, so that the page can tell how far it is: receipts, and at last the reply.

        Anyone may send anything: a message without an id, which nobody could hear the reply to, gets none.
        """
        if not isinstance(message, dict) or not _is_number(message.get("id")):
            return
        content = self._arriving.pop(message["id"], bytearray())
        size, arrived = message.get("size"), len(content) + sum(map(len, buffers))
        if not _is_number(size) or not arrived <= size <= MAX_BYTES:
            return self.send({"id": message["id"], "error": NONSENSE})
        for part in buffers:
            content += part
        if arrived == size:
            return self._reply(message, content)
        self._arriving[message["id"]] = content
        while len(self._arriving) > ARRIVING or sum(map(len, self._arriving.values())) > MAX_ARRIVING:
            _forget_oldest(self._arriving)
        self.send({"id": message["id"], "received": arrived})

    def _reply(self, message, content):
        pictures = []
        try:
            if "truth" in message:
                reply = self._keep_verdict(message, content)
            else:
                reply, pictures = self._answer(message, content)
        except (PhotoError, RequestError) as error:
            reply = {"error": str(error)}
        except Exception:
            self.log.exception("A request got no answer.")
            reply = {"error": APOLOGY}
        self.send(reply | {"id": message["id"]}, pictures)

    def _answer(self, message, content):
        """An answer, and a picture where the browser could not decode the photo."""
        photo = read_photo(content, at_least=SHORT_SIDE)
        prediction = self.predict(photo)
        reply = {"answer": describe(prediction)}
        if self.feedback:
            self._answers[message["id"]] = uuid4().hex, prediction
            if len(self._answers) > VERDICTS:
                _forget_oldest(self._answers)
            reply["choices"] = [(name, _title(name)) for name in prediction.probabilities]
        return reply, [] if message.get("shown") else [encode(photo)]

    def _keep_verdict(self, message, content):
        """The photo is drawn anew, so that nothing but the picture is kept of it: no place, no device."""
        about, truth = message.get("about"), message["truth"]
        if not _is_number(about) or about not in self._answers:
            raise RequestError(FORGOTTEN)
        key, prediction = self._answers[about]
        if truth not in list(prediction.probabilities):
            raise RequestError(NONSENSE)
        photo = encode(read_photo(content)) if content else None
        self.feedback.add(key, prediction, truth, photo)
        return {"thanks": f"Thank you. Your {'verdict and photo are' if photo else 'verdict is'} kept."}


def _forget_oldest(entries):
    del entries[next(iter(entries))]


def _is_number(value):
    """A request's id, or a size in bytes: what is exact in JavaScript, too."""
    return type(value) is int and 0 <= value < 2**53


def _open_no_other_way_in():
    """ipywidgets lets a page make any widget in the kernel, and open the channel that tells it of them without end.

    Its own front end needs the channel alone, and one at a time.
    """
    comms = get_comm_manager()
    comms.targets.pop("jupyter.widget", None)
    if "jupyter.widget.control" in comms.targets:
        comms.register_target("jupyter.widget.control", _open_control)


def _open_control(comm, message):
    if Widget._control_comm:
        Widget._control_comm.close()
    Widget.handle_control_comm_opened(comm, message)


def describe(prediction):
    """A `Prediction` as the page shows it: in words, and a bar for each class, the label's first, at most `BARS`."""
    label, probabilities = prediction.label, prediction.probabilities
    ranked = sorted(probabilities, key=lambda name: (name != label, -probabilities[name]))
    return {
        "label": label,
        "heading": _heading(label, probabilities),
        "doubt": _doubt(ranked[1]) if prediction.unsure else "",
        "probability": prediction.probability,
        "seconds": prediction.seconds,
        "probabilities": probabilities,
        "bars": [{"name": _title(name), "probability": probabilities[name]} for name in ranked[:BARS]],
    }


def encode(photo):
    """Bytes of a JPEG to show: `photo`, its sides at most `SHORT_SIDE` and `LONG_SIDE` pixels."""
    if min(photo.size) > SHORT_SIDE:
        photo = ImageOps.cover(photo, (SHORT_SIDE, SHORT_SIDE))
    if max(photo.size) > LONG_SIDE:
        photo = photo.copy()
        photo.thumbnail((LONG_SIDE, LONG_SIDE))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=90)
    return file.getvalue()


def _heading(label, vocab):
    if label not in BACKGROUND:
        return _title(label)
    foods = [_words(name) for name in vocab if name not in BACKGROUND]
    return BACKGROUND[label].format(foods=_either(foods))


def _doubt(name):
    return DOUBT.get(name, f"It could also be {_words(name)}.")


def _either(foods):
    *others, last = foods
    if len(foods) > BARS:
        return f"one of the {len(foods)} foods I know"
    return f"{', '.join(others)} or {last}" if others else last


def _title(name):
    return _words(name)[:1].upper() + _words(name)[1:]


def _words(name):
    return name.replace("_", " ")
