"""The page shows the part of a photo that the model reads."""

import numpy as np
import pytest
from PIL import Image

from foodvision.answer.area import area_read
from foodvision.answer.preprocessing import prepare

STEPS = {
    "crop": [{"do": "crop", "size": [32, 32]}],
    "wide crop": [{"do": "crop", "size": [64, 32]}],
    "pad": [{"do": "pad", "size": [32, 32]}],
    "squish": [{"do": "squish", "size": [32, 32]}],
    "crop, then its middle": [{"do": "crop", "size": [40, 40]}, {"do": "center_crop", "size": [32, 32]}],
    "pad, then its middle": [{"do": "pad", "size": [40, 40]}, {"do": "center_crop", "size": [30, 30]}],
}


def gradient(width, height):
    """A photo whose red says how far right a pixel is, and whose green how far down."""
    red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.dstack([red, green, 0 * red]).astype(np.uint8))


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("size", [(300, 400), (400, 300), (320, 320), (900, 300)])
def test_it_is_what_the_preprocessing_leaves(size, steps):
    full = [{"resample": 2, "pad_mode": "zeros", **step} for step in steps]
    pixels = np.asarray(prepare(gradient(*size), full), dtype=float) / 255
    left, top, right, bottom = area_read(size, steps)
    seen = pixels[pixels.sum(axis=2) > 0.02]  # padding is black
    for start, end, shares in (left, right, seen[:, 0]), (top, bottom, seen[:, 1]):
        assert shares.min() == pytest.approx(start, abs=0.05)
        assert shares.max() == pytest.approx(end, abs=0.05)
