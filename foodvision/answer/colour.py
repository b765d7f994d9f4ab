"""Converts photos to sRGB by their colour profiles, as browsers do."""

import io
import struct
from contextlib import suppress
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import TiffImageFile

MAX_PROFILE_BYTES = 4_000_000  # the largest printer profiles have 3 MB
UNBOUNDED = b"mpet"  # a tag type with any number of processing steps: browsers ignore it, and each step costs time
GREY, CMYK = ("1", "L", "LA"), ("CMYK",)  # Pillow's modes
SRGB_GAMMA, GAMMA_TOLERANCE = 1 / 2.2, 0.05  # a PNG with only a gamma this close is sRGB
CLOSE_TO_SRGB = 1  # of 255: profiles that change less are not applied
D50 = 0.9642, 1.0, 0.8249  # XYZ of a profile's white
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D65 = 0.3127, 0.329
BT709 = D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)  # x, y of white, red, green and blue
BT601_525 = D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)
PRIMARIES = {  # by code point in ITU-T H.273
    1: BT709,
    5: (D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),  # BT.601, 625 lines
    6: BT601_525,
    7: BT601_525,
    9: (D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),  # BT.2020
    11: ((0.314, 0.351), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),  # DCI P3
    12: (D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),  # Display P3
    22: (D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),  # EBU 3213
}
SRGB_CURVE = 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045  # g, a, b, c, d of ICC's parametric curve 3
CURVES = {4: (2.2,), 5: (2.8,), 8: (1.0,), 13: SRGB_CURVE}  # by code point
VIDEO_CURVES = 1, 6, 11, 14, 15  # code points; Chromium uses a gamma of 2.4 in a PNG, and sRGB's curve in an AVIF
FULL_RANGE_RGB = [0, 1]  # a PNG's matrix and range
PNG_VIDEO_CURVE = (2.4,)
NCLX = b"colrnclx"  # precedes the code points in an AVIF or HEIC
NCLX_WITHIN = 100_000  # bytes from the start of the file
SAMPLE_FORMAT, UNSIGNED = 339, (None, 1, (1,))  # a TIFF tag, and its values that mean unsigned
MAX_OF_UNIT_RANGE = 16  # floats up to this run from 0 to 1, with highlights above; on a scale of 255 they'd be black
MAX_SHARE_OF_HIGHLIGHTS = 0.05  # of the pixels: so many may be above 1, however bright
LEVELS = np.arange(0, 256, 17)
SAMPLE = Image.fromarray(np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS), axis=-1).reshape(64, 64, 3).astype(np.uint8))


def to_eight_bit(photo: Image.Image) -> Image.Image:
    """The photo with greys of 16 or 32 bits scaled to 8; Pillow would clip them at 255."""
    if not photo.mode.startswith("I") and photo.mode != "F":
        return photo
    greys = np.asarray(photo)
    if photo.mode == "I" and isinstance(photo, TiffImageFile) and photo.tag_v2.get(SAMPLE_FORMAT) in UNSIGNED:
        greys = greys.view(np.uint32)  # Pillow reads them as signed
    greys = np.nan_to_num(greys.astype(np.float32), copy=False, nan=0, posinf=0, neginf=0)
    brightest = greys.max()
    if photo.mode == "F" and (brightest <= MAX_OF_UNIT_RANGE or (greys > 1).mean() <= MAX_SHARE_OF_HIGHLIGHTS):
        white = 1
    elif brightest <= 255 and photo.format != "PNG":
        white = 255
    else:
        white = max(65535, brightest)
    greys *= 255 / white
    np.clip(greys, 0, 255, out=greys)
    scaled = Image.fromarray(np.rint(greys, out=greys).astype(np.uint8))
    scaled.info = photo.info
    return scaled


