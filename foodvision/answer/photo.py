"""Reading a photo: whatever a phone or a camera writes, to one upright RGB picture."""

import io
import math
import os
import struct
import sys
import warnings
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from time import thread_time

import numpy as np
import pillow_heif
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import ImageFileDirectory_v2

if sys.platform == "linux":
    import resource

FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
# Pillow's names of them; it has forty decoders more, which are out of reach.
DECODERS = "JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "TIFF"
for plugin in ("Jpeg", "Png", "WebP", "Avif", "Gif", "Bmp", "Tiff"):
    import_module(f"PIL.{plugin}ImagePlugin")
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

LARGE, MAX_PIXELS = 12_000_000, 50_000_000  # a photo of most phones, and what is refused
MAX_FILE_BYTES = 300_000_000  # MAX_PIXELS in colours of 16 bits, uncompressed
# What no file of 30 MB (`page.MAX_BYTES`) takes more of, to become a picture or a sentence:
SECONDS = 10  # of processor time
MEGABYTES = 900  # besides the file's own; `python -m tests.reliability.files` tries both
PATIENCE, MAX_READS = SECONDS / 2, 1_000_000  # seconds, and reads, after which a decoder gets no more of the file
BLOCK = 4096  # bytes that a decoder gets at once: 64 KiB can hold a thousand layers of a JPEG, seconds of work
EXIF = b"Exif\0\0"  # how it begins in a JPEG, once in each segment of at most 64 KiB
MAX_EXIF_BYTES = 2_000_000
MAX_ENTRIES = 65_535  # in a directory of a TIFF; only a BigTIFF could have more
MAX_NUMBERS = 1_000_000  # in the tags of a TIFF, each of which Pillow makes an object; two for each strip or tile
_TIFF_SIDES = (256, 322), (257, 323)  # tags: width and length of the picture, and of its tiles
_TIFF_OFFSETS, _TIFF_SIZES = (324, 273), (325, 279)  # tags: of the tiles, and of the strips
_TIFF_DIRECTORIES = 34665, 34853, 40965  # tags: EXIF, GPS, interoperability
_TIFF_BYTES = 1, 2, 6, 7  # types of which Pillow makes one object

TOO_LARGE = "This picture has too many pixels. Try a smaller copy."
TOO_SLOW = "This photo takes too long to read. Try to save it again, as a JPEG."
DAMAGED = "This photo is damaged or cut short. Try to save or send it again."


class PhotoError(ValueError):
    """The file is no photo that can be read; its text is a sentence for the person who chose it."""


