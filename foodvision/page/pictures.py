"""Pictures that are sent to the page: photos that its browser can't show, and QR codes."""

import io
from typing import Any, TypeGuard

import segno
from PIL import Image, ImageOps

from .assets import SHORT_SIDE

MAX_LONG_SIDE = 16_384  # pixels of a picture sent to the page; JPEG allows 65,500
MAX_ADDRESS = 1000  # characters in a QR code, which becomes hard to read long before
CODE: dict[str, Any] = {"scale": 6, "border": 4, "light": "white"}  # how a QR code is drawn


def encode(photo: Image.Image) -> bytes:
    """A JPEG for the page: short side at most `SHORT_SIDE`, long side at most `MAX_LONG_SIDE` pixels."""
    if min(photo.size) > SHORT_SIDE:
        photo = ImageOps.cover(photo, (SHORT_SIDE, SHORT_SIDE))
    if max(photo.size) > MAX_LONG_SIDE:
        photo = photo.copy()
        photo.thumbnail((MAX_LONG_SIDE, MAX_LONG_SIDE))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=90)
    return file.getvalue()


def is_address(text: object) -> TypeGuard[str]:
    """Whether this is a web address that a QR code can hold."""
    return (
        isinstance(text, str)
        and text.startswith(("https://", "http://"))
        and text.isascii()
        and len(text) <= MAX_ADDRESS
    )


def code_of(address: str) -> segno.QRCode:
    """A QR code for a web address."""
    return segno.make(address)
