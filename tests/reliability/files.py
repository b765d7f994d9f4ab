"""Hostile files and unusual photos: whether `read_photo` gives the right result, within its limits.

`KINDS` are functions that yield `Sample`s. `python -m tests.reliability.files` tries them all; with `--minutes 10` it
tries photos that hypothesis damages, for ten minutes.
"""

import argparse
import io
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import accumulate, count
from pathlib import Path

import hypothesis
import numpy as np
import psutil
from hypothesis import strategies as st
from PIL import Image, ImageCms

from foodvision import PhotoError, read_photo
from foodvision.answer.limits import MAX_MEGABYTES, MAX_PIXELS, MAX_SECONDS
from foodvision.page.assets import MAX_BYTES, SHORT_SIDE

from . import Row

ROOT = Path(__file__).parent.parent.parent
RED, GREEN, BLUE, WHITE = COLOURS = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
SIZE = WIDTH, HEIGHT = 80, 60
SIDE = 7000  # of a square of nearly MAX_PIXELS
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
CUTS = 40  # places at which a file of each format is cut
TOLERANCE = 40  # of 255, because some formats have few colours or bits
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
NAMES = (
    "🍕 pizza 🍣.jpg",
    "it's \"my\" photo's photo.png",
    "..%2f..%2fetc%2fpasswd.jpg",
    "<img src=x onerror=alert(1)>.jpg",
    "$(touch owned); `touch owned`.jpg",
    "line\nbreak\ttab.jpg",
    "-rf --output.jpg",
    "photo.pdf",
    "photo.jpg.exe",
    "photo",
    " .jpg",
    b"not \xff text.jpg".decode(errors="surrogateescape"),
    "a" * 250 + ".jpg",
)
NO_NAMES = (
    "a" * 10_000 + ".jpg",
    "nul\0byte.jpg",
    "../" * 300 + "no/such/photo.jpg",
    "",
    "https://example.org/pizza.jpg",
)
PNG = b"\x89PNG\r\n\x1a\n"
RED_ROW = b"\0" + bytes(RED)  # of a PNG of one pixel
TIFF_TYPES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}  # bytes of a BYTE, ASCII, SHORT, LONG, RATIONAL and UNDEFINED
SENTENCE = re.compile(r"[A-Z][^.!?]*\. (Try|Check|Choose) [^.!?]*\.")  # what is wrong, and what to do next
BATCH = 2000  # damaged files for one process
HANG = 600  # seconds after which a reader that uses no CPU time is stopped


@dataclass(frozen=True)
class Sample:
    """A file to read, and the right result: a picture of that `size` and `corners`, `refused`, or `anything`.

    If it has a `name`, the reader gets a path instead of bytes.
    """

    what: str
    make: Callable[[], bytes]
    size: tuple[int, int] | None = None
    corners: tuple = ()
    refused: bool = False
    anything: bool = False
    name: str | None = None
    at_least: int | None = SHORT_SIDE


@dataclass(frozen=True)
class Reading:
    """The result for a file: `size` and `corners`, a `sentence` or a `fault`, and the CPU seconds and MB it took."""

    size: tuple[int, int] | None = None
    corners: tuple = ()
    sentence: str | None = None
    fault: str | None = None
    seconds: float = 0.0
    megabytes: float = 0.0


def shows(size=SIZE, corners=COLOURS):
    return {"size": size, "corners": corners}


PIXEL = shows(size=(1, 1), corners=(RED,) * 4)
REFUSED, ANY = {"refused": True}, {"anything": True}


