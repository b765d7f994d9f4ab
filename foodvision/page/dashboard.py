"""The dashboard widget: takes a visitor's photos and verdicts, and replies to the page's scripts."""

import os
from collections.abc import Callable
from typing import Self, TypeGuard
from uuid import uuid4

import anywidget
from comm import get_comm_manager
from ipywidgets import Widget
from PIL import Image
from traitlets import Bool, Dict, Int, List, Unicode

from ..answer.area import area_read
from ..answer.classifier import Classifier
from ..answer.photo import PhotoError, read_photo
from ..answer.prediction import Prediction
from ..answer.refusals import APOLOGY, Refusal, wording
from .assets import DRAWN, MAX_BYTES, SHORT_SIDE, join_modules, read_style
from .examples import list_examples, read_example
from .feedback import Feedback, can_be_true
from .links import source_link
from .pictures import CODE, code_of, encode, is_address

MAX_ARRIVING = 16  # unfinished requests per visitor
MAX_ARRIVING_BYTES = 2 * MAX_BYTES  # in all of them; the oldest are dropped, since the page has given up on those
MAX_REMEMBERED = 1000  # answers that a visitor can still give a verdict on
DRAWN_SCRIPT = "export default () => foodvision.widget();"  # for a page that has the script already
ON_BINDER = "BINDER_LAUNCH_HOST"  # set in every kernel that Binder starts
NONSENSE = Refusal("The app doesn't understand what this page sent. Reload the page and try again.", "nonsense")
NO_EXAMPLE = Refusal("There is no such example any more. Choose a photo of your own.", "no_example")
FORGOTTEN = Refusal(
    "The app no longer remembers that answer. Choose the photo again, then say whether it is right.", "forgotten"
)


class RequestError(ValueError):
    """The page asked for something impossible. The message is a sentence for the visitor."""


