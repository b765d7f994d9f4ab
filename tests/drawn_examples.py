"""Draw the pictures in examples/, which visitors can try: `python -m tests.drawn_examples`.

They are drawn because the data sets' photos may not be published.
"""

import math

import numpy as np
from PIL import Image, ImageFilter

from tests.conftest import ROOT
from tests.drawn_pizza import Canvas, blend, draw_pizza

EXAMPLES = ROOT / "examples"
WIDTH, HEIGHT = 1000, 750  # pixels of a drawing
SMALL = 400, 300  # pixels of an example
QUALITY = 72

TABLE, CHINA = (60, 42, 32), (236, 234, 228)
CRUST, CHAR, SEARED, FAT, GLOSS = (81, 45, 28), (34, 20, 14), (135, 72, 65), (226, 196, 150), (255, 232, 206)
RARE, DONE, WELL_DONE, MARBLING, BEAN = (175, 73, 61), (155, 86, 75), (96, 60, 44), (214, 160, 130), (70, 120, 50)
RICE, SHADE_OF_RICE, NORI = (246, 243, 232), (206, 202, 188), (22, 30, 26)
SALMON, TUNA, AVOCADO = (244, 128, 72), (196, 40, 52), (150, 186, 84)
SKY, HORIZON, SEA, SUN, CLOUD = (70, 130, 200), (250, 214, 170), (28, 84, 124), (255, 244, 210), (255, 252, 246)
SAIL, HULL, MAST, STRIPE, FOAM = (250, 248, 240), (168, 40, 36), (90, 66, 48), (250, 250, 250), (235, 244, 250)


def _canvas(seed: int) -> Canvas:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    return Canvas(np.zeros((HEIGHT, WIDTH, 3)), x, y, np.random.default_rng(seed))


def _finished(canvas: Canvas, light: float = 0.3) -> Image.Image:
    shine = 1.1 - light * np.hypot(canvas.x - 0.3 * WIDTH, canvas.y - 0.2 * HEIGHT)[..., None] / WIDTH
    pixels = (canvas.pixels * shine).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.8))