def quadrants(width=WIDTH, height=HEIGHT):
    """Red, green / blue, white."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    picture.paste(WHITE, (width // 2, height // 2, width, height))
    return picture


def saved(picture, format, **options):
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def corners(picture):
    width, height = picture.size
    return tuple(
        picture.getpixel((x, y)) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)
    )  # fmt: skip


def close(colours, expected, tolerance=TOLERANCE):
    return np.abs(np.subtract(colours, expected)).max() <= tolerance


# Photos of every rare kind; each has a right answer.


def upright():
    """Every orientation, in each format that is turned by its EXIF."""
    for format in ("JPEG", "PNG", "TIFF", "HEIF", "AVIF"):
        for orientation in range(1, 9):
            yield Sample(f"{format}, orientation {orientation}", partial(_turned, format, orientation), **shows())
    for orientation in (0, 9, 65535):
        yield Sample(f"JPEG, orientation {orientation}", partial(_turned, "JPEG", orientation), **shows())


def _turned(format, orientation):
    picture = quadrants().transpose(TURNS[orientation]) if orientation in TURNS else quadrants()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(picture, format, exif=exif.tobytes())  # as bytes pillow-heif sees the orientation, and writes a box


def rare():
    """Colours, depths, shapes and animations that decoders tend to disagree about."""
    grey = tuple((level,) * 3 for level in (76, 75, 29, 255))  # ITU-R 601-2, as Pillow converts
    palette = quadrants().quantize(4)
    clear = quadrants().convert("RGBA")
    clear.paste((0, 0, 0, 0), (WIDTH // 2, HEIGHT // 2, WIDTH, HEIGHT))  # shows as white
    for format in FORMATS:
        yield Sample(f"{format}, RGB", partial(saved, quadrants(), format), **shows())
    for format in ("PNG", "WEBP", "TIFF", "HEIF", "AVIF"):
        yield Sample(f"{format}, RGBA", partial(saved, clear, format), **shows())
    for format in ("JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "BMP", "GIF"):
        yield Sample(f"{format}, grey", partial(saved, quadrants().convert("L"), format), **shows(corners=grey))
    for format in ("PNG", "TIFF"):
        sixteen = Image.fromarray(np.asarray(quadrants().convert("L"), dtype=np.uint16) * 257)
        yield Sample(f"{format}, 16-bit grey", partial(saved, sixteen, format), **shows(corners=grey))
        yield Sample(f"{format}, grey with alpha", partial(saved, clear.convert("LA"), format), **shows(corners=grey))
        one_bit = tuple((255 * (x % 2),) * 3 for x in range(4))
        stripes = quadrants().convert("L").point(lambda level: 0).convert("1")
        stripes.paste(255, (WIDTH // 2, 0, WIDTH, HEIGHT))
        yield Sample(f"{format}, 1 bit", partial(saved, stripes, format), **shows(corners=one_bit))
    for format in ("JPEG", "TIFF"):
        yield Sample(f"{format}, CMYK", partial(saved, quadrants().convert("CMYK"), format), **shows())
    for format in ("PNG", "GIF", "TIFF", "BMP"):
        yield Sample(f"{format}, palette", partial(saved, palette, format), **shows())
    white = palette.getpixel((WIDTH - 1, HEIGHT - 1))
    for format in ("PNG", "GIF"):
        yield Sample(f"{format}, clear palette", partial(saved, palette, format, transparency=white), **shows())
    alphas = bytes(0 if index == white else 255 for index in range(4))
    yield Sample("PNG, palette with alpha", partial(saved, palette, "PNG", transparency=alphas), **shows())
    yield Sample("PNG, 16-bit RGB", partial(_png_of_16_bits, quadrants()), **shows())
    yield Sample("TIFF, 16-bit RGB", partial(_tiff_of_16_bits, quadrants()), **shows())
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "zstd"):
        yield Sample(f"TIFF, {compression}", partial(saved, quadrants(), "TIFF", compression=compression), **shows())
    yield Sample("TIFF, BigTIFF", partial(saved, quadrants(), "TIFF", big_tiff=True), **shows())
    yield Sample("JPEG, progressive", partial(saved, quadrants(), "JPEG", progressive=True), **shows())
    yield Sample("PNG, huge profile", partial(saved, quadrants(), "PNG", icc_profile=bytes(1_000_000)), **shows())
    yield Sample(
        "JPEG, nonsense for a profile", partial(saved, quadrants(), "JPEG", icc_profile=b"\xff" * 999_999), **shows()
    )
    for format in ("PNG", "WEBP", "GIF", "AVIF", "TIFF", "HEIF"):
        yield Sample(f"{format}, frames", partial(_animated, format), **shows())
    for format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF"):
        yield Sample(f"{format}, corrupt EXIF", partial(_with_corrupt_exif, format), **shows())
    for width, height in ((1, 1), (1, 10_000), (10_000, 1), (2, 3)):
        for format in FORMATS:
            if format == "HEIF":  # which x265 does not write so small
                continue
            plain = Image.new("RGB", (width, height), RED)
            shown = shows(size=(width, height), corners=(RED,) * 4)
            yield Sample(f"{format}, {width} x {height}", partial(saved, plain, format), **shown)


def _animated(format):
    return saved(quadrants(), format, save_all=True, append_images=[Image.new("RGB", SIZE)] * 3)


def _with_corrupt_exif(format):
    exif = Image.Exif()
    exif[0x010F] = "a maker of cameras"
    content = bytearray(saved(quadrants(), format, exif=exif.tobytes()))
    directory = content.index(b"MM\0*") + 4
    content[directory : directory + 4] = b"\xff" * 4
    if format == "PNG":
        _mend_checksums(content)
    return bytes(content)


def _png_of_16_bits(picture):
    rows = (np.asarray(picture).astype(">u2") * 257).reshape(picture.height, -1)
    return png(*picture.size, b"".join(b"\0" + row.tobytes() for row in rows), depth=16)


def _tiff_of_16_bits(picture):
    data = (np.asarray(picture).astype("<u2") * 257).tobytes()
    return tiff(*picture.size, [data], {258: [16] * 3, 262: [2], 277: [3]})


# Files that are cut short or are no photo at all.


def cut_short():
    """Each format, cut in many places: a sentence, or the right picture if only the last bytes are missing."""
    for format in FORMATS:
        content = saved(_noisy(), format)
        for part in range(CUTS):
            length = len(content) * part // CUTS
            yield Sample(f"{format}, {length} bytes of it", partial(content.__getitem__, slice(length)), **REFUSED)
        for missing in (1, 2, 8):
            cut = partial(content.__getitem__, slice(-missing))
            shown = shows(corners=corners(_noisy())) | REFUSED
            yield Sample(f"{format}, all but {missing} bytes", cut, **shown)


@cache
def _noisy():
    """Too noisy to compress well, so that every cut loses something."""
    noise = np.random.default_rng(0).integers(-30, 30, (HEIGHT, WIDTH, 3))
    smooth = corners(quadrants())
    rough = (np.asarray(quadrants(), dtype=int) + noise).clip(0, 255)
    for (x, y), colour in zip(((1, 1), (3, 1), (1, 3), (3, 3)), smooth, strict=True):
        rough[HEIGHT * y // 4 - 8 : HEIGHT * y // 4 + 8, WIDTH * x // 4 - 8 : WIDTH * x // 4 + 8] = colour
    return Image.fromarray(rough.astype(np.uint8))


def no_photos():
    """Other files, half of them named like a photo; some are pictures in formats that no camera writes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("photo.jpg", saved(quadrants(), "JPEG"))
    texts = {
        "nothing": b"",
        "a space": b" ",
        "text": b"this is not a photo" * 100,
        "zeros": bytes(100_000),
        "ff": b"\xff" * 100_000,
        "zip": archive.getvalue(),
        "PDF": b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF",
        "SVG": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "HTML": b"<!doctype html><img src=x onerror=alert(1)>",
        "script": b"#!/bin/sh\ntouch owned\n",
        "pickle": b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x05true \x85R.",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) show",
        "a film": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(1000),
        "magic of JPEG": b"\xff\xd8\xff",
        "magic of PNG": b"\x89PNG\r\n\x1a\n",
        "magic of GIF": b"GIF89a",
        "magic of BMP": b"BM",
        "magic of TIFF": b"II*\0",
        "magic of BigTIFF": b"II+\0",
        "magic of WebP": b"RIFF\0\0\0\0WEBPVP8 ",
        "magic of HEIC": b"\0\0\0\x18ftypheic",
        "magic of AVIF": b"\0\0\0\x18ftypavif",
    }
    for what, content in texts.items():
        yield Sample(what, partial(bytes, content), **REFUSED)
        yield Sample(f"{what} as .jpg", partial(bytes, content), name="photo.jpg", **REFUSED)
    for format in ("EPS", "ICO", "ICNS", "JPEG2000", "PCX", "PPM", "SGI", "TGA", "DDS", "PDF", "SPIDER", "BLP"):
        picture = quadrants().convert({"SPIDER": "F", "BLP": "P"}.get(format, "RGB")).resize((64, 64))
        yield Sample(f"{format} as .jpg", partial(saved, picture, format), name="photo.jpg", **REFUSED)