def read_photo(source, at_least=None):
    """Upright RGB `PIL.Image` from bytes, a path, a binary file or another `PIL.Image`.

    An animation gives its first frame; transparent parts become white; nothing else that is in the file comes along,
    no profile and no comment. Where `at_least` (pixels) is given, a large JPEG is decoded at 1/2, 1/4 or 1/8 scale
    (`Image.draft`), and any photo of more than `LARGE` pixels is made small at once, as long as both sides stay at
    least that long. Raises PhotoError for what is not a photo, is cut short, decodes to more than `MAX_PIXELS`, or
    would take more than `SECONDS` or `MEGABYTES`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large or slightly broken files; the limit is checked below
            picture = _rgb(_upright(_decoded(_open(source), at_least)))
    except PhotoError:
        raise
    except Image.DecompressionBombError as error:
        raise PhotoError(TOO_LARGE) from error
    except MemoryError as error:
        raise PhotoError("This picture needs more memory than there is here. Try a smaller copy.") from error
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        raise PhotoError(DAMAGED) from error
    picture.info = {}
    return picture


def _open(source):
    if isinstance(source, Image.Image):
        _check_size(source)
        return source.copy()
    content = _content(source)
    if len(content) > MAX_FILE_BYTES:
        raise PhotoError("This file is too large. Try a smaller copy.")
    file = _Rationed(content)
    if _begins_as("TIFF", content):
        _check_tiff(file)
    if _begins_as("JPEG", content) and file.getvalue().count(EXIF) > MAX_EXIF_BYTES // 2**16:
        raise PhotoError(DAMAGED)
    try:
        return Image.open(file, formats=DECODERS)
    except Image.UnidentifiedImageError as error:
        if any(_begins_as(name, content) for name in DECODERS):
            raise PhotoError(DAMAGED) from error
        raise PhotoError(f"This is not a photo that can be read here. Try a {FORMATS} file.") from error


def _begins_as(name, content):
    _, accepts, *_ = Image.OPEN[name]
    return accepts(bytes(content[:16]))


def _content(source):
    if isinstance(source, (bytes, bytearray, memoryview)):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _file_content(source)
    with suppress(AttributeError, io.UnsupportedOperation):
        source.seek(0)
    return source.read(MAX_FILE_BYTES + 1)


def _file_content(path):
    if os.path.isdir(path):
        raise PhotoError("This is a folder, not a photo. Choose a photo in it.")
    if not os.path.isfile(path):  # a pipe would never end
        raise PhotoError("There is no such file. Check its name.")
    try:
        with open(path, "rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PhotoError("This file cannot be opened. Check that you may read it.") from error


def _check_tiff(file):
    """Pillow makes objects of all the numbers in a TIFF's tags, and libtiff reads its strips or tiles by itself: they
    may be the same bytes again and again, or reach far beyond the picture.
    """
    header = file.read(8)
    tags = ImageFileDirectory_v2(header + file.read(8) if header[2] == 43 else header)  # 43: BigTIFF
    order = "<" if tags.prefix == b"II" else ">"
    if _count_numbers(file.getvalue(), tags.next, order, big=header[2] == 43) > MAX_NUMBERS:
        raise PhotoError(DAMAGED)
    file.seek(tags.next)
    tags.load(file)
    of_tiles, of_strips = _TIFF_SIZES
    if sum(tags.get(of_tiles) or tags[of_strips]) > 2 * len(file.getbuffer()):
        raise PhotoError(DAMAGED)
    sides = ((tags[side], tags.get(tile, 1)) for side, tile in _TIFF_SIDES)
    if math.prod(math.ceil(side / tile) * tile for side, tile in sides) > 2 * MAX_PIXELS:
        raise PhotoError(TOO_LARGE)


def _count_numbers(content, at, order, big, depth=0):
    """Of a TIFF's directory at an offset, and of those it points to: those that Pillow reads where one is cut short."""
    if at + 8 > len(content):
        return 0
    entry = struct.Struct(order + ("HHQQ" if big else "HHLL"))
    (entries,) = struct.unpack_from(order + ("Q" if big else "H"), content, at)
    if entries > MAX_ENTRIES:
        raise PhotoError(DAMAGED)
    start = at + (8 if big else 2)
    end = start + min(entries, (len(content) - start) // entry.size) * entry.size
    numbers, directories = 0, {}
    for tag, kind, count, value in entry.iter_unpack(content[start:end]):
        if tag in _TIFF_DIRECTORIES:
            directories.setdefault(tag, value)
        if (kind not in _TIFF_BYTES or tag in _TIFF_OFFSETS) and count <= len(content):
            numbers += count
    if depth < len(_TIFF_DIRECTORIES):
        numbers += sum(_count_numbers(content, at, order, big, depth + 1) for at in directories.values())
    return numbers


class _Rationed(io.BytesIO):
    """A file that ends the patience with decoders: each loop over the parts of a file reads at every turn."""

    def __init__(self, content):
        super().__init__(content)
        self._reads, self._deadline = 0, thread_time() + PATIENCE

    def read(self, size=-1):
        self._reads += 1
        if self._reads > MAX_READS or thread_time() > self._deadline:
            raise PhotoError(TOO_SLOW)
        return super().read(size)


def _decoded(photo, at_least):
    """Made small before anything else is done to it: each step holds a copy, and a visitor's kernel must stay small."""
    if at_least and photo.format in ("JPEG", "MPO") and not (_too_large(photo) and _in_layers(photo)):
        photo.draft("RGB", (at_least, at_least))
    _check_size(photo)
    photo.decodermaxblock = BLOCK
    with _memory_capped() if photo.format == "AVIF" else nullcontext():
        photo.load()
    scale = min(photo.size) // at_least if at_least and photo.width * photo.height > LARGE else 1
    return _reduced(photo, scale) if scale > 1 else photo


@contextmanager
def _memory_capped():
    """Gives the process `MEGABYTES` more and no others, on Linux: the stream in an AVIF may be larger than the file
    says, and its decoder takes up to 268 megapixels of 12 bits.
    """
    if sys.platform != "linux":
        yield
        return
    with _capping:
        limits = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[5])
        cap = pages * resource.getpagesize() + MEGABYTES * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (cap if soft == resource.RLIM_INFINITY else min(cap, soft), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, limits)


_capping = Lock()  # for the whole process has one cap


def _check_size(photo):
    if _too_large(photo):
        raise PhotoError(f"This picture is {photo.width} x {photo.height} pixels, too large. Try a smaller copy.")


def _too_large(photo):
    return photo.width * photo.height > MAX_PIXELS


def _in_layers(photo):
    """Whether a JPEG's scans have some of the colours, or bits, each: all are held in full, at whatever scale."""
    content = photo.fp.getvalue()
    partial_scans = (b"\xff\xda\x00" + bytes((6 + 2 * colours, colours)) for colours in range(1, photo.layers))
    return "progressive" in photo.info or any(scan in content for scan in partial_scans)


def _reduced(photo, scale):
    if photo.mode in ("1", "P", "PA"):
        photo = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    return photo.reduce(scale) if photo.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else photo


def _upright(photo):
    if len(photo.info.get("exif") or b"") > MAX_EXIF_BYTES:
        return photo
    with suppress(Exception):  # a photo with broken EXIF is still a photo
        ImageOps.exif_transpose(photo, in_place=True)
    return photo


def _rgb(photo):
    if photo.mode.startswith("I") or photo.mode == "F":
        photo = _eight_bit(photo)
    if not photo.has_transparency_data:
        return photo.convert("RGB")
    photo = photo.convert("RGBA")
    picture = Image.new("RGB", photo.size, "white")
    picture.paste(photo, mask=photo)
    return picture


def _eight_bit(photo):
    """Pillow clips 16-bit greys at 255 instead of scaling them."""
    greys = np.array(photo, dtype=np.float32)
    brightest = 255 if greys.max() <= 255 else max(65535, greys.max())
    np.clip(greys, 0, None, out=greys)
    greys *= 255 / brightest
    return Image.fromarray(np.rint(greys, out=greys).astype(np.uint8))
