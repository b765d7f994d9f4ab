"""BMPs that browsers show but Pillow refuses: bit fields of any layout, and palettes of four colours."""

import struct

import numpy as np
from PIL import Image

from .limits import MAX_PIXELS
from .refusals import TOO_MANY_PIXELS, PhotoError

FILE_HEADER_BYTES = 14
INFO_BYTES, V3_BYTES, V4_BYTES, V5_BYTES = 40, 56, 108, 124  # of the header after it, by version
RAW, BIT_FIELDS, ALPHA_BIT_FIELDS = 0, 3, 6  # compression
MASKS_AT = FILE_HEADER_BYTES + INFO_BYTES
PROFILE_AT = FILE_HEADER_BYTES + 112
EMBEDDED = b"DEBM"  # "MBED" backwards: the V5 header comes with a profile
BLOCK_PIXELS = 1_000_000  # unpacked at a time


def read_bmp(content: bytes) -> Image.Image | None:
    """The picture in a BMP with bit fields or two bits per pixel; None for any other. Raises PhotoError, ValueError."""
    if len(content) < MASKS_AT:
        return None
    offset, header, width, height, depth, compression = struct.unpack_from("<10xIIii2xHI", content)
    size, direction = (width, abs(height)), 1 if height < 0 else -1
    masks = _masks(content, header, depth, compression)
    if header < INFO_BYTES or not (masks or (depth, compression) == (2, RAW)):
        return None
    if width * abs(height) > MAX_PIXELS:
        raise PhotoError(TOO_MANY_PIXELS)
    stride = (width * depth + 31) // 32 * 4
    if masks:
        start = max(offset, FILE_HEADER_BYTES + header + (4 * len(masks) if header == INFO_BYTES else 0))
        picture = _from_bit_fields(content[start:], size, depth, stride, masks)
        return picture if direction == 1 else picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture = Image.frombytes(
        "P", size, content[offset : offset + stride * abs(height)], "raw", "P;2", stride, direction
    )
    picture.putpalette(content[FILE_HEADER_BYTES + header :][:16], "BGRX")
    return picture


def read_profile(content: bytes) -> bytes | None:
    """The ICC profile in a BMP, if it has one."""
    header = content[FILE_HEADER_BYTES : FILE_HEADER_BYTES + V5_BYTES]
    if len(header) < V5_BYTES or header[0] < V5_BYTES or header[56:60] != EMBEDDED:
        return None
    start, length = struct.unpack_from("<II", content, PROFILE_AT)
    return content[FILE_HEADER_BYTES + start :][:length]


def _masks(content: bytes, header: int, depth: int, compression: int) -> list[int]:
    """Bit masks of red, green, blue and possibly alpha; empty if Pillow reads the file correctly."""
    with_alpha = header >= V3_BYTES or compression == ALPHA_BIT_FIELDS
    masks = list(struct.unpack_from("<4I", content.ljust(MASKS_AT + 16, b"\0"), MASKS_AT)[: 4 if with_alpha else 3])
    if depth in (16, 32) and compression in (BIT_FIELDS, ALPHA_BIT_FIELDS):
        return masks
    if depth == 32 and compression == RAW and header >= V4_BYTES and masks[3]:
        return masks
    return []


def _from_bit_fields(content: bytes, size: tuple[int, int], depth: int, stride: int, masks: list[int]) -> Image.Image:
    """Unpack a few rows at a time, to keep the copies small."""
    width, height = size
    if not masks[-1]:
        masks = masks[:3]
    pixels = np.empty((height, width, len(masks)), np.uint8)
    rows = np.ndarray((height, stride // (depth // 8)), f"<u{depth // 8}", content)  # raises TypeError if cut short
    channels = [_channel(mask) for mask in masks]
    step = max(1, BLOCK_PIXELS // max(1, width))
    for top in range(0, height, step):
        block = rows[top : top + step, :width]
        for channel, (mask, shift, levels) in enumerate(channels):
            pixels[top : top + step, :, channel] = levels[(block & mask) >> shift]
    return Image.fromarray(pixels)


def _channel(mask: int) -> tuple[int, int, np.ndarray]:
    """For one channel: its bits, how far to shift them, and the level (0 to 255) for each value."""
    if not mask:
        return 0, 0, np.zeros(1, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    bits = (mask >> shift).bit_length()
    if mask >> shift != (1 << bits) - 1:
        raise ValueError("A colour's bits are not contiguous.")
    if bits > 8:  # the lower ones make no difference
        shift, bits = shift + bits - 8, 8
    return ((1 << bits) - 1) << shift, shift, np.rint(np.linspace(0, 255, 1 << bits)).astype(np.uint8)
