"""Reads photos: whatever a phone or camera writes becomes an upright RGB picture in sRGB."""

import io
import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import pillow_heif
from PIL import Image, JpegImagePlugin

from . import bmp, png
from .colour import MAX_PROFILE_BYTES, profile_of_heif, profile_of_png, to_eight_bit, to_srgb
from .jpeg import check_jpeg, count_coefficients
from .limits import LARGE_PIXELS, MAX_FILE_BYTES, MAX_MEGABYTES, MAX_PIXELS, RationedFile
from .orientation import exif_of, upright
from .refusals import (
    DAMAGED,
    NO_MEMORY,
    NOT_A_PHOTO,
    TOO_MANY_BYTES,
    TOO_MANY_PIXELS,
    PhotoError,
    cannot_be_read,
    refuse_other_kinds,
    too_large,
)
from .tiff import check_tiff

if sys.platform == "linux":
    import resource

# The formats that can be read, by Pillow's names. Its forty other decoders can't be reached.
DECODERS = "JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "TIFF"
for plugin in ("Jpeg", "Png", "WebP", "Avif", "Gif", "Bmp", "Tiff"):
    import_module(f"PIL.{plugin}ImagePlugin")
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

BLOCK_BYTES = 4096  # that a decoder gets at a time: 64 KiB can hold a thousand scans of a JPEG, seconds of work
MAX_COEFFICIENTS = 325_000_000  # of two bytes each: enough for 200 megapixels in 4:2:0
JPEG_SCALES = 1, 2, 4, 8  # a JPEG can be decoded at a half, a quarter or an eighth of its size

FileSource = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
PhotoSource = FileSource | Image.Image


def read_photo(source: PhotoSource, at_least: int | None = None) -> Image.Image:
    """Upright RGB `PIL.Image` in sRGB from bytes, a path, a binary file or another `PIL.Image`.

    The picture looks as it does in a browser, with the same rules for orientation and colour. An animation gives its
    first frame, transparent parts become white, and nothing but the picture is kept. With `at_least` (pixels), a large
    JPEG is decoded at 1/2, 1/4 or 1/8 of its size, and any photo of more than `LARGE_PIXELS` is reduced, as long as
    both sides stay at least that long. A JPEG of more than `MAX_PIXELS` is decoded at the largest scale that fits.

    Raises PhotoError for a file that is not a photo, is cut short, still has more than `MAX_PIXELS`, or would take more
    than `MAX_SECONDS` or `MAX_MEGABYTES`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large or slightly broken files; the limits are checked below
            photo = _open(source)
            exif, profile = exif_of(photo), photo.info.get("icc_profile")
            picture = _on_white(to_srgb(upright(to_eight_bit(_decode(photo, at_least)), exif), profile))
    except PhotoError:
        raise
    except Image.DecompressionBombError as error:
        raise PhotoError(TOO_MANY_PIXELS) from error
    except MemoryError as error:
        raise PhotoError(NO_MEMORY) from error
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        raise PhotoError(DAMAGED) from error
    picture.info = {}
    return picture


def _open(source: PhotoSource) -> Image.Image:
    """The photo, usually not decoded yet, with its colour profile in `info`."""
    if isinstance(source, Image.Image):
        if math.prod(source.size) > MAX_PIXELS:
            raise PhotoError(too_large(*source.size))
        copy = source.copy()
        copy.format = source.format
        return copy
    content = _content(source)
    if len(content) > MAX_FILE_BYTES:
        raise PhotoError(TOO_MANY_BYTES)
    refuse_other_kinds(content)
    kind = next((name for name in DECODERS if _begins_as(name, content)), None)
    if not kind:
        raise PhotoError(NOT_A_PHOTO)
    openers = {"JPEG": _open_jpeg, "PNG": _open_png, "BMP": _open_bmp, "TIFF": _open_tiff}
    openers |= {"AVIF": _open_heif, "HEIF": _open_heif}
    return openers.get(kind, _open_any)(RationedFile(content))


def _begins_as(name: str, content: bytes | bytearray | memoryview) -> bool:
    _, accepts = Image.OPEN[name]
    return accepts is not None and bool(accepts(bytes(content[:16])))


def _open_any(file: RationedFile) -> Image.Image:
    return Image.open(file, formats=DECODERS)


def _open_jpeg(file: RationedFile) -> Image.Image:
    """Without Pillow's limit on pixels, which would apply before the photo is scaled down."""
    check_jpeg(file.getvalue())
    return JpegImagePlugin.JpegImageFile(file)


