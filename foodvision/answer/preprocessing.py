"""Repeats what fastai's item transforms do to a validation photo, without fastai.

The model's metadata lists the steps. Each is a dictionary: `do` names the step, and `size` (width, height) is the size
of its result. The arithmetic, including truncation, is that of `Resize`, `CropPad` and `RandomResizedCrop` in
`fastai.vision.augment` 2.8.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

MAX_PADDED_SIDE = 8192  # pixels, of a picture before padding
PAD_MODES = {"zeros": "constant", "border": "edge", "reflection": "reflect"}

Step = dict[str, Any]


def to_pixels(picture: Image.Image, steps: list[Step], mean: list[float], std: list[float]) -> np.ndarray:
    """An upright RGB picture, resized, cropped and normalised: array (channels, height, width) of float32."""
    scaled_mean, scaled_std = (255 * np.array(statistic, dtype=np.float32) for statistic in (mean, std))
    pixels = np.asarray(prepare(picture, steps), dtype=np.float32)
    return ((pixels - scaled_mean) / scaled_std).transpose(2, 0, 1)


def prepare(picture: Image.Image, steps: list[Step]) -> Image.Image:
    """An upright RGB picture after the given steps."""
    for step in steps:
        picture = _STEPS[step["do"]](picture, step)
    return picture


def _resize_crop(picture: Image.Image, step: Step) -> Image.Image:
    """Cut out the largest centred part with the right proportions, and resize it."""
    return _cut_and_resize(picture, step, min)


def _resize_pad(picture: Image.Image, step: Step) -> Image.Image:
    """Pad the picture to the right proportions. A long, thin one is reduced first: padding it would take gigabytes."""
    if max(picture.size) > MAX_PADDED_SIDE:
        picture = picture.copy()
        picture.thumbnail((MAX_PADDED_SIDE, MAX_PADDED_SIDE))
    return _cut_and_resize(picture, step, max)


def _squish(picture: Image.Image, step: Step) -> Image.Image:
    """Resize the whole picture, whatever happens to its proportions."""
    return picture.resize(step["size"], Image.Resampling(step["resample"]))


def _center_crop(picture: Image.Image, step: Step) -> Image.Image:
    """Cut out the middle without resizing it."""
    corner = [(has - wants) // 2 for has, wants in zip(picture.size, step["size"], strict=True)]
    return _cut(picture, corner, step["size"], step["pad_mode"])


def _cut_and_resize(picture: Image.Image, step: Step, fit: Callable[..., float]) -> Image.Image:
    scale = fit(has / wants for has, wants in zip(picture.size, step["size"], strict=True))
    size = [int(scale * wants) for wants in step["size"]]
    corner = [int(0.5 * (has - takes)) for has, takes in zip(picture.size, size, strict=True)]
    return _squish(_cut(picture, corner, size, step["pad_mode"]), step)


def _cut(picture: Image.Image, corner: list[int], size: list[int], pad_mode: str) -> Image.Image:
    """The part of this size whose corner (left, top) is given, padded where it extends beyond the picture."""
    (left, top), (width, height) = corner, size
    right, bottom = left + width, top + height
    inside = picture.crop((max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)))
    padding = (max(-top, 0), max(bottom - picture.height, 0)), (max(-left, 0), max(right - picture.width, 0)), (0, 0)
    if not np.any(padding):
        return inside
    padded = np.pad(np.asarray(inside), padding, mode=PAD_MODES[pad_mode])  # type: ignore[call-overload]
    return Image.fromarray(padded)


_STEPS = {"crop": _resize_crop, "pad": _resize_pad, "squish": _squish, "center_crop": _center_crop}
