"""Checks which TIFFs can be read, and which would take too much time or memory."""

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .limits import MAX_PIXELS, RationedFile
from .refusals import CAMERA_RAW, DAMAGED, TOO_MANY_PIXELS, PhotoError, cannot_be_read

MAX_ENTRIES = 65_535  # in a directory; only a BigTIFF could have more
MAX_NUMBERS = 1_000_000  # in all tags: each becomes a Python object, and each strip or tile has two
MAX_SUBPICTURES = 16  # to look at
BIG_TIFF = 43

COMPRESSION, PHOTOMETRIC, SUBPICTURES, DNG_VERSION = 259, 262, 330, 50706  # tags
SIDES = (256, 322), (257, 323)  # tags: width and length, each of the picture and of its tiles
OFFSETS, SIZES = (324, 273), (325, 279)  # tags: each of the tiles and of the strips
DIRECTORIES = 34665, 34853, 40965  # tags: EXIF, GPS, interoperability
SINGLE_OBJECT = 1, 2, 6, 7  # types that Pillow keeps as one object, however long
SHORT, LONG = 3, 4  # types

READABLE = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34925, 50000}  # compressions that Pillow's libtiff supports
UNREADABLE = {
    32766: "NeXT",
    32809: "ThunderScan",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34712: "JPEG 2000",
    34715: "JBIG2",
    34718: "MODI",
    34887: "LERC",
    34892: "lossy JPEG",
    34933: "PNG",
    34934: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
RAW_COMPRESSIONS = {32767, 32769, 32770, 32772, 34713, 65000, 65535}  # Sony, Epson, Samsung, Nikon, Kodak, Pentax
RAW_PHOTOMETRICS = {32803, 34892}  # colour filter array, linear raw


class Entry(NamedTuple):
    """A tag in a directory: its type, how many numbers it has, and the number itself or the offset of the numbers."""

    tag: int
    kind: int
    numbers: int
    value: int


def check_tiff(file: RationedFile) -> None:
    """Raise PhotoError for a TIFF that can't be read or would take too much time or memory.

    Pillow turns every number in a TIFF's tags into an object. libtiff reads the strips or tiles by itself, which may
    repeat the same bytes over and over, or reach far beyond the picture.
    """
    header = file.read(8)
    tags = ImageFileDirectory_v2(header + file.read(8) if header[2] == BIG_TIFF else header)
    directory = _Directory(file.getvalue(), "<" if tags.prefix == b"II" else ">", big=header[2] == BIG_TIFF)
    if directory.count_numbers(tags.next) > MAX_NUMBERS:
        raise PhotoError(DAMAGED)
    _refuse_other_kinds(directory, tags.next)
    file.seek(tags.next)
    tags.load(file)
    of_tiles, of_strips = SIZES
    if sum(tags.get(of_tiles) or tags[of_strips]) > 2 * len(file.getbuffer()):
        raise PhotoError(DAMAGED)
    sides = ((tags[side], tags.get(tile, 1)) for side, tile in SIDES)
    if math.prod(math.ceil(side / tile) * tile for side, tile in sides) > 2 * MAX_PIXELS:
        raise PhotoError(TOO_MANY_PIXELS)


def _refuse_other_kinds(directory: "_Directory", start: int) -> None:
    """Many raw files begin with a small preview, and have the raw picture among its subpictures."""
    first = directory.values(start)
    if DNG_VERSION in first or any(map(_is_raw, [first, *map(directory.values, directory.subpictures(start))])):
        raise PhotoError(CAMERA_RAW)
    compression = first.get(COMPRESSION, 1)
    if compression not in READABLE:
        name = UNREADABLE.get(compression, "an unusual")
        raise PhotoError(cannot_be_read(f"TIFF with {name} compression"))


def _is_raw(values: dict[int, int]) -> bool:
    return values.get(PHOTOMETRIC) in RAW_PHOTOMETRICS or values.get(COMPRESSION) in RAW_COMPRESSIONS


class _Directory:
    """A TIFF's directories, read with care: they may be cut short or point anywhere."""

    def __init__(self, content: bytes, order: str, big: bool) -> None:
        self.content, self.big, self.order = content, big, order
        self.entry = struct.Struct(order + ("HHQQ" if big else "HHLL"))

    def entries(self, start: int) -> Iterator[Entry]:
        """The entries of the directory at an offset, as far as the file goes."""
        if start + 8 > len(self.content):
            return
        (count,) = struct.unpack_from(self.order + ("Q" if self.big else "H"), self.content, start)
        if count > MAX_ENTRIES:
            raise PhotoError(DAMAGED)
        start += 8 if self.big else 2
        end = start + min(count, (len(self.content) - start) // self.entry.size) * self.entry.size
        yield from map(Entry._make, self.entry.iter_unpack(self.content[start:end]))

    def count_numbers(self, start: int, depth: int = 0) -> int:
        """How many numbers Pillow would turn into objects, in a directory and those it points to."""
        numbers = 0
        directories: dict[int, int] = {}
        for tag, kind, count, value in self.entries(start):
            if tag in DIRECTORIES:
                directories.setdefault(tag, value)
            if (kind not in SINGLE_OBJECT or tag in OFFSETS) and count <= len(self.content):
                numbers += count
        if depth < len(DIRECTORIES):
            numbers += sum(self.count_numbers(value, depth + 1) for value in directories.values())
        return numbers

    def values(self, start: int) -> dict[int, int]:
        """The value of each tag that holds a single SHORT or LONG, and 0 for other tags."""
        return {entry.tag: self._value(entry) for entry in self.entries(start)}

    def subpictures(self, start: int) -> list[int]:
        """Offsets of the directories of a picture's subpictures."""
        for tag, _, count, value in self.entries(start):
            if tag != SUBPICTURES:
                continue
            if count == 1:
                return [value]
            size = 8 if self.big else 4
            count = max(0, min(count, MAX_SUBPICTURES, (len(self.content) - value) // size))
            return list(struct.unpack_from(f"{self.order}{count}{'Q' if self.big else 'L'}", self.content, value))
        return []

    def _value(self, entry: Entry) -> int:
        if entry.kind not in (SHORT, LONG) or entry.numbers != 1:
            return 0
        if entry.kind == SHORT and self.order == ">":  # it is in the first bytes of the field
            return entry.value >> (48 if self.big else 16)
        return entry.value & (0xFFFF if entry.kind == SHORT else 0xFFFFFFFF)
