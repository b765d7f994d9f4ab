"""`{"instances": [{"b64": ...}]}`: KServe v1, Vertex AI, and SageMaker, where a photo's bytes will do, too."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..answer.photo import PhotoError
from .answering import Answering
from .bodies import JSON, TOO_MANY_PHOTOS, from_base64, media_type, read_json
from .errors import NO_PHOTO, NOT_JSON, ApiError
from .limits import MAX_PHOTOS
from .openinference import NAME, check_name
from .predict import answer_body
from .shapes import BASE64, EXAMPLE_BASE64, FORM_CONTENT, PROBLEMS, RAW_CONTENT, json_content, takes

CONTENT = json_content(
    {"instances": {"type": "array", "items": {"anyOf": [BASE64, {"type": "object"}]}, "minItems": 1}},
    ["instances"],
    {"instances": [{"b64": EXAMPLE_BASE64}]},
)

router = APIRouter()


@router.get("/v1/models/{model}", tags=["KServe v1"], responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
async def model_status(model: str, request: Request) -> dict[str, Any]:
    """Whether the model is loaded."""
    check_name(model)
    request.app.state.answering.ready()
    return {"name": NAME, "ready": True}


@router.post("/v1/models/{model}:predict", tags=["KServe v1"], responses=PROBLEMS, openapi_extra=takes(CONTENT))
async def predict_instances(model: str, request: Request) -> Response:
    """A prediction for each instance."""
    check_name(model)
    return await answer_instances(request)


@router.get("/ping", tags=["SageMaker"], responses={503: PROBLEMS[503]})
async def ping(request: Request) -> dict[str, bool]:
    """Whether the model is loaded."""
    request.app.state.answering.ready()
    return {"ready": True}


@router.post(
    "/invocations",
    tags=["SageMaker"],
    responses=PROBLEMS,
    openapi_extra=takes(RAW_CONTENT, FORM_CONTENT, CONTENT),
)
async def invocations(request: Request) -> Response:
    """A photo's bytes or a form, answered as by `/predict`; or instances in JSON."""
    return await (answer_instances(request) if media_type(request) == JSON else answer_body(request))


def vertex_router(health: str, predict: str) -> APIRouter:
    """The routes that Vertex AI names to a container in its `AIP_` variables."""
    vertex = APIRouter(include_in_schema=False)
    vertex.add_api_route(health, ping, methods=["GET"])
    vertex.add_api_route(predict, answer_instances, methods=["POST"])
    return vertex


async def answer_instances(request: Request) -> Response:
    """`{"predictions": [...]}` for `{"instances": [...]}`. Raises ApiError if one of them isn't a photo."""
    answering: Answering = request.app.state.answering
    instances = (await read_json(request)).get("instances")
    if not isinstance(instances, list):
        raise ApiError(400, NOT_JSON)
    if not instances:
        raise ApiError(400, NO_PHOTO)
    if len(instances) > MAX_PHOTOS:
        raise ApiError(413, TOO_MANY_PHOTOS)
    predictions = []
    for number, instance in enumerate(instances, 1):
        try:
            predictions.append((await answering.answer(from_base64(_encoded(instance)))).to_dict())
        except PhotoError as error:
            raise ApiError(400, f"Instance {number}: {error}") from error
    return JSONResponse({"predictions": predictions})


def _encoded(instance: object) -> object:
    """The base64 in an instance: itself, under "b64", or under "b64" of its only input, as for TensorFlow."""
    if isinstance(instance, dict) and "b64" not in instance and len(instance) == 1:
        (instance,) = instance.values()
    return instance.get("b64") if isinstance(instance, dict) else instance
