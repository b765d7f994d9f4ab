"""What a program is told when it gets no answer: a status, and `{"error": sentence}`."""

import json
import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from ..answer.classifier import ModelError
from ..answer.refusals import APOLOGY, FORMATS, PhotoError, wording

REFUSAL = "Foodvision-Refusal"  # a header for the page, from which it words a sentence in the visitor's language
LOADING = "The model is still loading. Try again in a second."
BUSY = "There are too many photos waiting. Try again later: Retry-After says in how many seconds."
TOO_LARGE = "This request is too large. Send smaller photos, or fewer."
TOO_LATE = "This request took too long to arrive. Try a smaller photo."
WRONG_TYPE = f"Send the bytes of a photo ({FORMATS}), with its media type or application/octet-stream."
WRONG_KEY = "This server needs a key: send it as `Authorization: Bearer KEY`."
WRONG_HOST = "This server doesn't answer under this host name."
NOT_JSON = "This is not the JSON that this address takes. See /openapi.json."
NOT_BASE64 = "A photo in JSON has to be in base64."
NO_PHOTO = "There is no photo in this request."
STANDARD = {404: "There is nothing here. See /openapi.json.", 405: "Use another method here. See /openapi.json."}

logger = logging.getLogger("foodvision.api")


class ApiError(Exception):
    """No answer, with an HTTP status; the message is a sentence for whoever wrote the program."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send this error as the response."""
        await error_response(self.status, str(self), self.headers)(scope, receive, send)


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error's response."""
    return JSONResponse({"error": message}, status, headers and dict(headers))


def tell_errors(app: FastAPI) -> None:
    """Make an app answer every error with JSON."""

    @app.exception_handler(ApiError)
    async def on_api_error(_: Request, error: ApiError) -> JSONResponse:
        return error_response(error.status, str(error), error.headers)

    @app.exception_handler(PhotoError)
    async def on_photo_error(_: Request, error: PhotoError) -> JSONResponse:
        return error_response(400, str(error), _wording(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(400, NOT_JSON)

    @app.exception_handler(HTTPException)
    async def on_http_error(_: Request, error: HTTPException) -> JSONResponse:
        return error_response(error.status_code, STANDARD.get(error.status_code, str(error.detail)), error.headers)

    @app.exception_handler(ModelError)
    async def on_model_error(_: Request, error: ModelError) -> JSONResponse:
        logger.error("%s", error)
        return error_response(500, APOLOGY, _wording(Exception(APOLOGY)))

    @app.exception_handler(Exception)
    async def on_any_other_error(_: Request, error: Exception) -> JSONResponse:  # the server logs the traceback
        return error_response(500, APOLOGY, _wording(Exception(APOLOGY)))


def _wording(error: Exception) -> dict[str, str]:
    return {REFUSAL: json.dumps(known)} if (known := wording(error)) else {}