def _turned(canvas: Canvas, centre: tuple[float, float], angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from `centre`, along and across a direction, each of shape (height, width, 1)."""
    x, y = canvas.x - centre[0], canvas.y - centre[1]
    return (
        (x * math.cos(angle) + y * math.sin(angle))[..., None],
        (y * math.cos(angle) - x * math.sin(angle))[..., None],
    )


def _rounded(along: np.ndarray, across: np.ndarray, length: float, width: float, power: float = 4) -> np.ndarray:
    """Distance from the middle of a rounded rectangle, 1 at its edge."""
    return ((np.abs(along) / length) ** power + (np.abs(across) / width) ** power) ** (1 / power)


def draw_steak(seed: int = 27) -> Image.Image:
    """A grilled steak with two slices cut off and green beans, on a plate."""
    canvas = _canvas(seed)
    _draw_plate(canvas, (500, 375), 420)
    _draw_beans(canvas, (300, 190), 10)
    _draw_slab(canvas, (376, 397), 251, 168)
    for place in range(2):
        _draw_slice(canvas, (540 + 55 * place, 498 + 6 * place), 1.075, 127, 40)
    return _finished(canvas)


def _draw_plate(canvas: Canvas, centre: tuple[float, float], radius: float) -> None:
    canvas.pixels = np.array(TABLE) * (0.8 + 0.4 * canvas.noise(3))
    distance = np.hypot(canvas.x - centre[0], 1.05 * (canvas.y - centre[1]))[..., None] / radius
    canvas.shade(0.5 * ((1.1 - distance) / 0.1).clip(0, 1))
    rim = 1 - 0.12 * ((distance - 0.72) / 0.05).clip(0, 1) * (distance < 0.8)
    canvas.paint(np.array(CHINA) * rim * (0.97 + 0.05 * canvas.noise(4)), (1 - distance) / 0.01)


def _draw_beans(canvas: Canvas, centre: tuple[float, float], count: int) -> None:
    for place in range(count):
        angle = canvas.random.uniform(-0.25, 0.25) - 0.5
        start = centre[0] + canvas.random.uniform(-40, 40), centre[1] + 13 * place - 50
        along, across = _turned(canvas, start, angle)
        distance = _rounded(along, across, 120, 9, 3)
        canvas.shade(0.3 * (1.3 - distance))
        green = np.array(BEAN) * canvas.random.uniform(0.7, 1.3) * (1.1 - 0.3 * np.abs(across) / 9)
        canvas.paint(green, (1 - distance) / 0.15)


def _draw_slab(canvas: Canvas, centre: tuple[float, float], length: float, width: float) -> None:
    along, across = _turned(canvas, centre, -0.024)
    distance = _rounded(along, across, length, width, 2.4) + 0.27 * (canvas.noise(4) - 0.5)
    canvas.shade(0.7 * ((1.12 - distance) / 0.14).clip(0, 1))
    fine, finest = canvas.noise(18), canvas.noise(34)
    meat = blend(np.array(CRUST) * (0.6 + 0.8 * fine), CHAR, 2.45 * (finest - 0.5))
    meat = blend(meat, SEARED, 5 * (canvas.noise(9) - 0.55))
    for slope in 0.8, -0.8:
        bars = np.cos((along + slope * across) / 19.3) ** 8
        meat = blend(meat, CHAR, 0.56 * bars * (0.5 + 0.8 * canvas.noise(14)))
    meat = blend(meat, np.array(FAT) * (0.7 + 0.4 * fine), 12 * (distance - 0.9) * (across < 0.2 * along))
    canvas.paint(meat * (1.15 - 0.35 * distance**4), (1 - distance) / 0.02)
    canvas.paint(np.array(GLOSS), 1.36 * (canvas.noise(50) - 0.66) * (distance < 0.92))


def _draw_slice(canvas: Canvas, centre: tuple[float, float], angle: float, length: float, width: float) -> None:
    along, across = _turned(canvas, centre, angle)
    along = along + 0.36 * across
    distance = _rounded(along, across, length, width, 3) + 0.18 * (canvas.noise(6) - 0.5)
    canvas.shade(0.5 * ((1.2 - distance) / 0.2).clip(0, 1))
    fine = canvas.noise(24)
    canvas.paint(blend(np.array(CRUST) * (0.5 + 0.7 * fine), CHAR, 4 * (canvas.noise(34) - 0.5)), (1 - distance) / 0.03)
    depth = np.abs(across) / width
    inside = blend(np.array(RARE) * (0.75 + 0.5 * fine), DONE, 2.2 * (depth - 0.3))
    inside = blend(inside, WELL_DONE, 5 * (depth - 0.7))
    inside = blend(inside, MARBLING, 3 * (canvas.noise(34) - 0.66))
    canvas.paint(inside * (1 + 0.06 * np.cos(along / 4 + 9 * canvas.noise(8))), (0.93 - distance) / 0.06)


def draw_sushi(seed: int = 22) -> Image.Image:
    """Eight maki with salmon, tuna and avocado on a large plate."""
    canvas = _canvas(seed)
    _draw_plate(canvas, (500, 375), 700)
    for row in range(2):
        for place in range(4):
            askew = 10 if place % 2 == 0 else -10
            centre = 500 + 229 * (place - 1.5), 375 + 214 * (row - 0.5) + askew
            _draw_maki(canvas, centre, 96, (SALMON, TUNA, AVOCADO)[(row + place) % 3])
    return _finished(canvas)


def _rice(canvas: Canvas) -> np.ndarray:
    grains = canvas.noise(60, octaves=2)
    return blend(np.array(SHADE_OF_RICE) * (0.86 + 0.2 * canvas.noise(9)), RICE, 4 * (grains - 0.38))


def _draw_maki(canvas: Canvas, centre: tuple[float, float], radius: float, filling: tuple[int, int, int]) -> None:
    along, across = _turned(canvas, centre, 0)
    below = np.hypot(along, across - 26) / radius
    canvas.shade(0.6 * ((1.2 - below) / 0.2).clip(0, 1))
    side = np.minimum(below, np.hypot(along, across - 13) / radius)
    canvas.paint(np.array(NORI) * (0.8 + 0.5 * canvas.noise(30)), (1 - side) / 0.03)
    distance = np.hypot(along, 1.03 * across) / radius + 0.04 * (canvas.noise(12) - 0.5)
    canvas.paint(np.array(NORI) * (1.1 + 0.6 * canvas.noise(30)), (1 - distance) / 0.03)
    canvas.paint(_rice(canvas), (0.9 - distance) / 0.03)
    middle = _rounded(along, across, 0.42 * radius, 0.36 * radius, 3) + 0.2 * (canvas.noise(12) - 0.5)
    canvas.shade(0.3 * (1.15 - middle))
    canvas.paint(np.array(filling) * (0.8 + 0.35 * canvas.noise(22)), (1 - middle) / 0.08)


def draw_boat(seed: int = 7) -> Image.Image:
    """A sailing boat at sea: what a food classifier should not take for food."""
    canvas = _canvas(seed)
    height = (canvas.y / (0.62 * HEIGHT))[..., None]
    canvas.pixels = blend(np.broadcast_to(np.array(SKY, float), canvas.pixels.shape), HORIZON, height**2.2)
    canvas.paint(np.array(CLOUD), 1.5 * (canvas.noise(5) - 0.55) * (1.1 - height))
    sun = np.hypot(canvas.x - 760, canvas.y - 210)[..., None]
    canvas.paint(np.array(SUN), (62 - sun) / 6)
    depth = ((canvas.y - 0.62 * HEIGHT) / (0.38 * HEIGHT))[..., None]
    ripples = np.sin(canvas.y[..., None] ** 1.25 / 5 + 7 * canvas.noise(7))
    sea = np.array(SEA) * (1.25 - 0.45 * depth.clip(0, 1) + 0.14 * ripples)
    canvas.paint(sea, depth / 0.004)
    below_sun = (1 - np.abs(canvas.x[..., None] - 760) / (60 + 90 * depth.clip(0, 1))).clip(0, 1)
    canvas.paint(np.array(SUN), 8 * (canvas.noise(60, octaves=2) - 0.55).clip(0, 1) * below_sun * (depth > 0))
    _draw_sails(canvas)
    return _finished(canvas, light=0.1)


def _draw_sails(canvas: Canvas) -> None:
    x, y = canvas.x[..., None], canvas.y[..., None]
    down = ((y - 110) / 400).clip(0, 1)
    inside = (y > 110) & (y < 510)
    main = (x > 428) & (x < 440 + 270 * down**0.85) & inside
    jib = (x < 412) & (x > 412 - 190 * down**1.1) & inside & (y > 150)
    folds = 0.92 + 0.08 * np.cos((x - 2 * y) / 60)
    canvas.paint(np.array(SAIL) * folds, main.astype(float))
    canvas.paint(np.array(SAIL) * folds * 0.9, jib.astype(float))
    canvas.paint(np.array(MAST), ((np.abs(x - 420) < 6) & (y > 90) & (y < 545)).astype(float))
    hull = (y > 530) & (y < 600) & (np.abs(x - 450) < 290 - 1.3 * (y - 530))
    canvas.paint(np.array(HULL) * (1.15 - (y - 530) / 200), hull.astype(float))
    canvas.paint(np.array(STRIPE), (hull & (y < 545)).astype(float))
    foam = ((y - 588) / 10).clip(0, 1) * ((622 - y) / 24).clip(0, 1) * ((260 - np.abs(x - 450)) / 60).clip(0, 1)
    canvas.paint(np.array(FOAM), foam * (0.4 + canvas.noise(40)))


DRAWINGS = {
    "1-drawn-pizza": ("pizza", draw_pizza),
    "2-drawn-steak": ("steak", draw_steak),
    "3-drawn-sushi": ("sushi", draw_sushi),
    "4-drawn-boat": ("not_food", draw_boat),
}


def draw_example(name: str) -> Image.Image:
    """The drawing with this name, in the size of an example."""
    return DRAWINGS[name][1]().resize(SMALL, Image.Resampling.LANCZOS)


def main() -> None:
    """Write every example."""
    EXAMPLES.mkdir(exist_ok=True)
    for name in DRAWINGS:
        draw_example(name).save(EXAMPLES / f"{name}.webp", quality=QUALITY, method=6)
        print(f"examples/{name}.webp: {(EXAMPLES / f'{name}.webp').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
