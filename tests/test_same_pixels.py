"""The page and the command see the same pixels: Chromium and `read_photo` decode files alike."""

import base64

import numpy as np
import pytest
from odd_photos import (
    LINEAR,
    LINEAR_GREY,
    SRGB,
    SRGB_POINTS,
    XMP,
    avif_with_code_points,
    bmp_of_four_colours,
    bmp_with_masks,
    bmp_with_profile,
    chrm,
    cicp,
    cmyk_profile,
    exif,
    gama,
    iccp,
    png_with,
    swapped,
    wrong,
)
from PIL import Image
from reliability.files import chunk, saved

from foodvision import read_photo

pytestmark = pytest.mark.browser
FORMATS = {"JPEG": {"quality": 95, "subsampling": 0}, "PNG": {}, "WEBP": {"lossless": True}, "AVIF": {"quality": 98}}
AVERAGE, MOST = 1.0, 24  # difference of levels (0 to 255): decoders round in their own ways
DECODE = """async (content) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes]), { imageOrientation: "from-image" }).catch(() => null);
  if (!picture) return [0, 0, []];
  const { width, height } = picture;
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0);
  return [width, height, [...context.getImageData(0, 0, width, height).data]];
}"""


def ramps():
    """96 x 64 pixels, each of a different colour."""
    red, green = np.meshgrid(np.linspace(0, 255, 96), np.linspace(0, 255, 64))
    return Image.fromarray(np.stack([red, green, np.full_like(red, 128)], axis=-1).astype(np.uint8))


def clear(picture):
    """Less and less transparent from left to right."""
    picture = picture.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").rotate(90).resize(picture.size))
    return picture


def turned():
    for format, options in FORMATS.items():
        for orientation in (1, 3, 6, 8):
            yield f"{format}, EXIF {orientation}", saved(ramps(), format, exif=exif(orientation), **options)
        if format != "PNG":
            yield f"{format}, XMP", saved(ramps(), format, xmp=XMP, **options)
    yield "PNG, XMP", png_with(ramps(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    yield "PNG, EXIF behind the pixels", png_with(ramps(), after=chunk(b"eXIf", exif(6)[6:]))
    yield "JPEG, EXIF of another type", saved(ramps(), "JPEG", exif=exif(6, kind=4), **FORMATS["JPEG"])
    yield "JPEG, EXIF of two numbers", saved(ramps(), "JPEG", exif=exif(6, count=2), **FORMATS["JPEG"])


def coloured():
    for format, options in FORMATS.items():
        for what, profile in {"sRGB": SRGB, "swapped": swapped(), "linear": LINEAR, "broken": SRGB[:300]}.items():
            if (format, what) == ("AVIF", "broken"):  # which Chromium does not show
                continue
            yield f"{format}, {what}", saved(ramps(), format, icc_profile=profile, **options)
    for format in ("JPEG", "PNG"):
        yield f"{format}, grey", saved(ramps().convert("L"), format, icc_profile=LINEAR_GREY)
        yield f"{format}, grey with a profile of RGB", saved(ramps().convert("L"), format, icc_profile=LINEAR)
        yield f"{format}, a profile of greys", saved(ramps(), format, icc_profile=LINEAR_GREY, **FORMATS[format])
    yield "JPEG, CMYK", saved(ramps().convert("CMYK"), "JPEG", icc_profile=cmyk_profile(), quality=95, subsampling=0)
    yield "JPEG, CMYK, a profile of RGB", saved(ramps().convert("CMYK"), "JPEG", icc_profile=swapped(), quality=95)
    yield "PNG, transparent", saved(clear(ramps()), "PNG", icc_profile=swapped())
    yield "PNG, palette", saved(ramps().quantize(64), "PNG", icc_profile=swapped())
    yield "BMP", bmp_with_profile(ramps(), swapped())
    for gamma in (1.0, 1 / 2.2, 0.6):
        yield f"PNG, gamma {gamma:.2f}", png_with(ramps(), gama(gamma))
        yield f"PNG, gamma {gamma:.2f} and colours", png_with(ramps(), chrm(*SRGB_POINTS), gama(gamma))
    yield "PNG, colours alone", png_with(ramps(), chrm(*reversed(SRGB_POINTS)))
    yield "PNG, gamma and sRGB", png_with(ramps(), gama(1.0), chunk(b"sRGB", b"\0"))
    yield "PNG, sRGB and profile", png_with(ramps(), iccp(swapped()), chunk(b"sRGB", b"\0"))
    for code_points in ((1, 1), (1, 8), (1, 13), (9, 13), (12, 13)):
        yield f"PNG, code points {code_points}", png_with(ramps(), cicp(*code_points))
        yield f"AVIF, code points {code_points}", avif_with_code_points(ramps(), *code_points)


def broken():
    for damaged in (chunk(b"pHYs", bytes(9)), chunk(b"tEXt", b"a\0b"), gama(1.0), iccp(swapped()), cicp(1, 8)):
        yield f"PNG, wrong checksum of {damaged[4:8].decode()}", png_with(ramps(), wrong(damaged))
    yield "PNG, short chunk", png_with(ramps(), chunk(b"pHYs", b""))
    yield "PNG, large profile", png_with(ramps(), iccp(swapped() + np.random.default_rng(0).bytes(2_000_000)))


def packed():
    for masks in ((0x3FF00000, 0xFFC00, 0x3FF), (0xFF, 0xFF00, 0xFF0000), (0xF800, 0x7E0, 0x1F), (0xFF0000, 0, 0xFF)):
        yield f"BMP, masks {masks}", bmp_with_masks(ramps(), masks)
    for masks in ((0xF00, 0xF0, 0xF), (0x1F, 0x7E0, 0xF800), (0xFC00, 0x3E0, 0x1F)):
        yield f"BMP, 16 bits, masks {masks}", bmp_with_masks(ramps(), masks, depth=16)
    with_alpha = 0xFF0000, 0xFF00, 0xFF, 0xFF000000
    for options in ({"header": 124}, {"header": 108, "compression": 0}, {"header": 56}, {"compression": 6}):
        yield f"BMP, alpha, {options}", bmp_with_masks(ramps(), with_alpha, alpha=128, **options)
    four = ramps().quantize(4)
    yield "BMP, four colours", bmp_of_four_colours(four, np.array(four.getpalette()).reshape(-1, 3)[:4].tolist())


@pytest.mark.parametrize("kind", [turned, coloured, broken, packed])
def test_chromium_shows_what_the_command_sees(kind, browser):
    page = browser.new_page()
    different = {}
    for what, content in kind():
        width, height, levels = page.evaluate(DECODE, base64.b64encode(content).decode())
        shown = np.array(levels).reshape(height, width, 4)[..., :3]
        seen = np.asarray(read_photo(content), dtype=int)
        if seen.shape != shown.shape:
            different[what] = f"{seen.shape} instead of {shown.shape}"
        elif (difference := np.abs(seen - shown)).mean() > AVERAGE or difference.max() > MOST:
            different[what] = f"by {difference.mean():.1f}, at most {difference.max()}"
    page.close()
    assert not different
