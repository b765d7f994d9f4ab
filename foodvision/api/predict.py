"""`POST /predict`, FoodVision's own contract: the same JSON as the command and the page."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..answer.photo import PhotoError, read_photo
from ..page.assets import SHORT_SIDE
from ..page.pictures import encode
from .answering import Answering
from .bodies import FORM, NamedPhoto, form_photos, media_type, raw_photo
from .shapes import FORM_CONTENT, PROBLEMS, RAW_CONTENT, Answer, NamedAnswer, takes
from .verdicts import ANSWER_ID, Verdicts

router = APIRouter(tags=["FoodVision"])


@router.post(
    "/predict",
    responses={200: {"model": Answer | list[NamedAnswer]}, **PROBLEMS},
    openapi_extra=takes(RAW_CONTENT, FORM_CONTENT),
)
async def predict(request: Request) -> Response:
    """Name the food in a photo, or in each file of a form.

    The bytes of a photo get its answer. A form gets a list, in which a photo that can't be read has an `error`.
    """
    return await answer_body(request)


async def answer_body(request: Request) -> Response:
    """The response to raw bytes or a form. Raises PhotoError and ApiError."""
    answering: Answering = request.app.state.answering
    if media_type(request) == FORM:
        return JSONResponse([await _named(answering, photo) for photo in await form_photos(request)])
    prediction = await answering.answer(await raw_photo(request))
    verdicts: Verdicts | None = request.app.state.verdicts
    headers = {ANSWER_ID: verdicts.remember(prediction)} if verdicts else None
    return JSONResponse(prediction.to_dict(), headers=headers)


async def _named(answering: Answering, photo: NamedPhoto) -> dict[str, Any]:
    try:
        return {"photo": photo.name} | (await answering.answer(photo.content)).to_dict()
    except PhotoError as error:
        return {"photo": photo.name, "error": str(error)}


@router.post(
    "/picture",
    responses={200: {"content": {"image/jpeg": {}}}, **PROBLEMS},
    response_class=Response,
    openapi_extra=takes(RAW_CONTENT),
)
async def picture(request: Request) -> Response:
    """A photo as a small JPEG, for browsers that can't show its format."""
    answering: Answering = request.app.state.answering
    answering.ready()
    return Response(await answering.run(_small_jpeg, await raw_photo(request)), media_type="image/jpeg")


def _small_jpeg(photo: bytes) -> bytes:
    return encode(read_photo(photo, at_least=SHORT_SIDE))
