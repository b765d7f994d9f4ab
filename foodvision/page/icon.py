"""Draws the page's icon, a slice of pizza, for the places where browsers don't take favicon.svg."""

import io

from PIL import Image, ImageDraw

UNITS = 32  # the side of favicon.svg, whose shapes these are
OVERSAMPLING, COLOURS = 4, 48
MARGIN = 0.14  # of the side: launchers cut icons to circles
CHEESE, CRUST, EDGE, PAPER = "#f6c453", "#c2410c", "#b45309", "#fffaf0"
TOPPINGS = (12, 15, 2.5), (19, 14, 2), (16, 21, 2)  # x, y, radius


def draw_icon(side: int) -> bytes:
    """A PNG of this width and height in pixels."""
    large = side * OVERSAMPLING
    scale = large * (1 - 2 * MARGIN) / UNITS
    picture = Image.new("RGB", (large, large), PAPER)
    draw = ImageDraw.Draw(picture)

    def placed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(large * MARGIN + x * scale, large * MARGIN + y * scale) for x, y in points]

    top = _arc((3, 7), (16, -1), (29, 7))
    draw.polygon(placed([*top, (16, 31)]), fill=CHEESE)
    draw.line(placed([*top, (16, 31), (3, 7)]), fill=EDGE, width=round(2 * scale), joint="curve")
    draw.polygon(placed([*top, *_arc((27, 11), (16, 4), (5, 11))]), fill=CRUST)
    for x, y, radius in TOPPINGS:
        draw.ellipse(placed([(x - radius, y - radius), (x + radius, y + radius)]), fill=CRUST)
    file = io.BytesIO()
    small = picture.resize((side, side), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _arc(start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]) -> list[tuple]:
    """Points on a quadratic Bézier curve."""
    shares = [step / 16 for step in range(17)]
    axes = zip(start, control, end, strict=True)
    xs, ys = ([(1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for t in shares] for a, b, c in axes)
    return list(zip(xs, ys, strict=True))
