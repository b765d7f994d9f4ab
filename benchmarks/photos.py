"""Drawn photos, the same each time, as large as those from cameras and websites."""

import bisect
import io
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path("build") / "bench" / "photos"
SIZES = {"small": (900, 675, 100e3), "4 MB": (4000, 3000, 4e6), "12 MB": (4000, 3000, 12e6)}
GRAIN = range(1, 129)  # standard deviations, in levels of 255


def photo(name, number=0):
    """Path of a photo with the size `SIZES[name]`; another `number` gives a different picture of the same size."""
    path = FOLDER / f"{name} {number}.jpg"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_photo(*SIZES[name], number))
    return path


def draw_photo(width, height, size, seed=0):
    """Bytes of a JPEG: soft colours under sensor-like grain, just strong enough for a file of at least `size` bytes."""
    random = np.random.default_rng(seed)
    colours = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    soft = np.asarray(colours.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = random.standard_normal((height, width, 3), dtype=np.float32)

    def jpeg(deviation):
        file = io.BytesIO()
        pixels = (soft + deviation * grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(file, "JPEG", quality=92)
        return file.getvalue()

    return jpeg(GRAIN[bisect.bisect_left(GRAIN, size, key=lambda deviation: len(jpeg(deviation)))])


def photo_folder(path, count, classes=1):
    """Fill the folder `path` with `count` different small photos, spread over `classes` subfolders."""
    for number in range(count):
        copy = Path(path) / f"class {number % classes}" / f"{number}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            copy.write_bytes(draw_photo(512, 384, 40e3, number))
    return Path(path)