def _open_png(file: RationedFile) -> Image.Image:
    content = file.getvalue()
    try:
        photo = _open_any(file)
    except PhotoError:
        raise
    except Exception:  # Pillow raises many types for broken chunks
        photo = _open_any(RationedFile(png.mend(content)))
    iccp, cicp = png.read_profile(content, MAX_PROFILE_BYTES), png.read_chunk(content, b"cICP")
    photo.info["icc_profile"] = profile_of_png(photo.info, iccp, cicp)
    if "transparency" in photo.info:
        transparent, depth = photo.info["transparency"], content[png.DEPTH_AT]
        photo.info["transparency"] = png.in_eight_bits(transparent, photo.mode, depth)
    return photo


def _open_bmp(file: RationedFile) -> Image.Image:
    photo = bmp.read_bmp(file.getvalue()) or _open_any(file)
    photo.info["icc_profile"] = bmp.read_profile(file.getvalue())
    return photo


def _open_heif(file: RationedFile) -> Image.Image:
    photo = _open_any(file)
    photo.info.setdefault("icc_profile", profile_of_heif(file.getvalue()))
    return photo


def _open_tiff(file: RationedFile) -> Image.Image:
    check_tiff(file)
    try:
        return _open_any(file)
    except Image.UnidentifiedImageError as error:  # it isn't damaged: its directory was read
        raise PhotoError(cannot_be_read("TIFF with an unusual kind of pixels")) from error


def _content(source: FileSource) -> bytes | bytearray | memoryview:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _file_content(source)
    with suppress(AttributeError, io.UnsupportedOperation):
        source.seek(0)
    return source.read(MAX_FILE_BYTES + 1)


def _file_content(path: str | os.PathLike[str]) -> bytes:
    if os.path.isdir(path):
        raise PhotoError("This is a folder, not a photo. Choose a photo in it.")
    if os.path.exists(path) and not os.path.isfile(path):  # reading a pipe might never end
        raise PhotoError("This is a pipe or a device, not a photo. Choose a file.")
    if not os.path.isfile(path):
        raise PhotoError("There is no such file. Check its name.")
    try:
        with open(path, "rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PhotoError("This file can't be opened. Check that you may read it.") from error


def _decode(photo: Image.Image, at_least: int | None) -> Image.Image:
    """Decode and reduce first: every later step holds a copy, and a visitor's kernel must stay small."""
    size, kept = photo.size, math.inf
    if isinstance(photo, JpegImagePlugin.JpegImageFile):
        kept = count_coefficients(photo)
        if kept <= MAX_COEFFICIENTS:
            _draft(photo, at_least)
    if math.prod(photo.size) > MAX_PIXELS:
        raise PhotoError(too_large(*size))
    if kept:  # a JPEG with a single scan can't take long, and larger blocks let threads wait less for each other
        photo.decodermaxblock = BLOCK_BYTES  # type: ignore[attr-defined]  # only files have it
    with _memory_capped() if photo.format == "AVIF" else nullcontext():
        photo.load()
    scale = min(photo.size) // at_least if at_least and photo.width * photo.height > LARGE_PIXELS else 1
    return _reduced(photo, scale) if scale > 1 else photo


def _draft(photo: JpegImagePlugin.JpegImageFile, at_least: int | None) -> None:
    """Make Pillow decode a JPEG at the smallest scale that leaves `at_least` pixels, or at the largest that fits."""
    fitting = next((scale for scale in JPEG_SCALES if photo.width * photo.height / scale**2 <= MAX_PIXELS), 8)
    side = min(photo.size) // fitting
    side = min(side, at_least) if at_least else side
    if side < min(photo.size):
        photo.draft("RGB", (side, side))


@contextmanager
def _memory_capped() -> Iterator[None]:
    """Limit the process to `MAX_MEGABYTES` more, on Linux.

    The stream in an AVIF may be larger than the file says, and its decoder accepts up to 268 megapixels of 12 bits.
    """
    if sys.platform != "linux":
        yield
        return
    with _capping:
        limits = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[5])
        cap = pages * resource.getpagesize() + MAX_MEGABYTES * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (cap if soft == resource.RLIM_INFINITY else min(cap, soft), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, limits)


_capping = Lock()  # the cap applies to the whole process


def _reduced(photo: Image.Image, scale: int) -> Image.Image:
    if photo.mode in ("1", "P", "PA"):
        photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    return photo.reduce(scale) if photo.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else photo


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white
