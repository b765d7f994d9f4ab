"""Hugging Face's image classification: `InferenceClient(model=ADDRESS).image_classification(photo, top_k=3)`."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..answer.prediction import Prediction
from .answering import Answering
from .bodies import JSON, from_base64, media_type, raw_photo, read_json
from .errors import NOT_JSON, ApiError
from .shapes import BASE64, EXAMPLE_BASE64, PROBLEMS, RAW_CONTENT, Score, json_content, takes

TOP_K = 5  # as the Hub's own endpoints answer
PARAMETERS = {"type": "object", "properties": {"top_k": {"type": "integer", "minimum": 1}}}
CONTENT = json_content(
    {"inputs": BASE64, "parameters": PARAMETERS},
    ["inputs"],
    {"inputs": EXAMPLE_BASE64, "parameters": {"top_k": 3}},
)

router = APIRouter(tags=["Hugging Face"])


@router.post("/", responses={200: {"model": list[Score]}, **PROBLEMS}, openapi_extra=takes(RAW_CONTENT, CONTENT))
async def image_classification(request: Request) -> Response:
    """The likeliest answers with their scores, best first, as Hugging Face's inference clients expect them."""
    answering: Answering = request.app.state.answering
    count = TOP_K
    if media_type(request) == JSON:
        content = await read_json(request)
        photo, count = from_base64(content.get("inputs")), _top_k(content.get("parameters"))
    else:
        photo = await raw_photo(request)
    return JSONResponse(ranked(await answering.answer(photo))[:count])


def ranked(prediction: Prediction) -> list[dict[str, str | float]]:
    """All answers with their scores: the label, then the others, likeliest first."""
    likely = sorted(prediction.probabilities.items(), key=lambda answer: (answer[0] != prediction.label, -answer[1]))
    return [{"label": name, "score": score} for name, score in likely]


def _top_k(parameters: object) -> int:
    if parameters is None:
        return TOP_K
    count = parameters.get("top_k") if isinstance(parameters, dict) else 0
    if count is None:
        return TOP_K
    if type(count) is not int or count < 1:
        raise ApiError(400, NOT_JSON)
    return count
