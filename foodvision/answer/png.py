"""PNGs that browsers show but Pillow refuses, and the chunks that Pillow doesn't read."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DEPTH_AT = 24  # offset of the bit depth
MAX_CHUNKS = 100_000  # to look through; the largest photo in chunks of 8 KB has half as many
# Chunks that describe the pixels, and the length of each; None if it varies.
USEFUL = {b"tRNS": None, b"eXIf": None, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4}


def mend(content: bytes) -> bytes:
    """The PNG without chunks that decoders may ignore: those with a wrong checksum, text, profiles and animation."""
    kept = [SIGNATURE]
    for kind, start, end in _chunks(content):
        critical = not kind[0] & 0x20
        if critical or _is_useful(kind, content[start:end]):
            kept.append(content[start:end])
    return b"".join(kept)


def read_chunk(content: bytes, wanted: bytes) -> bytes | None:
    """Data of the first chunk of this kind, if it comes before the pixels and its checksum is right."""
    for kind, start, end in _chunks(content):
        if kind == b"IDAT":
            return None
        if kind == wanted and _is_right(content[start:end]):
            return content[start + 8 : end - 4]
    return None


def read_profile(content: bytes, max_bytes: int) -> bytes | None:
    """The ICC profile in a PNG, unless it is broken or larger than `max_bytes`."""
    _, _, compressed = (read_chunk(content, b"iCCP") or b"").partition(b"\0")
    if compressed[:1] != b"\0":  # the only compression method there is
        return None
    try:
        profile = zlib.decompressobj().decompress(compressed[1:], max_bytes + 1)
    except zlib.error:
        return None
    return profile if len(profile) <= max_bytes else None


def in_eight_bits(transparent: object, mode: str, depth: int) -> object:
    """A PNG's transparent colour in 8 bits, like its pixels; Pillow leaves it in `depth` bits."""
    if isinstance(transparent, tuple) and depth == 16:
        return tuple(level >> 8 for level in transparent)
    if isinstance(transparent, int) and mode in ("L", "I;16"):
        return round(transparent * 255 / (2**depth - 1))
    return transparent


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each chunk."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(content):
            return
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, at, min(at + 12 + length, len(content))
        at += 12 + length


def _is_useful(kind: bytes, chunk: bytes) -> bool:
    return kind in USEFUL and USEFUL[kind] in (None, len(chunk) - 12) and _is_right(chunk)


def _is_right(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
