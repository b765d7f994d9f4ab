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

BOARD, SLATE = (150, 104, 64), (52, 54, 58)
CRUST, CHAR, RARE, RAW, FAT = (92, 54, 34), (34, 20, 14), (178, 70, 66), (150, 38, 44), (226, 196, 150)
ROSEMARY = (58, 92, 52)
RICE, SHADE_OF_RICE, NORI = (246, 243, 232), (206, 202, 188), (22, 30, 26)
SALMON, STRIPE, TUNA, AVOCADO, GINGER = (244, 128, 72), (255, 206, 172), (196, 40, 52), (150, 186, 84), (246, 190, 180)
SKY, HORIZON, SEA, SUN = (70, 130, 200), (250, 214, 170), (28, 84, 124), (255, 244, 210)
SAIL, HULL, MAST = (250, 248, 240), (168, 40, 36), (90, 66, 48)


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


def draw_steak(seed: int = 3) -> Image.Image:
    """A grilled steak on a dark plate, cut open so that its red middle shows, with rosemary."""
    canvas = _canvas(seed)
    grain = Image.fromarray(canvas.random.integers(0, 256, (70, 5), dtype=np.uint8))
    grain = np.array(grain.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))[..., None] / 255
    canvas.pixels = np.array(BOARD) * (0.7 + 0.3 * canvas.noise(3) + 0.25 * grain)
    _draw_slab(canvas, (430, 330), 385, 240)
    _draw_slices(canvas)
    _draw_rosemary(canvas, (120, 655), -0.2, 260)
    return _finished(canvas)


def _draw_slab(canvas: Canvas, centre: tuple[float, float], length: float, width: float) -> None:
    along, across = _turned(canvas, centre, 0.12)
    distance = _rounded(along, across, length, width, 2.4) + 0.3 * (canvas.noise(4) - 0.5)
    canvas.shade(0.7 * ((1.12 - distance) / 0.14).clip(0, 1))
    fine, finest = canvas.noise(18), canvas.noise(34)
    meat = blend(np.array(CRUST) * (0.6 + 0.8 * fine), CHAR, 4 * (finest - 0.5))
    meat = blend(meat, (158, 92, 62), 5 * (canvas.noise(9) - 0.52))
    for slope in (0.8, -0.8):
        lines = np.cos((along + slope * across) / 26) ** 14
        meat = blend(meat, CHAR, 0.85 * lines * (0.5 + 0.8 * canvas.noise(14)))
    meat = blend(meat, np.array(FAT) * (0.7 + 0.4 * fine), 12 * (distance - 0.9) * (across < 0.2 * along))
    canvas.paint(meat * (1.15 - 0.35 * distance**4), (1 - distance) / 0.02)
    canvas.paint(np.array((255, 232, 206)), 1.8 * (canvas.noise(50) - 0.66) * (distance < 0.92))


def _draw_slices(canvas: Canvas) -> None:
    for place in range(3):
        _draw_slice(canvas, (610 + 105 * place, 470 + 26 * place), 1.9, 190 - 16 * place, 66)


def _draw_slice(canvas: Canvas, centre: tuple[float, float], angle: float, length: float, width: float) -> None:
    along, across = _turned(canvas, centre, angle)
    distance = _rounded(along, across, length, width, 2.6) + 0.3 * (canvas.noise(5) - 0.5)
    canvas.shade(0.6 * ((1.25 - distance) / 0.25).clip(0, 1))
    fine = canvas.noise(24)
    crust = blend(np.array(CRUST) * (0.55 + 0.7 * fine), CHAR, 4 * (canvas.noise(34) - 0.5))
    canvas.paint(crust, (1 - distance) / 0.03)
    inside = blend(np.array(RAW) * (0.75 + 0.5 * fine), RARE, 1.1 * distance)
    inside = blend(inside, (142, 96, 78), 4 * (distance - 0.5))
    inside = blend(inside, FAT, 4 * (canvas.noise(30) - 0.68))
    fibres = np.cos(across / 3.2 + 9 * canvas.noise(8)) * 0.07
    canvas.paint(inside * (1 + fibres), (0.84 - distance) / 0.1)


def _draw_rosemary(canvas: Canvas, start: tuple[float, float], angle: float, length: float) -> None:
    along, across = _turned(canvas, start, angle)
    canvas.paint(np.array(ROSEMARY) * 0.7, (3 - np.abs(across)) * (along > 0) * (along < length))
    for step in range(30):
        side = 1 if step % 2 else -1
        x = start[0] + math.cos(angle) * step * length / 30
        y = start[1] + math.sin(angle) * step * length / 30
        needle, thick = _turned(canvas, (x, y), angle + side * 0.8)
        distance = np.hypot((needle - 24) / 24, thick / 4.5)
        canvas.shade(0.2 * (1.3 - distance))
        canvas.paint(np.array(ROSEMARY) * canvas.random.uniform(0.75, 1.35), (1 - distance) / 0.2)


