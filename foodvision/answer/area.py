"""Which part of a photo the model reads."""

from typing import Any

Box = tuple[float, float, float, float]


def area_read(size: tuple[int, int], steps: list[dict[str, Any]]) -> Box:
    """The part that is left after the given steps of preprocessing, as shares of a photo's width and height.

    Left, top, right and bottom, each 0 to 1, of an upright photo of `size` (width, height). Padding is left out.
    """
    (left, right), (top, bottom) = (_span(axis, size, steps) for axis in (0, 1))
    return left, top, right, bottom


def _span(axis: int, size: tuple[int, int], steps: list[dict[str, Any]]) -> tuple[float, float]:
    """Start and end along one axis: 0 is width, 1 is height."""
    start, length, sides = 0.0, 1.0, list(size)
    for step in steps:
        ratios = [has / wants for has, wants in zip(sides, step["size"], strict=True)]
        scale = {"crop": min(ratios), "pad": max(ratios), "squish": ratios[axis], "center_crop": 1.0}[step["do"]]
        kept = length * scale * step["size"][axis] / sides[axis]
        start, length, sides = start + (length - kept) / 2, kept, list(step["size"])
    return max(0.0, start), min(1.0, start + length)
