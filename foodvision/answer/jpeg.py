"""JPEGs: which ones can be read, and what their decoder would keep in memory."""

import struct

from PIL import JpegImagePlugin

from .refusals import DAMAGED, PhotoError, cannot_be_read

EXIF = b"Exif\0\0"  # how it begins in a JPEG, once in each segment of at most 64 KiB
MAX_EXIF_SEGMENTS = 30
MAX_SEGMENTS = 10_000  # that are looked through before the picture
MARKER, SCAN = 0xFF, 0xDA
FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA}  # markers of the kinds of JPEG that the decoder has
OTHER_FRAMES = {0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF}
BITS, COLOURS = 8, (1, 3, 4)


def check_jpeg(content: bytes) -> None:
    """Raise PhotoError for a JPEG of a kind that can't be read, or with more EXIF than there is time for."""
    if content.count(EXIF) > MAX_EXIF_SEGMENTS:
        raise PhotoError(DAMAGED)
    marker, bits, colours = _frame(content)
    if marker in OTHER_FRAMES or (marker in FRAMES and (bits != BITS or colours not in COLOURS)):
        raise PhotoError(cannot_be_read("JPEG with an unusual kind of pixels"))


def count_coefficients(photo: JpegImagePlugin.JpegImageFile) -> float:
    """How many numbers the decoder keeps, at any scale, of a JPEG whose scans hold some of the colours or bits each."""
    content = photo.fp.getvalue()  # type: ignore[union-attr]  # it is a RationedFile
    partial_scans = (b"\xff\xda\x00" + bytes((6 + 2 * colours, colours)) for colours in range(1, photo.layers))
    if "progressive" not in photo.info and not any(scan in content for scan in partial_scans):
        return 0
    sampling = [across * down for _, across, down, _ in photo.layer]
    return photo.width * photo.height * sum(sampling) / max(sampling)


def _frame(content: bytes) -> tuple[int, int, int]:
    """Marker, bits and number of colours of the picture; zeros if its header is damaged."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        if at + 10 > len(content) or content[at] != MARKER or content[at + 1] == SCAN:
            break
        if content[at + 1] in FRAMES | OTHER_FRAMES:
            return content[at + 1], content[at + 4], content[at + 9]
        filler = content[at + 1] == MARKER
        at += 1 if filler else 2 + struct.unpack_from(">H", content, at + 2)[0]
    return 0, 0, 0