class Dashboard(anywidget.AnyWidget):
    """`Dashboard(classifier.predict)`: a photo chooser that shows each photo and its prediction.

    `predict` takes an upright RGB `PIL.Image` and returns a `Prediction`. The page shows the message of a PhotoError,
    and an apology for any other error, which is logged. With `feedback`, visitors can say whether an answer is right.
    `link` starts the app on Binder: there, visitors share it instead of the page's own address, which is gone after
    their visit. `titles` and `background` are what a `Classifier` calls its classes; without them, the page uses the
    class names. `Dashboard.of(classifier)` knows those, and can also show what the model looked at.
    """

    _esm = DRAWN_SCRIPT if DRAWN in os.environ else join_modules()
    _css = "" if DRAWN in os.environ else read_style()
    short_side = Int(SHORT_SIDE).tag(sync=True)
    max_bytes = Int(MAX_BYTES).tag(sync=True)
    feedback_on = Bool(False).tag(sync=True)
    titles = Dict().tag(sync=True)
    background = Dict().tag(sync=True)
    dishes = Dict().tag(sync=True)
    explains = Bool(False).tag(sync=True)
    examples: List = List().tag(sync=True)
    source = Unicode().tag(sync=True)
    link = Unicode().tag(sync=True)
    classifier: Classifier | None = None

    def __init__(
        self,
        predict: Callable[[Image.Image], Prediction],
        feedback: Feedback | None = None,
        link: str | None = None,
        titles: dict[str, str] | None = None,
        background: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.predict, self.feedback = predict, feedback
        self.feedback_on = feedback is not None
        self.titles, self.background = titles or {}, background or {}
        self.link = link if link and ON_BINDER in os.environ else ""
        self._arriving: dict[int, bytearray] = {}
        self._answers: dict[int, tuple[str, Prediction]] = {}
        self.examples = list_examples()
        self.on_msg(self._receive)
        _forbid_other_widgets()

    @classmethod
    def of(cls, classifier: Classifier, feedback: Feedback | None = None, link: str | None = None) -> Self:
        """The dashboard of a `Classifier`, with all that it can tell."""
        dashboard = cls(classifier.predict, feedback, link, classifier.titles, classifier.background)
        dashboard.classifier, dashboard.dishes = classifier, classifier.dishes
        dashboard.explains, dashboard.source = classifier.has_maps, source_link() or ""
        return dashboard

    def _handle_msg(self, message):
        """The page may send requests and read the widget's state, but not change it."""
        data = message["content"].get("data")
        if isinstance(data, dict) and data.get("method") in ("custom", "request_state"):
            super()._handle_msg(message)

    def _receive(self, _, message, buffers):
        """Take one part of a request. The page gets a receipt, or the reply after the last part.

        Anyone may send anything. A message without an id gets no reply, because the page couldn't tell what it is for.
        """
        if not isinstance(message, dict) or not _is_number(message.get("id")):
            return
        content = self._arriving.pop(message["id"], bytearray())
        size, arrived = message.get("size"), len(content) + sum(map(len, buffers))
        if not _is_number(size) or not arrived <= size <= MAX_BYTES:
            return self.send(refusal(RequestError(NONSENSE)) | {"id": message["id"]})
        for part in buffers:
            content += part
        if arrived == size:
            return self._reply(message, content)
        self._arriving[message["id"]] = content
        while len(self._arriving) > MAX_ARRIVING or sum(map(len, self._arriving.values())) > MAX_ARRIVING_BYTES:
            _forget_oldest(self._arriving)
        self.send({"id": message["id"], "received": arrived})

    def _reply(self, message, content):
        reply: dict[str, object]
        pictures: list[bytes] = []
        try:
            if message.get("ping") is True:
                reply = {"pong": True}
            elif "qr" in message:
                reply = {"qr_code": draw_code(message["qr"])}
            elif "example" in message:
                reply, pictures = {}, [_encoded_example(message["example"])]
            elif "why" in message:
                reply = self._explain(message["why"], content)
            elif "truth" in message:
                reply = self._keep_verdict(message, content)
            else:
                reply, pictures = self._answer(message, content)
        except (PhotoError, RequestError) as error:
            reply = refusal(error)
        except Exception:
            self.log.exception("A request got no answer.")
            reply = refusal(RequestError(APOLOGY))
        self.send(reply | {"id": message["id"]}, pictures)

    def _answer(self, message, content):
        """A prediction, with a picture if the browser could not decode the photo."""
        photo = read_photo(content, at_least=SHORT_SIDE)
        prediction = self.predict(photo)
        if self.feedback:
            self._answers[message["id"]] = uuid4().hex, prediction
            if len(self._answers) > MAX_REMEMBERED:
                _forget_oldest(self._answers)
        return {"prediction": prediction.to_dict()}, [] if message.get("shown") else [encode(photo)]

    def _explain(self, label, content):
        """What the model looked at: the part of the photo that it reads, and what speaks for the label there."""
        known = {*self.titles, *self.dishes}
        if self.classifier is None or not self.explains or not isinstance(label, str) or label not in known:
            raise RequestError(NONSENSE)
        photo = read_photo(content, at_least=SHORT_SIDE)
        heat = self.classifier.heat_map(photo, label)
        if heat is None:
            raise RequestError(NONSENSE)
        area = area_read(photo.size, self.classifier.preprocessing["steps"])
        return {"area": area, "heat": (255 * heat).round().astype(int).tolist()}

    def _keep_verdict(self, message, content):
        """Keep a verdict. The photo is re-encoded so that only the picture is kept, without location or device."""
        about, truth = message.get("about"), message["truth"]
        if self.feedback is None or not _is_number(about) or about not in self._answers:
            raise RequestError(FORGOTTEN)
        key, prediction = self._answers[about]
        if not can_be_true(truth, prediction):
            raise RequestError(NONSENSE)
        photo = encode(read_photo(content)) if content else None
        self.feedback.add(key, prediction, truth, photo)
        return {"photo_kept": photo is not None}


def refusal(error: Exception) -> dict[str, object]:
    """A reply that says why there is nothing else: a sentence in English, and what the page needs to translate it."""
    return {"error": str(error), **wording(error)}


def draw_code(address: object) -> str:
    """A QR code for a web address, as a data URI with an SVG. Raises RequestError for anything else."""
    if not is_address(address):
        raise RequestError(NONSENSE)
    return code_of(address).svg_data_uri(**CODE)


def _encoded_example(name: object) -> bytes:
    content = read_example(name)
    if content is None:
        raise RequestError(NO_EXAMPLE)
    return encode(read_photo(content))


def _forget_oldest(entries):
    del entries[next(iter(entries))]


def _is_number(value: object) -> TypeGuard[int]:
    """Whether this can be a request's id or a size: an integer that JavaScript can represent exactly."""
    return type(value) is int and 0 <= value < 2**53


def _forbid_other_widgets():
    """Limit what ipywidgets offers: a page could create any widget, and open any number of channels that list them all.

    The front end only needs the channel, and only one at a time.
    """
    comms = get_comm_manager()
    comms.targets.pop("jupyter.widget", None)
    if "jupyter.widget.control" in comms.targets:
        comms.register_target("jupyter.widget.control", _open_control)


def _open_control(comm, message):
    if Widget._control_comm:
        Widget._control_comm.close()
    Widget.handle_control_comm_opened(comm, message)
