"""Turns photos upright as browsers do, so the page and the command see the same picture."""

import struct

from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
SHORT = 3  # its type
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Browsers ignore EXIF in WebP, and Pillow turns TIFFs by itself.
NOT_BY_EXIF = {"WEBP", "TIFF"}
# Places where Pillow looks for an orientation and browsers don't.
NOT_IN_BROWSERS = "xmp", "XML:com.adobe.xmp", "Raw profile type exif"


def exif_of(photo: Image.Image) -> bytes:
    """The EXIF that browsers obey, in a photo that was opened but not loaded. Makes Pillow ignore any other."""
    for name in NOT_IN_BROWSERS:
        photo.info.pop(name, None)
    return b"" if photo.format in NOT_BY_EXIF else photo.info.get("exif") or b""


def upright(photo: Image.Image, exif: bytes) -> Image.Image:
    """The photo, turned upright as its EXIF says."""
    turn = TURNS.get(read_orientation(exif))
    return photo if turn is None else photo.transpose(turn)


def read_orientation(exif: bytes) -> int:
    """The orientation in EXIF, 1 to 8; 1 if it is missing or broken."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if not order:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(entries):
            tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * entry)
            if (tag, kind, count) == (ORIENTATION, SHORT, 1):
                return value if value in TURNS else 1
    except struct.error:  # the EXIF is cut short
        pass
    return 1
