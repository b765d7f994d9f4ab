"""From a request's body to photos: raw bytes, forms, and base64 in JSON."""

import base64
import binascii
import json
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from .errors import NO_PHOTO, NOT_BASE64, NOT_JSON, WRONG_TYPE, ApiError
from .limits import MAX_BODY_BYTES, MAX_JSON_PARTS, MAX_PHOTOS

FORM = "multipart/form-data"
JSON = "application/json"
RAW = {"", "application/octet-stream", "application/x-image", "application/x-www-form-urlencoded"}  # the last is curl's
TOO_MANY_PHOTOS = f"Send at most {MAX_PHOTOS} photos in a request."
NOT_A_FORM = "This form can't be read. Send it as multipart/form-data, with each photo as a file."


class NamedPhoto(NamedTuple):
    """A photo in a form, and its file name."""

    name: str
    content: bytes


def media_type(request: Request) -> str:
    """The media type of the body, without parameters; "" if the request names none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_raw(request: Request) -> bool:
    """Whether the body is a photo's bytes. Other media types are for forms and JSON."""
    return media_type(request) in RAW or media_type(request).startswith("image/")


async def raw_photo(request: Request) -> bytes:
    """The photo that the body is. Raises ApiError for other media types."""
    if not is_raw(request):
        raise ApiError(415, WRONG_TYPE)
    return await request.body()


async def form_photos(request: Request) -> list[NamedPhoto]:
    """The files in a form, all in memory. Raises ApiError."""
    parser = MultiPartParser(
        request.headers, _stream(await request.body()), max_files=MAX_PHOTOS, max_fields=MAX_PHOTOS
    )
    parser.spool_max_size = MAX_BODY_BYTES  # so that no photo is written to a disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ApiError(400, TOO_MANY_PHOTOS if "Too many" in error.message else NOT_A_FORM) from error
    except Exception as error:  # the parser raises others, too
        raise ApiError(400, NOT_A_FORM) from error
    files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
    if not files:
        raise ApiError(400, NO_PHOTO)
    return [NamedPhoto(file.filename or "", await file.read()) for file in files]


async def read_json(request: Request, body: bytes | None = None) -> dict[str, Any]:
    """The JSON object in the body. Raises ApiError for anything else."""
    body = await request.body() if body is None else body
    if sum(body.count(mark) for mark in (b"[", b"{", b",")) > MAX_JSON_PARTS:
        raise ApiError(413, TOO_MANY_PHOTOS)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, NOT_JSON) from error
    if not isinstance(content, dict):
        raise ApiError(400, NOT_JSON)
    return content


def from_base64(text: object) -> bytes:
    """The bytes in base64, perhaps in a data URI. Raises ApiError."""
    if not isinstance(text, str):
        raise ApiError(400, NOT_BASE64)
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, NOT_BASE64) from error


async def _stream(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