def names():
    """Photos with misleading names, and names that no file can have."""
    jpeg = partial(saved, quadrants(), "JPEG")
    for name in NAMES:
        yield Sample(f"named {name[:40]!r}", jpeg, name=name, **shows())
    for name in NO_NAMES:
        yield Sample(f"named {name[:40]!r}", jpeg, name=name, **REFUSED)
    for format in FORMATS:
        ending = ".gif" if format != "GIF" else ".heic"
        yield Sample(f"{format} as {ending}", partial(saved, quadrants(), format), name="photo" + ending, **shows())


# Small files that could take all memory or time.


def bombs():
    """Files of at most `MAX_BYTES` that claim to be huge, or repeat the same thing endlessly."""
    yield from _png_bombs()
    yield from _jpeg_bombs()
    yield from _gif_and_bmp_bombs()
    yield from _tiff_bombs()
    yield from _exif_bombs()
    yield from _profile_bombs()
    yield from _other_bombs()


def _png_bombs():
    def around(part, count=None):
        return png(1, 1, RED_ROW, before=part * (count or MAX_BYTES // len(part)))

    text, no_text = (zlib.compress(letter * (2**20 - 9), 9) for letter in (b"a", b"\xff"))
    yield Sample("PNG, 50,000 x 50,000", partial(png, 50_000, 50_000, bytes(99), depth=1, colour=0), **REFUSED)
    yield Sample("PNG, 2^31 x 2^31", partial(png, 2**31 - 1, 2**31 - 1, bytes(9)), **REFUSED)
    yield Sample("PNG, 0 x 0", partial(png, 0, 0, bytes(9)), **REFUSED)
    yield Sample("PNG, a gigabyte for one pixel", lambda: png(1, 1, RED_ROW + bytes(10**9)), **ANY)
    yield Sample("PNG, zTXt", lambda: around(chunk(b"zTXt", b"k\0\0" + text)), **PIXEL)
    yield Sample("PNG, 60 MB of zTXt", lambda: around(chunk(b"zTXt", b"k\0\0" + text), 60), **PIXEL)
    yield Sample("PNG, iTXt", lambda: around(chunk(b"iTXt", b"k\0\1\0\0\0" + text)), **PIXEL)
    yield Sample("PNG, iTXt of no text", lambda: around(chunk(b"iTXt", b"k\0\1\0\0\0" + no_text)), **ANY)
    yield Sample("PNG, profile of 100 MB", lambda: around(_profile(bytes(10**8)), 1), **PIXEL)
    yield Sample("PNG, profiles", lambda: around(_profile(bytes(2**20 - 1))), **ANY)
    yield Sample("PNG, profile in a profile", lambda: around(_profile(_profile(_profile(bytes(10**6)))), 1), **PIXEL)
    yield Sample("PNG, empty chunks", lambda: around(chunk(b"teSt")), **ANY)
    yield Sample("PNG, empty IDATs", lambda: png(1, 1, b"", after=chunk(b"IDAT") * (MAX_BYTES // 12)), **REFUSED)
    yield Sample("PNG, two billion frames", partial(_apng, 2**31), **ANY)


def _jpeg_bombs():
    jpeg = saved(quadrants(), "JPEG")

    def around(part):
        return jpeg[:2] + part * (MAX_BYTES // len(part)) + jpeg[2:]

    yield Sample("JPEG, 65,500 x 65,500", partial(_resized, jpeg, 65_500), **REFUSED)
    yield Sample("JPEG, padded markers", lambda: around(b"\xff"), **ANY)
    yield Sample("JPEG, zeros for markers", lambda: around(b"\0"), **ANY)
    yield Sample("JPEG, restart markers", lambda: jpeg[:-2] + b"\xff\xd0" * (MAX_BYTES // 2), **ANY)
    yield Sample("JPEG, comments", lambda: around(segment(0xFE)), **ANY)
    yield Sample("JPEG, APP0", lambda: around(segment(0xE0)), **ANY)
    yield Sample("JPEG, EXIF in pieces", lambda: around(segment(0xE1, b"Exif\0\0more")), **ANY)
    yield Sample("JPEG, profile in pieces", lambda: around(segment(0xE2, b"ICC_PROFILE\0\1\1more")), **ANY)
    yield Sample("JPEG, quantization tables", lambda: around(segment(0xDB, b"\0" + b"\1" * 64)), **ANY)
    yield Sample("JPEG, 30 MB behind its end", lambda: jpeg + bytes(MAX_BYTES), **shows())
    yield Sample("JPEG, layer upon layer", partial(_layered, SIDE), **REFUSED)
    yield Sample("JPEG, layer upon layer, 324 megapixels", partial(_layered, 18_000), **REFUSED)
    yield Sample("JPEG, in layers beyond all memory", partial(_layered, 20_000, 1), **REFUSED)


def _gif_and_bmp_bombs():
    frame = b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    yield Sample("GIF, 65,535 x 65,535", partial(gif, 65_535, frame), **REFUSED)
    yield Sample("GIF, a frame larger than all", partial(gif, 1, frame.replace(b"\1\0\1\0", b"\xff" * 4)), **REFUSED)
    yield Sample("GIF, two million frames", lambda: gif(1, frame * 2_000_000), **PIXEL)
    yield Sample("GIF, comments", lambda: gif(1, b"!\xfe" + b"\1x" * (MAX_BYTES // 2 - 99) + b"\0" + frame), **ANY)
    yield Sample("GIF, empty extensions", lambda: gif(1, b"!\xf9\0" * (MAX_BYTES // 3 - 99) + frame), **ANY)
    yield Sample("BMP, 2^31 x 2^31", partial(bmp, 2**31 - 1, 2**31 - 1), **REFUSED)
    yield Sample("BMP, runs that leap", partial(bmp, 49_000_000, 1, b"\0\2\xff\xff" * 10, 1), **ANY)
    yield Sample("BMP, a run for each pixel", partial(bmp, SIDE, SIDE, b"\1\1" * (MAX_BYTES // 2 - 999), 1), **ANY)


def _tiff_bombs():
    data = quadrants().tobytes()
    three = {258: [8] * 3, 262: [2], 277: [3]}
    tile = zlib.compress(bytes(65_520 * 16), 9)
    huge = {"tile": (65_520, 16), "tags": {259: [8]}}
    row, raw, deflated = zlib.compress(bytes(20)) + bytes(2_000_000), {}, {259: [8]}
    yield Sample("TIFF, 50,000 x 50,000", partial(tiff, 50_000, 50_000, [b"\0"]), **REFUSED)
    yield Sample("TIFF, tiles beyond it", lambda: tiff(1, 16 * 20_000, [tile] * 20_000, **huge), **REFUSED)
    yield Sample(
        "TIFF, one tile for all", lambda: tiff(1, 16 * 12_500, [tile] * 12_500, shared=True, **huge), **REFUSED
    )
    for what, tags in (("deflated", deflated), ("mirrored", deflated | {266: [2]}), ("raw", raw)):
        tags = {278: [1]} | tags
        same = partial(tiff, 20, 150_000, [row] * 150_000, tags, shared=True)
        yield Sample(f"TIFF, one strip for all, {what}", same, **REFUSED)
        many = partial(tiff, 20, 3_000_000, [b""] * 3_000_000, tags, shared=True)
        yield Sample(f"TIFF, three million strips, {what}", many, **REFUSED)
    for tag in (258, 273, 279, 282, 320, 330, 700, 34665, 34675, 50_000):
        for kind in (1, 3, 4, 5):
            tags = {tag: (kind, bytes(MAX_BYTES - 1000))}
            yield Sample(f"TIFF, 30 MB of tag {tag} in type {kind}", partial(tiff, 1, 1, [b"\0"], tags), **ANY)
    for kind in (1, 2, 7):
        strips = {273: (kind, b"\xff" * (MAX_BYTES - 1000)), 278: [1]}
        far = partial(tiff, 1, MAX_BYTES - 1000, [b"\0"], strips)
        yield Sample(f"TIFF, 30 million strips at numbers of type {kind}", far, **REFUSED)
    crowded = struct.pack("<HHII", 34665, 4, 1, 8) * 65_535
    yield Sample(
        "TIFF, directories in each other", lambda: b"II*\0" + struct.pack("<IH", 8, 65_535) + crowded, **REFUSED
    )
    yield Sample("TIFF, pages in a ring", partial(tiff, *SIZE, [data], three, following=8), **shows())
    yield Sample("TIFF, EXIF in a ring", partial(tiff, *SIZE, [data], three | {34665: [8]}), **shows())


def _exif_bombs():
    """EXIF with 29 MB of fractions; Pillow would turn each into an object."""
    fractions = b"\1\0\0\0" * 7_000_000
    exif = tiff(1, 1, [b""], dict.fromkeys((282, 283), (5, fractions)) | {296: (3, b"\2\0"), ORIENTATION: (3, b"\6\0")})
    pieces = b"".join(segment(0xE1, b"Exif\0\0" + exif[at : at + 65_000]) for at in range(0, MAX_BYTES, 65_000))
    jpeg = saved(quadrants(), "JPEG")
    start_of_frame = jpeg.index(b"\xff\xdb")
    yield Sample("PNG, EXIF of fractions", lambda: png(1, 1, RED_ROW, before=chunk(b"eXIf", exif)), **PIXEL)
    yield Sample("WebP, EXIF of fractions", lambda: saved(quadrants(), "WEBP", exif=exif), **shows())
    yield Sample("HEIF, EXIF of fractions", lambda: saved(quadrants(), "HEIF", exif=exif), **ANY)
    yield Sample("JPEG, EXIF of fractions", lambda: jpeg[:2] + pieces + jpeg[start_of_frame:], **REFUSED)


def _profile_bombs():
    """Profiles of a million bytes whose conversions would take minutes, or gigabytes."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    step = struct.pack(">4s4xHH12f", b"matf", 3, 3, *np.eye(3).ravel(), 0, 0, 0)
    steps = struct.pack(">4s4xHHI", b"mpet", 3, 3, 100_000)
    steps += struct.pack(">II", len(steps) + 800_000, len(step)) * 100_000 + step
    table = struct.pack(">4s4xBBBB9iHH", b"mft2", 3, 3, 255, 0, *np.eye(3, dtype=int).ravel() * 65536, 4096, 4096)
    curve = struct.pack(">4s4xI", b"curv", 400_000) + bytes(800_000)
    for what, tags in {
        "100,000 steps": {b"D2B0": steps},
        "a table of 255 x 255 x 255": {b"A2B0": table + bytes(100_000)},
        "curves of 400,000 numbers": dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }.items():
        profile = _with_tags(srgb, tags)
        yield Sample(f"JPEG, profile of {what}", partial(saved, quadrants(), "JPEG", icc_profile=profile), **ANY)


def _with_tags(profile, tags):
    """The ICC profile with some tags replaced or added."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * number) for number in range(count))
    tags = {name: profile[at : at + size] for name, at, size in entries} | tags
    start = 132 + 12 * len(tags)
    starts = accumulate((len(content) for content in tags.values()), initial=start)
    table = b"".join(
        struct.pack(">4sII", name, at, len(content)) for (name, content), at in zip(tags.items(), starts, strict=False)
    )
    content = profile[4:128] + struct.pack(">I", len(tags)) + table + b"".join(tags.values())
    return struct.pack(">I", len(content) + 4) + content


def _other_bombs():
    yield Sample("WebP, 16,384 x 16,384", partial(webp, 16_384, 1), **REFUSED)
    yield Sample("WebP, 13,000 x 13,000", partial(webp, 13_000, 1), **REFUSED)
    yield Sample("WebP, 300,000 frames", partial(webp, 1, 300_000), **PIXEL)
    for format in ("HEIF", "AVIF"):
        for side in (0, 1, SIDE, 20_000, 60_000, 2**32 - 1):
            small = partial(declared, saved(quadrants(), format), side)
            yield Sample(f"{format}, declared as {side:,} x {side:,}", small, **ANY)
        inside = partial(lambda format: declared(saved(Image.new("L", (2000, 2000)), format), 1), format)
        yield Sample(f"{format}, 2,000 x 2,000 declared as 1 x 1", inside, **ANY)


def large():
    """The largest photos that are read, nearly `MAX_PIXELS`, in the modes that take most memory."""
    lossless = {"lossless": True, "quality": 0, "method": 0}
    for mode, format, options in (
        ("RGBA", "PNG", {"compress_level": 1}),
        ("P", "GIF", {"transparency": 1}),
        ("CMYK", "JPEG", {"progressive": True, "subsampling": 0}),
        ("RGBA", "TIFF", {"compression": "tiff_lzw"}),
        ("RGBA", "WEBP", lossless),
        ("RGBA", "AVIF", {"speed": 10, "subsampling": "4:4:4"}),
        ("RGBA", "HEIF", {"quality": 10}),
    ):
        scale = 8 if format == "JPEG" else SIDE // SHORT_SIDE
        make = cache(partial(_red, mode, format, options))
        for side, at_least in ((-(-SIDE // scale), SHORT_SIDE), (SIDE, None)):
            shown = shows(size=(side, side), corners=(RED,) * 4) | {"at_least": at_least}
            yield Sample(f"{format}, {mode}, {SIDE} x {SIDE}, at least {at_least}", make, **shown)
    for mode in ("I;16", "I", "F"):
        black = partial(lambda mode: saved(Image.new(mode, (SIDE, SIDE)), "TIFF", compression="tiff_lzw"), mode)
        shown = shows(size=(SIDE, SIDE), corners=((0,) * 3,) * 4)
        yield Sample(f"TIFF, {mode}, {SIDE} x {SIDE}", black, **shown)


def _red(mode, format, options):
    pixel = Image.new("RGB", (1, 1), RED)
    pixel = pixel.quantize(2) if mode == "P" else pixel.convert(mode)
    return saved(pixel.resize((SIDE, SIDE)), format, **options)


KINDS = {
    "photos, upright by EXIF": upright,
    "photos of rare kinds": rare,
    "photos of 49 megapixels": large,
    "photos under odd names": names,
    "photos cut short": cut_short,
    "files that are no photos": no_photos,
    "bombs of time or memory": bombs,
}


# Files that Pillow would not write.


def chunk(kind, data=b""):
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, data, depth=8, colour=2, before=b"", after=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(data, 1)) if data else b""
    return PNG + header + before + pixels + after + chunk(b"IEND")


def _profile(content):
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(content, 9))


def _apng(frames):
    control = chunk(b"acTL", struct.pack(">II", frames, 0))
    first, *later = (struct.pack(">IIIIIHHBB", n, 1, 1, 0, 0, 1, 1, 0, 0) for n in range(MAX_BYTES // 39))
    return png(1, 1, RED_ROW, before=control + chunk(b"fcTL", first), after=b"".join(chunk(b"fcTL", n) for n in later))


def segment(marker, data=b""):
    """A JPEG segment."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def _resized(jpeg, side):
    frame = jpeg.index(b"\xff\xc0")
    return jpeg[: frame + 5] + struct.pack(">HH", side, side) + jpeg[frame + 9 :]


def _layered(side, layers=None):
    """A progressive JPEG of empty scans: each has a few bytes, but takes a pass over the whole picture."""
    content = saved(Image.new("L", (side, side)), "JPEG", progressive=True)
    code = segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0")  # 0: nothing in 2^14 blocks, and as many more as 14 bits say
    bits = ("0" + 14 * "1") * (side**2 // 64 // 2**15 + 1)
    data = int(bits.ljust(-len(bits) // 8 * -8, "1"), 2).to_bytes(-(-len(bits) // 8), "big").replace(b"\xff", b"\xff\0")
    layer = segment(0xDA, b"\1\1\0\1\x3f\0") + data
    return content[:-2] + code + layer * (layers or MAX_BYTES // len(layer) - 99) + content[-2:]


def gif(side, blocks):
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(RED) * 2 + blocks + b";"


def bmp(width, height, data=b"", compression=0):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, 0, 0, 0, 0, 0)
    palette = bytes(level for index in range(256) for level in (index, 0, 0, 0))
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(palette)) + header + palette + data


def tiff(width, height, parts, tags=None, tile=None, shared=False, following=0):
    """A grey TIFF. If `shared`, all strips or tiles are the same bytes. Tags are LONGs or (type, bytes)."""
    where, how_long = (324, 325) if tile else (273, 279)
    lengths = [len(part) for part in parts]
    values = {256: [width], 257: [height], 258: [8], 259: [1], 262: [1], 277: [1], where: lengths, how_long: lengths}
    if tile:
        values |= {322: [tile[0]], 323: [tile[1]]}
    values = {
        tag: value if isinstance(value, tuple) else _longs(value) for tag, value in (values | (tags or {})).items()
    }
    head = 8 + 2 + 12 * len(values) + 4
    start = head + sum(len(value) for _, value in values.values() if len(value) > 4)
    if where not in (tags or {}):
        values[where] = _longs([start] * len(parts) if shared else accumulate(lengths[:-1], initial=start))
    entries, elsewhere = [], []
    for tag, (kind, value) in sorted(values.items()):
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack("<I", head + sum(map(len, elsewhere)))
            elsewhere.append(value)
        entries.append(struct.pack("<HHI", tag, kind, len(value) // TIFF_TYPES[kind]) + field)
    directory = struct.pack("<4sIH", b"II*\0", 8, len(values)) + b"".join(entries) + struct.pack("<I", following)
    return directory + b"".join(elsewhere) + (parts[0] if shared else b"".join(parts))


def _longs(numbers):
    return 4, np.fromiter(numbers, dtype="<u4").tobytes()


def webp(side, frames):
    def part(kind, data):
        return kind + struct.pack("<I", len(data)) + data

    def three_bytes(number):
        return struct.pack("<I", number)[:3]

    pixel = saved(Image.new("RGB", (1, 1), RED), "WEBP", lossless=True)[12:]
    frame = part(b"ANMF", three_bytes(0) * 4 + three_bytes(10) + b"\0" + pixel)
    size = three_bytes(side - 1) * 2
    return part(b"RIFF", b"WEBP" + part(b"VP8X", b"\2\0\0\0" + size) + part(b"ANIM", bytes(6)) + frame * frames)


def declared(content, side):
    """An HEIC or AVIF that declares a wrong size."""
    head, *rest = content.split(b"ispe")
    return head + b"".join(b"ispe" + box[:4] + struct.pack(">II", side, side) + box[12:] for box in rest)


# Reading each file in a process of its own.


class Reader:
    """A process that reads each file in a fresh child, to measure its time and memory and notice its death."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.files", "--read"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(HANG)
        self._process.stdout.close()
        self._folder.cleanup()

    def read(self, sample):
        """The `Reading` of a `Sample`."""
        content = sample.make()
        path = os.path.join(self._folder.name, "photo" if sample.name is None else sample.name)
        with suppress(OSError, ValueError):  # some names are no names of files
            Path(path).write_bytes(content)
        order = {"path": path, "named": sample.name is not None, "at_least": sample.at_least}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        reading = Reading(**json.loads(self._process.stdout.readline()))
        with suppress(OSError, ValueError):
            os.unlink(path)
        return reading


def read_on_order():
    """The process of a `Reader`: answers each order with a line of JSON from a child that reads one file."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _read(**order)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            print(json.dumps({"fault": f"ended by {signal.Signals(os.WTERMSIG(status)).name}"}), flush=True)


def _read(path, named, at_least):
    source = path if named else Path(path).read_bytes()
    _set_limits()
    before, started = psutil.Process().memory_info().rss, time.process_time()
    try:
        picture = read_photo(source, at_least)
        answer = {"size": picture.size, "corners": corners(picture)}
        if picture.mode != "RGB" or picture.info:
            answer = {"fault": f"a picture of mode {picture.mode} with {list(picture.info)}"}
    except PhotoError as error:
        answer = {"sentence": str(error)}
    except BaseException as error:
        answer = {"fault": repr(error)}
    seconds = time.process_time() - started
    print(json.dumps(answer | {"seconds": seconds, "megabytes": (_peak() - before) / 1e6}), flush=True)
    os._exit(0)


def _set_limits():
    """Set limits above the promised ones, so a broken promise is noticed but does no harm."""
    resource.setrlimit(resource.RLIMIT_CPU, (4 * MAX_SECONDS, 4 * MAX_SECONDS))
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 5_000_000_000, resource.RLIM_INFINITY))
    signal.alarm(HANG)


def _peak():
    """Peak memory of this process in bytes. (On Linux, `ru_maxrss` includes memory of the parent.)"""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="utf-8"))[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fault(sample, reading):
    """What is wrong with the reading of a sample; None if it is right."""
    if reading.fault:
        return reading.fault
    if reading.seconds > MAX_SECONDS or reading.megabytes > MAX_MEGABYTES:
        return f"{reading.seconds:.1f} s, {reading.megabytes:.0f} MB"
    if reading.sentence:
        allowed = sample.refused or sample.anything
        return None if allowed and SENTENCE.fullmatch(reading.sentence) else reading.sentence
    if sample.anything:
        return None if reading.size[0] * reading.size[1] <= MAX_PIXELS else f"{reading.size}"
    if sample.size is None:
        return f"a picture of {reading.size}"
    right = tuple(reading.size) == sample.size and close(reading.corners, sample.corners)
    return None if right else f"{reading.size}, {reading.corners}"


# Random damage, by hypothesis.


@cache
def whole_files():
    """What gets damaged: a photo in each format, and variants that exercise other parts of the decoders."""
    pictures = [partial(saved, _noisy(), format) for format in FORMATS]
    variants = [sample.make for kind in (upright, rare) for sample in kind()][::3]
    contents = {make() for make in pictures + variants}
    return sorted(
        (content for content in contents if len(content) < 50_000), key=lambda content: (len(content), content)
    )


NUMBERS = tuple(
    sorted({2**power + more for power in (0, 7, 8, 15, 16, 24, 31, 32) for more in (-1, 0, 1)} - {2**32 + 1})
)


def _flip(draw, content):
    content[draw(st.integers(0, len(content) - 1))] ^= 1 << draw(st.integers(0, 7))


def _number(draw, content):
    """Overwrite a number: lengths, sizes and offsets have two or four bytes, in either order."""
    size, order = draw(st.sampled_from(((1, "big"), (2, "big"), (2, "little"), (4, "big"), (4, "little"))))
    at = draw(st.integers(0, len(content) - 1))
    number = draw(st.sampled_from(NUMBERS) | st.integers(0, 256**size - 1))
    content[at : at + size] = (number % 256**size).to_bytes(size, order)


def _cut(draw, content):
    del content[draw(st.integers(1, len(content))) :]


def _remove(draw, content):
    at = draw(st.integers(0, len(content) - 1))
    del content[at : at + draw(st.integers(1, 64))]


def _repeat(draw, content):
    at, length = draw(st.integers(0, len(content) - 1)), draw(st.integers(1, 256))
    content[at:at] = content[at : at + length] * draw(st.integers(1, 64))


def _splice(draw, content):
    other = draw(st.sampled_from(whole_files()))
    content[draw(st.integers(0, len(content) - 1)) :] = other[draw(st.integers(0, len(other) - 1)) :]


DAMAGES = _flip, _flip, _number, _number, _remove, _repeat, _cut, _splice


@st.composite
def damaged(draw):
    """A photo with one to three faults; half of the damaged PNGs get right checksums again."""
    content = bytearray(draw(st.sampled_from(whole_files())))
    for damage in draw(st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=3)):
        if content:
            damage(draw, content)
    if content.startswith(PNG) and draw(st.booleans()):
        _mend_checksums(content)
    return bytes(content)


def _mend_checksums(content):
    at = len(PNG)
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4


@dataclass
class Tally:
    """How many damaged files became pictures and sentences, the longest time of one, and the peak memory."""

    pictures: int = 0
    sentences: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def tried(self):
        return self.pictures + self.sentences

    def __add__(self, other):
        longest, largest = max(self.seconds, other.seconds), max(self.megabytes, other.megabytes)
        return Tally(self.pictures + other.pictures, self.sentences + other.sentences, longest, largest)

    def __str__(self):
        return f"{self.pictures:,} pictures, {self.sentences:,} sentences"


class Broken(Exception):
    """A damaged file broke a promise. The message says which one, and where the file is."""


def read_damaged(examples, seed=0):
    """`Tally` of damaged files, read in a process of their own; the same seed gives the same files. Raises Broken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged")
        command = [sys.executable, "-m", "tests.reliability.files", "--damage", str(examples), str(seed), str(path)]
        environment = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": folder}
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if run.returncode:
            kept = Path(tempfile.gettempdir(), f"damaged-{seed}")
            kept.write_bytes(path.read_bytes())
            raise Broken(f"{kept} ended its reader, with {run.returncode}.\n{run.stderr[-2000:]}")
        return Tally(**json.loads(run.stdout))


def _damage(examples, seed, path):
    """The process of `read_damaged`; each file is at `path` while it is read, in case it ends the process."""
    tally, before = Tally(), psutil.Process().memory_info().rss

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=hypothesis.HealthCheck
    )
    @hypothesis.given(damaged(), st.sampled_from((None, 16)))
    def becomes_a_picture_or_a_sentence(content, at_least):
        path.write_bytes(content)
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)  # ends the process after so much CPU time
        signal.alarm(HANG)  # ends it if it only waits
        started = time.process_time()
        try:
            picture = read_photo(content, at_least)
            tally.pictures += 1
            assert picture.mode == "RGB" and picture.width * picture.height <= MAX_PIXELS
        except PhotoError as error:
            tally.sentences += 1
            assert SENTENCE.fullmatch(str(error))
        tally.seconds = max(tally.seconds, time.process_time() - started)
        tally.megabytes = (_peak() - before) / 1e6
        if tally.megabytes > MAX_MEGABYTES:  # stop, because memory used by later files could not be told apart
            print(f"{tally.megabytes:.0f} MB", file=sys.stderr, flush=True)
            os._exit(1)

    becomes_a_picture_or_a_sentence()
    print(json.dumps(asdict(tally)))


# The command.


def run():
    """`Row` of each kind; what went wrong goes to stderr."""
    with Reader() as reader:
        for kind, samples in KINDS.items():
            readings, wrong = [], 0
            for sample in samples():
                readings.append(reader.read(sample))
                if problem := fault(sample, readings[-1]):
                    wrong += 1
                    print(f"{kind}: {sample.what}: {problem}", file=sys.stderr)
            seconds, megabytes = (max(getattr(reading, of) for reading in readings) for of in ("seconds", "megabytes"))
            refused = sum(reading.sentence is not None for reading in readings)
            yield Row(
                kind, len(readings), wrong, seconds, megabytes, f"{len(readings) - refused} read, {refused} refused"
            )


def run_damaged(minutes):
    """A `Row` for photos that hypothesis damages for so many minutes, different ones each time."""
    tally, wrong, end = Tally(), 0, time.monotonic() + 60 * minutes
    for seed in count(int(time.time())):
        if time.monotonic() > end:
            break
        try:
            tally += read_damaged(BATCH, seed)
        except Broken as error:
            print(error, file=sys.stderr)
            wrong += 1
    kind = f"photos damaged at random, for {60 * minutes:g} s"
    return Row(kind, tally.tried + wrong, wrong, tally.seconds, tally.megabytes, str(tally))


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.files", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, help="damage files at random for so long, and nothing else")
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--damage", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        return read_on_order()
    if options.damage:
        examples, seed, path = options.damage
        return _damage(int(examples), int(seed), Path(path))
    for row in [run_damaged(options.minutes)] if options.minutes else run():
        print(
            f"{row.kind}: {row.tried} tried, {row.wrong} wrong, {row.seconds:.1f} s, {row.megabytes:.0f} MB, {row.note}"
        )


if __name__ == "__main__":
    main()
