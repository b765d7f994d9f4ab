"""The Open Inference Protocol (KServe v2), as Triton's, KServe's and Seldon's clients speak it."""

import json
import struct
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from .. import __version__
from .answering import Answering
from .bodies import TOO_MANY_PHOTOS, from_base64, read_json
from .errors import NO_PHOTO, NOT_JSON, ApiError
from .limits import MAX_PHOTOS
from .shapes import EXAMPLE_BASE64, PROBLEMS, json_content, takes

NAME = "foodvision"  # of the model, in every contract that names one
JSON_BYTES = "inference-header-content-length"  # of the JSON, if photos follow it as they are
NO_MODEL = f"There is no such model here. This one is called {NAME}."
CONTENT = json_content(
    {"id": {"type": "string"}, "inputs": {"type": "array", "items": {"type": "object"}, "minItems": 1}},
    ["inputs"],
    {"inputs": [{"name": "photos", "shape": [1], "datatype": "BYTES", "data": [EXAMPLE_BASE64]}]},
)

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])


@router.get("")
async def server_metadata() -> dict[str, Any]:
    """What serves the model."""
    return {"name": NAME, "version": __version__, "extensions": ["binary_tensor_data"]}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """Whether the server runs."""
    return {"live": True}


@router.get("/health/ready", responses={503: PROBLEMS[503]})
async def ready(request: Request) -> dict[str, bool]:
    """Whether the model is loaded."""
    request.app.state.answering.ready()
    return {"ready": True}


@router.get("/models/{model}/ready", responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
async def model_ready(model: str, request: Request) -> dict[str, Any]:
    """Whether the model is loaded."""
    check_name(model)
    request.app.state.answering.ready()
    return {"name": NAME, "ready": True}


@router.get("/models/{model}", responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
async def model_metadata(model: str, request: Request) -> dict[str, Any]:
    """What the model takes and gives."""
    check_name(model)
    answers = request.app.state.answering.ready().answers
    return {
        "name": NAME,
        "versions": ["1"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "photos", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(answers)], "labels": answers},
            {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
        ],
    }


@router.post("/models/{model}/infer", responses=PROBLEMS, openapi_extra=takes(CONTENT))
async def infer(model: str, request: Request) -> Response:
    """The label, the probabilities in the order of the metadata's labels, and the whole prediction as JSON."""
    check_name(model)
    answering: Answering = request.app.state.answering
    classifier = answering.ready()
    content, photos = await _photos(request)
    predictions = [await answering.answer(photo) for photo in photos]
    count, answers = len(photos), classifier.answers
    probabilities = [one.probabilities[name] for one in predictions for name in answers]
    outputs = [
        _tensor("label", "BYTES", [count], [one.label for one in predictions]),
        _tensor("probabilities", "FP64", [count, len(answers)], probabilities),
        _tensor("prediction", "BYTES", [count], [json.dumps(one.to_dict()) for one in predictions]),
    ]
    named = {"id": content["id"]} if isinstance(content.get("id"), str) else {}
    return JSONResponse({"model_name": NAME, "model_version": "1", **named, "outputs": outputs})


def check_name(model: str) -> None:
    """Raises ApiError for any other model than the one that is served."""
    if model != NAME:
        raise ApiError(404, NO_MODEL)


def _tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


async def _photos(request: Request) -> tuple[dict[str, Any], list[bytes]]:
    """The request's JSON, and its photos: in base64, or after the JSON as they are."""
    body, head = await request.body(), request.headers.get(JSON_BYTES, "")
    if head and not (head.isdecimal() and int(head) <= len(body)):
        raise ApiError(400, NOT_JSON)
    size = int(head) if head else len(body)
    content, rest = await read_json(request, body[:size]), memoryview(body)[size:]
    photos: list[bytes] = []
    for tensor in _tensors(content):
        parameters = tensor.get("parameters")
        if head and isinstance(parameters, dict) and type(parameters.get("binary_data_size")) is int:
            length = max(0, parameters["binary_data_size"])
            photos += _unpack(rest[:length])
            rest = rest[length:]
        else:
            data = tensor.get("data")
            photos += map(from_base64, data if isinstance(data, list) else [])
    if not photos:
        raise ApiError(400, NO_PHOTO)
    if len(photos) > MAX_PHOTOS:
        raise ApiError(413, TOO_MANY_PHOTOS)
    return content, photos


def _tensors(content: dict[str, Any]) -> list[dict[str, Any]]:
    tensors = content.get("inputs")
    if not isinstance(tensors, list) or not all(isinstance(one, dict) for one in tensors):
        raise ApiError(400, NOT_JSON)
    if not all(one.get("datatype") == "BYTES" for one in tensors):
        raise ApiError(400, "Send photos as tensors of datatype BYTES.")
    return tensors


def _unpack(data: memoryview) -> list[bytes]:
    """The elements of a BYTES tensor: each is preceded by its length, in four bytes."""
    photos = []
    while data:
        if len(data) < 4 or len(data) - 4 < (length := struct.unpack_from("<I", data)[0]):
            raise ApiError(400, "A tensor's binary data is cut short.")
        photos.append(bytes(data[4 : 4 + length]))
        data = data[4 + length :]
    return photos
