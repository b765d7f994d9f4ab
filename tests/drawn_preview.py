"""Draw what a shared link shows, and the icon for a phone's home screen: `python -m tests.drawn_preview`."""

import shutil

from PIL import Image, ImageDraw, ImageFont

from tests.conftest import ROOT
from tests.drawn_examples import DRAWINGS

STATIC = ROOT / "foodvision" / "page" / "template" / "static"
LANDING = ROOT / "docs"
WIDTH, HEIGHT = 1200, 630  # pixels that sites ask for
MARGIN, TILE = 64, 336
ICON = 512  # pixels
PAPER, INK, QUIET, ACCENT = "#fff8ef", "#1c1917", "#57534e", "#b4400c"
OVERSAMPLING = 4


def draw_preview() -> Image.Image:
    """Title, question and three drawn dishes."""
    card = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(card)
    slice_ = draw_icon(104, background=None)
    card.paste(slice_, (MARGIN, 44), slice_)
    draw.text((MARGIN + 124, 40), "FoodVision", INK, _font(84))
    draw.text((MARGIN, 164), "Is it pizza, steak or sushi? Choose a photo.", QUIET, _font(42))
    for place, (label, drawing) in enumerate(list(DRAWINGS.values())[:3]):
        left = MARGIN + place * (TILE + (WIDTH - 2 * MARGIN - 3 * TILE) // 2)
        picture = drawing().resize((TILE, TILE * 3 // 4), Image.Resampling.LANCZOS)
        card.paste(picture, (left, 246), _rounded(picture.size, 24))
        draw.rounded_rectangle((left, 520, left + TILE, 534), 7, "#e7e5e4")
        draw.rounded_rectangle((left, 520, left + TILE * 94 // 100, 534), 7, ACCENT)
        draw.text((left, 546), label.capitalize(), INK, _font(38))
    return card


def draw_icon(size: int = ICON, background: str | None = PAPER) -> Image.Image:
    """The slice of favicon.svg."""
    scale = OVERSAMPLING * size / (36 if background else 32)  # with a margin
    icon = Image.new("RGBA", (OVERSAMPLING * size, OVERSAMPLING * size), background or (0, 0, 0, 0))
    draw = ImageDraw.Draw(icon)
    shift = 2 if background else 0

    def points(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [((x + shift) * scale, (y + shift) * scale) for x, y in curve]

    outer = _curve((3, 7), (16, -1), (29, 7))
    draw.polygon(points([*outer, (16, 31)]), "#f6c453")
    draw.polygon(points([*outer, (27, 11), *_curve((27, 11), (16, 4), (5, 11))]), "#c2410c")
    draw.line(points([*outer, (16, 31), (3, 7), outer[1]]), "#b45309", round(2 * scale), joint="curve")
    for x, y, radius in (12, 15, 2.5), (19, 14, 2), (16, 21, 2):
        draw.circle(points([(x, y)])[0], radius * scale, "#c2410c")
    return icon.resize((size, size), Image.Resampling.LANCZOS)


def _curve(start: tuple, control: tuple, end: tuple, steps: int = 24) -> list[tuple[float, float]]:
    """Points of a quadratic Bézier curve."""
    shares = [step / steps for step in range(steps + 1)]
    return [
        tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(start, control, end, strict=True))
        for t in shares
    ]


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius, 255)
    return mask


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)  # the one that comes with Pillow


def main() -> None:
    """Write the pictures to the page's template and to the landing page."""
    draw_preview().save(STATIC / "preview.jpg", quality=80, optimize=True, progressive=True)
    draw_icon().convert("RGB").quantize(64).save(STATIC / "icon.png", optimize=True)
    shutil.copy(STATIC / "preview.jpg", LANDING)
    shutil.copy(STATIC / "favicon.svg", LANDING)
    for name in "preview.jpg", "icon.png":
        print(f"{name}: {(STATIC / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
