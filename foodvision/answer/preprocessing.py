"""What fastai's item transforms do to a validation photo, without fastai.

Each step is a dictionary in the model's metadata, `do` its name and `size` (width, height) its result. The arithmetic,
truncations included, is that of `fastai.vision.augment` 2.8: `Resize`, `CropPad` and `RandomResizedCrop`.
"""

import numpy as np
from PIL import Image

LONG_SIDE = 8192  # pixels of a picture that is given margins
PAD_MODES = {"zeros": "constant", "border": "edge", "reflection": "reflect"}


def to_pixels(picture, steps, mean, std):
    """Array (channels, height, width), float32, of an upright RGB picture: resized, cropped and normalised."""
    mean, std = 255 * np.float32(mean), 255 * np.float32(std)
    return ((np.asarray(prepare(picture, steps), dtype=np.float32) - mean) / std).transpose(2, 0, 1)


def prepare(picture, steps):
    """An upright RGB picture after the given steps."""
    for step in steps:
        picture = _STEPS[step["do"]](picture, step)
    return picture


def _resize_crop(picture, step):
    """The largest centred part of the right shape."""
    return _cut_and_resize(picture, step, min)


def _resize_pad(picture, step):
    """The whole picture, with margins to the right shape; one that is long and thin would take gigabytes of them."""
    if max(picture.size) > LONG_SIDE:
        picture = picture.copy()
        picture.thumbnail((LONG_SIDE, LONG_SIDE))
    return _cut_and_resize(picture, step, max)


def _squish(picture, step):
    """The whole picture, whatever becomes of its proportions."""
    return picture.resize(step["size"], Image.Resampling(step["resample"]))


def _center_crop(picture, step):
    """The middle, at its own scale."""
    corner = [(has - wants) // 2 for has, wants in zip(picture.size, step["size"], strict=True)]
    return _cut(picture, corner, step["size"], step["pad_mode"])


def _cut_and_resize(picture, step, fit):
    scale = fit(has / wants for has, wants in zip(picture.size, step["size"], strict=True))
    size = [int(scale * wants) for wants in step["size"]]
    corner = [int(0.5 * (has - takes)) for has, takes in zip(picture.size, size, strict=True)]
    return _squish(_cut(picture, corner, size, step["pad_mode"]), step)


def _cut(picture, corner, size, pad_mode):
    (left, top), (width, height) = corner, size
    right, bottom = left + width, top + height
    inside = picture.crop((max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height)))
    margins = (max(-top, 0), max(bottom - picture.height, 0)), (max(-left, 0), max(right - picture.width, 0)), (0, 0)
    if not np.any(margins):
        return inside
    return Image.fromarray(np.pad(np.asarray(inside), margins, mode=PAD_MODES[pad_mode]))


_STEPS = {"crop": _resize_crop, "pad": _resize_pad, "squish": _squish, "center_crop": _center_crop}
