"""Feedback through the API: verdicts on answers, with the page's store and the page's consent."""

from collections import OrderedDict
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..answer.photo import read_photo
from ..answer.prediction import Prediction
from ..page.feedback import MAX_TRUTH, Feedback, can_be_true
from ..page.pictures import encode
from .answering import Answering
from .bodies import raw_photo
from .errors import ApiError
from .shapes import PROBLEMS, RAW_CONTENT

ANSWER_ID = "Foodvision-Answer"  # a response's header, if verdicts are kept
MAX_REMEMBERED = 10_000  # answers that can still get a verdict
FORGOTTEN = "This server doesn't remember that answer. Ask about the photo again, then send the verdict."
NO_TRUTH = f"Send what the photo shows as `truth`: an answer, a dish, or any name of at most {MAX_TRUTH} characters."
NO_FEEDBACK = "This server keeps no verdicts. Its owner can set FOODVISION_FEEDBACK to a file."

router = APIRouter(tags=["FoodVision"])


class Verdicts:
    """Remembers the latest answers: a verdict is kept with the answer, not with what a client says it was."""

    def __init__(self, feedback: Feedback) -> None:
        self.feedback = feedback
        self._answers: OrderedDict[str, Prediction] = OrderedDict()

    def remember(self, prediction: Prediction) -> str:
        """An id for a verdict on this answer."""
        key = uuid4().hex
        self._answers[key] = prediction
        if len(self._answers) > MAX_REMEMBERED:
            self._answers.popitem(last=False)
        return key

    def recall(self, key: str, truth: str) -> Prediction:
        """The answer with this id. Raises ApiError if it is forgotten, or if `truth` is no name."""
        if key not in self._answers:
            raise ApiError(404, FORGOTTEN)
        if not can_be_true(truth, self._answers[key]):
            raise ApiError(400, NO_TRUTH)
        return self._answers[key]


@router.post("/feedback/{answer}", responses=PROBLEMS, openapi_extra={"requestBody": {"content": RAW_CONTENT}})
async def keep_verdict(answer: str, truth: str, request: Request) -> Response:
    """Keep what an answer should have been. Send the photo only if the person in front of it agreed that it is kept.

    `answer` is the header `Foodvision-Answer` of an answer to a photo's bytes, and `truth` is an answer, a dish or any
    other short name. A second verdict replaces the first. Of the photo only the picture is kept, without its location
    or device.
    """
    verdicts: Verdicts | None = request.app.state.verdicts
    if verdicts is None:
        raise ApiError(404, NO_FEEDBACK)
    prediction = verdicts.recall(answer, truth)
    answering: Answering = request.app.state.answering

    def keep(content: bytes) -> bool:
        photo = encode(read_photo(content)) if content else None
        verdicts.feedback.add(answer, prediction, truth, photo)
        return photo is not None

    content = await raw_photo(request) if await request.body() else b""
    return JSONResponse({"photo_kept": await answering.run(keep, content)})
