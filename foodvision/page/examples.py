"""Pictures that visitors can try: the files in the folder `examples` beside the model."""

import io
import os
import re
from base64 import b64encode
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps

from ..locate import find_model

SETTING = "FOODVISION_EXAMPLES"  # names another folder
FOLDER = "examples"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
MAX_EXAMPLES = 12
MAX_BYTES = 5_000_000  # of a file, which each visitor's browser loads if they choose it
THUMBNAIL = 144, 144  # pixels: twice what the page shows, for sharp screens
THUMBNAIL_QUALITY = 60
ORDER = re.compile(r"^\d+[ _.-]+")  # "2-" in "2-drawn-steak.webp"


def find_examples() -> dict[str, Path]:
    """The examples by name, in the order of their files: `2-drawn-steak.webp` comes second, as "Drawn steak"."""
    setting = os.environ.get(SETTING)
    folder = Path(setting) if setting else find_model().parent / FOLDER
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    pictures = [file for file in files if file.suffix.lower() in SUFFIXES and file.stat().st_size <= MAX_BYTES]
    return {_name(file): file for file in pictures[:MAX_EXAMPLES]}


def list_examples() -> list[dict[str, str]]:
    """Name and thumbnail (a data URI) of each example. Files that are no pictures are left out."""
    drawn = {name: _thumbnail(file, file.stat().st_mtime_ns) for name, file in find_examples().items()}
    return [{"name": name, "thumbnail": thumbnail} for name, thumbnail in drawn.items() if thumbnail]


def read_example(name: object) -> bytes | None:
    """The file of an example; None if there is none of that name."""
    file = find_examples().get(name) if isinstance(name, str) else None
    return file.read_bytes() if file else None


def _name(file: Path) -> str:
    words = re.sub(r"[_-]+", " ", ORDER.sub("", file.stem)).strip() or file.stem
    return words[:1].upper() + words[1:]


@lru_cache(maxsize=2 * MAX_EXAMPLES)
def _thumbnail(file: Path, modified_ns: int) -> str:
    content = io.BytesIO()
    try:
        with Image.open(file) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):  # the owner sees that it is missing
        return ""
    ImageOps.fit(upright, THUMBNAIL).save(content, "WEBP", quality=THUMBNAIL_QUALITY, method=6)
    return f"data:image/webp;base64,{b64encode(content.getvalue()).decode()}"