def to_srgb(photo: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an 8-bit picture in any mode to sRGB: RGB, or RGBA if parts are transparent.

    Profiles that are broken or don't fit the picture's mode are ignored, as in browsers.
    """
    with suppress(OSError, ImageCms.PyCMSError, ValueError):
        if opened := _open_profile(profile):
            return _by_profile(photo, opened)
    return _converted(photo)


def _by_profile(photo: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    space = profile.profile.xcolor_space.strip()
    if space == "CMYK" and photo.mode in CMYK:
        return _transform(profile, "CMYK").apply(photo)
    if space == "GRAY" and photo.mode in GREY:
        return _from_grey(photo, profile)
    if space == "RGB" and photo.mode not in CMYK:
        return _from_rgb(_converted(photo), profile)
    return _converted(photo)


def _converted(photo: Image.Image) -> Image.Image:
    return photo.convert("RGBA" if photo.has_transparency_data else "RGB")


def _from_rgb(photo: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    sample = _transform(profile, "RGB").apply(SAMPLE)
    if np.abs(np.asarray(sample, dtype=int) - np.asarray(SAMPLE)).max() > CLOSE_TO_SRGB:
        _transform(profile, photo.mode, photo.mode).apply_in_place(photo)
    return photo


def _from_grey(photo: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    picture = _transform(profile, "L").apply(photo.convert("L"))
    if photo.has_transparency_data:
        picture.putalpha(photo.convert("RGBA").getchannel("A"))
    return picture


def _transform(profile: ImageCms.ImageCmsProfile, mode: str, to: str = "RGB") -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, to)


def _open_profile(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if not profile or len(profile) > MAX_PROFILE_BYTES or UNBOUNDED in profile:
        return None
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def profile_of_png(info: dict[Any, Any], iccp: bytes | None, cicp: bytes | None) -> bytes | None:
    """The ICC profile that a PNG's chunks describe, in order of precedence: cICP, iCCP, sRGB, and gAMA with cHRM."""
    if cicp:
        primaries, transfer, *layout = cicp
        return _of_code_points(primaries, transfer, PNG_VIDEO_CURVE) if layout == FULL_RANGE_RGB else None
    if iccp or "srgb" in info:
        return iccp
    gamma, chromaticity = info.get("gamma"), info.get("chromaticity")
    if not gamma or (not chromaticity and abs(gamma / SRGB_GAMMA - 1) < GAMMA_TOLERANCE):
        return None
    points = tuple(zip(chromaticity[::2], chromaticity[1::2], strict=True)) if chromaticity else BT709
    return make_profile(points, (1 / gamma,))


def profile_of_heif(content: bytes) -> bytes | None:
    """The ICC profile for the code points in an AVIF or HEIC without an embedded profile."""
    at = content.find(NCLX, 0, NCLX_WITHIN) + len(NCLX)
    if at < len(NCLX) or at + 4 > len(content):
        return None
    primaries, transfer = struct.unpack_from(">HH", content, at)
    return _of_code_points(primaries, transfer, SRGB_CURVE)


def _of_code_points(primaries: int, transfer: int, video_curve: tuple[float, ...]) -> bytes | None:
    """None for colours that each browser shows differently, such as HDR."""
    curve = video_curve if transfer in VIDEO_CURVES else CURVES.get(transfer)
    return make_profile(PRIMARIES[primaries], curve) if curve and primaries in PRIMARIES else None


def make_profile(points: tuple[tuple[float, float], ...], curve: tuple[float, ...]) -> bytes | None:
    """An ICC profile for an RGB colour space; None if no such space exists.

    `points` are the x, y of white, red, green and blue. `curve` is a gamma, or the parameters of ICC's curve type 3.
    """
    with suppress(np.linalg.LinAlgError, ZeroDivisionError, struct.error):
        white, *primaries = [np.array([x / y, 1, (1 - x - y) / y]) for x, y in points]
        columns = np.array(primaries).T
        columns = columns * np.linalg.solve(columns, white)
        scale = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
        colorants = (np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ columns).T
        encoded = b"para\0\0\0\0" + struct.pack(">HH", 0 if len(curve) == 1 else 3, 0) + _fixed(*curve)
        tags = {b"wtpt": _xyz(D50)}
        tags |= {name + b"XYZ": _xyz(colorant) for name, colorant in zip((b"r", b"g", b"b"), colorants, strict=True)}
        tags |= {name + b"TRC": encoded for name in (b"r", b"g", b"b")}
        return _assemble(tags)
    return None


def _assemble(tags: dict[bytes, bytes]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content
    kind = struct.pack(">4sI4s4s4s12x4s", b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head = struct.pack(">I", start + len(data)) + kind.ljust(64, b"\0") + _fixed(*D50)
    return head.ljust(128, b"\0") + table + data


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _fixed(*values: float) -> bytes:
    """Numbers in ICC's format: 32-bit fixed point, with 16 fractional bits."""
    return b"".join(struct.pack(">i", round(65536 * float(value))) for value in values)
