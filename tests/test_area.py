"""The page shows the part of a photo that the model reads."""

import numpy as np
import pytest
from PIL import Image

from foodvision.answer.area import area_read
from foodvision.answer.preprocessing import prepare

STEPS = {
    "crop": [{"do": "crop", "size": [256, 256]}],
    "wide crop": [{"do": "crop", "size": [512, 256]}],
    "pad": [{"do": "pad", "size": [256, 256]}],
    "squish": [{"do": "squish", "size": [256, 256]}],
    "crop, then its middle": [{"do": "crop", "size": [320, 320]}, {"do": "center_crop", "size": [256, 256]}],
    "pad, then its middle": [{"do": "pad", "size": [320, 320]}, {"do": "center_crop", "size": [240, 240]}],
}


def gradient(width, height):
    """A photo whose red says how far right a pixel is, and whose green how far down."""
    red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.dstack([red, green, 0 * red]).astype(np.uint8))


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("size", [(300, 400), (400, 300), (320, 320), (900, 300)])
def test_it_is_what_the_preprocessing_leaves(size, steps):
    full = [{"resample": 2, "pad_mode": "border", **step} for step in steps]
    pixels = np.asarray(prepare(gradient(*size), full), dtype=float) / 255
    left, top, right, bottom = area_read(size, steps)
    for start, end, shares in (left, right, pixels[..., 0]), (top, bottom, pixels[..., 1]):
        assert shares.min() == pytest.approx(start, abs=0.05)
        assert shares.max() == pytest.approx(end, abs=0.05)
