"""The shapes of requests and answers, for OpenAPI; `Prediction.to_dict` makes the answers."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

EXAMPLE: JsonDict = {
    "label": "pizza",
    "probability": 0.97,
    "probabilities": {"pizza": 0.97, "steak": 0.01, "sushi": 0.01, "other_food": 0.005, "not_food": 0.005},
    "unsure": False,
    "seconds": 0.03,
    "dishes": {"pizza": 0.97, "caprese_salad": 0.004},
}
SENTENCE = "This is not a photo that can be read here. Try a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."


class Answer(BaseModel):
    """What is in a photo."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    label: str
    probability: float = Field(description="Of the label, 0 to 1.")
    probabilities: dict[str, float] = Field(description="Of each answer that the model can give.")
    unsure: bool = Field(description="Whether the label is unlikely by itself, or another is close behind.")
    seconds: float = Field(description="Time it took to read the photo and to run the model.")
    dishes: dict[str, float] | None = Field(
        None, description="The likeliest classes, best first, of a model that knows more classes than answers."
    )


class NamedAnswer(BaseModel):
    """What is in one of several photos, or why it can't be read."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"photo": "a.jpg", **EXAMPLE}, {"photo": "b.pdf", "error": SENTENCE}]}
    )
    photo: str = Field(description="Its file name.")
    error: str | None = None
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    unsure: bool | None = None
    seconds: float | None = None
    dishes: dict[str, float] | None = None


class Problem(BaseModel):
    """Why there is no answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"error": SENTENCE}]})
    error: str


class Score(BaseModel):
    """A label with its probability, as Hugging Face's clients read it."""

    label: str
    score: float


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not a photo, or not a request that this address takes."},
    401: {"model": Problem, "description": "The server has a key, and this request has another or none."},
    404: {"model": Problem, "description": "There is no such model, address or answer."},
    405: {"model": Problem, "description": "This address takes another method."},
    408: {"model": Problem, "description": "The request took too long to arrive."},
    413: {"model": Problem, "description": "The request is too large, or has too many photos."},
    415: {"model": Problem, "description": "The body's media type is not one of those below."},
    429: {"model": Problem, "description": "Too many photos are waiting; Retry-After says in how many seconds to try."},
    500: {"model": Problem, "description": "Something is wrong with the server."},
    503: {"model": Problem, "description": "The model is still loading."},
}

BYTES = {"schema": {"type": "string", "format": "binary"}}
RAW_CONTENT = {"image/*": BYTES, "application/octet-stream": BYTES}
FORM_CONTENT = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"photo": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}},
            "required": ["photo"],
        }
    }
}


def takes(*contents: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's description of a required body with these media types."""
    return {
        "requestBody": {"required": True, "content": {kind: body for part in contents for kind, body in part.items()}}
    }


def json_content(properties: dict[str, Any], required: list[str], example: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's description of a JSON object, with an example."""
    schema = {"type": "object", "properties": properties, "required": required}
    return {"application/json": {"schema": schema, "example": example}}


BASE64 = {"type": "string", "description": "A photo in base64.", "contentEncoding": "base64"}
EXAMPLE_BASE64 = "R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="  # the smallest GIF