def draw_sushi(seed: int = 5) -> Image.Image:
    """Maki and nigiri on a slate, with ginger."""
    canvas = _canvas(seed)
    canvas.pixels = np.array(SLATE) * (0.75 + 0.4 * canvas.noise(4) + 0.12 * canvas.noise(60))
    for row, filling in enumerate((SALMON, AVOCADO)):
        for place in range(4):
            _draw_maki(canvas, (170 + 175 * place + 60 * row, 520 + 140 * row - 12 * place), 84, filling)
    for place, topping in enumerate((SALMON, TUNA, SALMON, TUNA)):
        _draw_nigiri(canvas, (165 + 200 * place, 215 - 10 * place), 1.2, topping)
    _draw_ginger(canvas, (905, 440))
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


def _draw_nigiri(canvas: Canvas, centre: tuple[float, float], angle: float, topping: tuple[int, int, int]) -> None:
    along, across = _turned(canvas, centre, angle)
    shadow = _rounded(along - 16, across - 6, 160, 76, 3)
    canvas.shade(0.6 * ((1.15 - shadow) / 0.2).clip(0, 1))
    rice = _rounded(along - 12, across - 4, 140, 66, 3) + 0.08 * (canvas.noise(26) - 0.5)
    canvas.paint(_rice(canvas) * (1.1 - 0.25 * rice), (1 - rice) / 0.04)
    fish = _rounded(along + 4, across + 6, 152, 64, 3.4) + 0.05 * (canvas.noise(8) - 0.5)
    canvas.shade(0.35 * ((1.1 - fish) / 0.1).clip(0, 1))
    bands = np.cos((along + 0.9 * across + 24 * canvas.noise(5)) / 9) ** 8
    flesh = blend(
        np.array(topping) * (0.85 + 0.3 * canvas.noise(20)), STRIPE, (0.75 if topping == SALMON else 0.3) * bands
    )
    canvas.paint(flesh * (1.15 - 0.35 * fish**2), (1 - fish) / 0.04)


def _draw_ginger(canvas: Canvas, centre: tuple[float, float]) -> None:
    for turn in range(7):
        place = centre[0] + 46 * math.cos(turn * 2.4), centre[1] + 46 * math.sin(turn * 2.4)
        along, across = _turned(canvas, place, turn * 0.9)
        distance = np.hypot(along / 52, across / 26) + 0.3 * (canvas.noise(8) - 0.5)
        canvas.shade(0.25 * (1.25 - distance))
        canvas.paint(np.array(GINGER) * (0.85 + 0.25 * np.cos(across / 4)), (1 - distance) / 0.1)


def draw_boat(seed: int = 7) -> Image.Image:
    """A sailing boat at sea: what a food classifier should not take for food."""
    canvas = _canvas(seed)
    height = (canvas.y / (0.62 * HEIGHT))[..., None]
    canvas.pixels = blend(np.broadcast_to(np.array(SKY, float), canvas.pixels.shape), HORIZON, height**2.2)
    canvas.paint(np.array((255, 252, 246)), 1.5 * (canvas.noise(5) - 0.55) * (1.1 - height))
    sun = np.hypot(canvas.x - 760, canvas.y - 210)[..., None]
    canvas.paint(np.array(SUN), (62 - sun) / 6)
    depth = ((canvas.y - 0.62 * HEIGHT) / (0.38 * HEIGHT))[..., None]
    ripples = np.sin(canvas.y[..., None] ** 1.25 / 5 + 7 * canvas.noise(7))
    sea = np.array(SEA) * (1.25 - 0.45 * depth.clip(0, 1) + 0.14 * ripples)
    canvas.paint(sea, depth / 0.004)
    glitter = (canvas.noise(60, octaves=2) - 0.62) * (120 - np.abs(canvas.x[..., None] - 760)) / 30
    canvas.paint(np.array(SUN), glitter.clip(0, 1) * (depth > 0))
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
    canvas.paint(np.array((250, 250, 250)), (hull & (y < 545)).astype(float))
    foam = ((y - 590) / 14).clip(0, 1) * ((620 - y) / 20) * (300 - np.abs(x - 450)) / 60
    canvas.paint(np.array((235, 244, 250)), foam.clip(0, 1) * (0.4 + canvas.noise(40)))


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
