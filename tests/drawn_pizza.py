"""A drawn pizza that the model calls pizza: for screenshots, since the data sets' photos may not be published."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

WOOD, CRUST, BURNT, SAUCE = (112, 76, 48), (214, 160, 92), (96, 52, 22), (150, 38, 16)
CHEESE, MOLTEN, TOASTED = (240, 198, 104), (250, 232, 178), (192, 104, 40)
PEPPERONI, FAT, CHARRED = (172, 42, 28), (212, 92, 58), (96, 16, 12)
BASIL, VEIN = (52, 112, 34), (104, 158, 74)


@dataclass
class Canvas:
    """Float RGB `pixels` of shape (height, width, 3), the coordinates `x` and `y` of each, and random numbers."""

    pixels: np.ndarray
    x: np.ndarray
    y: np.ndarray
    random: np.random.Generator

    def noise(self, cells: int, octaves: int = 3) -> np.ndarray:
        """Smooth values from 0 to 1, of shape (height, width, 1); `cells` blotches across the width."""
        weights = 0.55 ** np.arange(octaves)
        layers = [self._blotches(cells * 2**octave) for octave in range(octaves)]
        return np.average(layers, axis=0, weights=weights)

    def _blotches(self, cells: int) -> np.ndarray:
        height, width = self.x.shape
        values = self.random.integers(0, 256, (cells * height // width, cells), dtype=np.uint8)
        return np.array(Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC))[..., None] / 255

    def paint(self, colour: np.ndarray, opacity: np.ndarray) -> None:
        self.pixels = blend(self.pixels, colour, opacity)

    def shade(self, opacity: np.ndarray) -> None:
        self.paint(np.zeros(3), opacity)


def blend(below: np.ndarray, above: tuple | np.ndarray, opacity: np.ndarray) -> np.ndarray:
    opacity = opacity.clip(0, 1)
    return below * (1 - opacity) + np.asarray(above) * opacity


def draw_pizza(width: int = 1000, height: int = 750, seed: int = 1) -> Image.Image:
    """A pizza with pepperoni and basil on a wooden table, the same each time for a `seed`."""
    y, x = np.mgrid[:height, :width].astype(float)
    canvas = Canvas(np.zeros((height, width, 3)), x, y, np.random.default_rng(seed))
    centre, radius = (0.53 * width, 0.53 * height), 0.47 * height
    _draw_table(canvas)
    _draw_base(canvas, centre, radius)
    for place in _scatter(canvas.random, centre, 0.7 * radius, 13, 0.275 * radius):
        _draw_pepperoni(canvas, place, radius / 8)
    for place in _scatter(canvas.random, centre, 0.66 * radius, 7, 0.2 * radius):
        _draw_leaf(canvas, place, 0.13 * radius)
    light = 1.12 - 0.3 * np.hypot(x - 0.3 * width, y - 0.2 * height)[..., None] / width
    return Image.fromarray((canvas.pixels * light).clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))


def _draw_table(canvas: Canvas) -> None:
    height, width = canvas.x.shape
    fibres = Image.fromarray(canvas.random.integers(0, 256, (60, 4), dtype=np.uint8))
    fibres = np.array(fibres.resize((width, height), Image.Resampling.BICUBIC))[..., None] / 255
    canvas.pixels = np.array(WOOD) * (0.72 + 0.3 * canvas.noise(3) + 0.22 * fibres)


def _draw_base(canvas: Canvas, centre: tuple[float, float], radius: float) -> None:
    """Crust, sauce and cheese; distances are in radii, a little uneven."""
    distance = np.hypot(canvas.x - centre[0], 1.04 * (canvas.y - centre[1]))[..., None] / radius
    distance += 0.1 * (canvas.noise(5) - 0.5)
    fine, finest = canvas.noise(14), canvas.noise(26)
    canvas.shade(0.65 * ((1.1 - distance) / 0.12).clip(0, 1))
    crust = blend(np.array(CRUST) * (0.72 + 0.5 * fine), BURNT, 6 * (finest - 0.6))
    crust *= 0.72 + 0.33 * (1 - ((distance - 0.93) / 0.09) ** 2).clip(0, 1)
    canvas.paint(crust, (1 - distance) / 0.012)
    canvas.paint(np.array(SAUCE) * (0.8 + 0.4 * fine), (0.87 - distance) / 0.012)
    cheese = blend(np.array(CHEESE) * (0.8 + 0.3 * fine), MOLTEN, 7 * (canvas.noise(8) - 0.52))
    cheese = blend(cheese, TOASTED, 8 * (finest - 0.6))
    cheese = blend(cheese, SAUCE, 10 * (canvas.noise(11) - 0.63))
    canvas.paint(cheese, (0.84 - distance) / 0.03)


def _draw_pepperoni(canvas: Canvas, place: tuple[float, float], radius: float) -> None:
    distance = np.hypot(canvas.x - place[0], 1.08 * (canvas.y - place[1]))[..., None] / radius
    distance += 0.25 * (canvas.noise(5) - 0.5)
    canvas.shade(0.45 * ((1.22 - distance) / 0.25).clip(0, 1))
    slice_ = blend(np.array(PEPPERONI) * (0.75 + 0.5 * canvas.noise(14)), FAT, 5 * (canvas.noise(26) - 0.52))
    canvas.paint(blend(slice_, CHARRED, 5 * (distance - 0.82)), (1 - distance) / 0.08)


def _draw_leaf(canvas: Canvas, place: tuple[float, float], length: float) -> None:
    angle = canvas.random.uniform(0, math.pi)
    x, y = canvas.x - place[0], canvas.y - place[1]
    along = (x * math.cos(angle) + y * math.sin(angle))[..., None] / length
    across = (y * math.cos(angle) - x * math.sin(angle))[..., None] / (0.42 * length)
    distance = np.hypot(along, across) + 0.25 * along**2
    canvas.shade(0.35 * ((1.25 - distance) / 0.3).clip(0, 1))
    leaf = blend(np.array(BASIL) * (0.65 + 0.7 * canvas.noise(14)), VEIN, 6 * (0.12 - np.abs(across)))
    canvas.paint(leaf, (1 - distance) / 0.1)


def _scatter(
    random: np.random.Generator, centre: tuple[float, float], radius: float, count: int, apart: float
) -> list[tuple[float, float]]:
    """Places within a circle, none closer to another than `apart`."""
    places: list[tuple[float, float]] = []
    while len(places) < count:
        angle, distance = random.uniform(0, 2 * math.pi), radius * math.sqrt(random.random())
        place = (centre[0] + distance * math.cos(angle), centre[1] + distance * math.sin(angle) / 1.04)
        if all(math.dist(place, other) >= apart for other in places):
            places.append(place)
    return places
