"""Pictures that visitors can try: image files in the folder `examples` beside the notebook."""

import base64
import io
import os
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps

SETTING = "FOODVISION_EXAMPLES"  # names another folder; the server names the notebook's, where its kernels run
KINDS = {".jpg", ".jpeg", ".png", ".webp"}
THUMBNAIL = 144  # pixels, of a side: twice what the page shows, for sharp screens
MAX_EXAMPLES = 8  # more would make the page slow to open


def list_examples() -> list[dict[str, str]]:
    """Name and thumbnail (a data URL) of each example, by name. Files that are no pictures are left out."""
    files = sorted(path for path in _folder().glob("*") if path.suffix.lower() in KINDS)[:MAX_EXAMPLES]
    thumbnails = {path.name: _thumbnail(path, path.stat().st_mtime_ns) for path in files}
    return [{"name": name, "thumbnail": thumbnail} for name, thumbnail in thumbnails.items() if thumbnail]


def read_example(name: object) -> bytes | None:
    """The file of an example; None if there is none of that name."""
    names = [example["name"] for example in list_examples()]
    return (_folder() / str(name)).read_bytes() if name in names else None


def _folder() -> Path:
    return Path(os.environ.get(SETTING, "examples"))


@lru_cache(maxsize=MAX_EXAMPLES)
def _thumbnail(path: Path, modified_ns: int) -> str:
    try:
        with Image.open(path) as picture:
            small = ImageOps.fit(ImageOps.exif_transpose(picture).convert("RGB"), (THUMBNAIL, THUMBNAIL))
    except (OSError, ValueError, Image.DecompressionBombError):
        return ""
    file = io.BytesIO()
    small.save(file, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
