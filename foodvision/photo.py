"""Reading a photo: whatever a phone or a camera writes, to one upright RGB picture."""

import io
import os
import warnings

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()

LARGE, MAX_PIXELS = 12_000_000, 50_000_000  # a photo of most phones, and what is refused
FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"


class PhotoError(ValueError):
    """The file is no photo that can be read; its text is a sentence for the person who chose it."""


def read_photo(source, at_least=None):
    """Upright RGB `PIL.Image` from bytes, a path, a binary file or another `PIL.Image`.

    An animation gives its first frame; transparent parts become white. Where `at_least` (pixels) is given, a large
    JPEG is decoded at 1/2, 1/4 or 1/8 scale (`Image.draft`), and any photo of more than `LARGE` pixels is made small at
    once, as long as both sides stay at least that long. Raises PhotoError for what is not a photo, is cut short, or
    decodes to more than `MAX_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large or slightly broken files; the limit is checked below
            return _rgb(_upright(_decoded(_open(source), at_least)))
    except PhotoError:
        raise
    except Image.UnidentifiedImageError as error:
        raise PhotoError(f"This is not a photo that can be read here. Try a {FORMATS} file.") from error
    except Image.DecompressionBombError as error:
        raise PhotoError("This picture has too many pixels. Try a smaller copy.") from error
    except FileNotFoundError as error:
        raise PhotoError("There is no such file.") from error
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        raise PhotoError("This photo is damaged or cut short. Try to save or send it again.") from error


def _open(source):
    if isinstance(source, Image.Image):
        return source.copy()
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        raise PhotoError("This is a folder, not a photo.")
    return Image.open(source)


def _decoded(photo, at_least):
    """Made small before anything else is done to it: each step holds a copy, and a visitor's kernel must stay small."""
    if at_least:
        photo.draft("RGB", (at_least, at_least))
    if photo.width * photo.height > MAX_PIXELS:
        raise PhotoError(f"This picture is {photo.width} x {photo.height} pixels, too large. Try a smaller copy.")
    photo.load()
    scale = min(photo.size) // at_least if at_least and photo.width * photo.height > LARGE else 1
    return photo.reduce(scale) if scale > 1 and photo.mode in ("L", "RGB", "RGBA", "CMYK") else photo


def _upright(photo):
    try:
        return ImageOps.exif_transpose(photo)
    except Exception:  # a photo with broken EXIF is still a photo
        return photo


def _rgb(photo):
    if photo.mode.startswith("I") or photo.mode == "F":
        photo = _eight_bit(photo)
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        white = Image.new("RGBA", photo.size, "white")
        photo = Image.alpha_composite(white, photo)
    return photo.convert("RGB")


def _eight_bit(photo):
    """Pillow clips 16-bit greys at 255 instead of scaling them."""
    greys = np.asarray(photo, dtype=np.float32)
    brightest = 255 if greys.max() <= 255 else max(65535, greys.max())
    return Image.fromarray((greys.clip(0) * (255 / brightest)).round().astype(np.uint8))
