"""A photo is read the way a person sees it, or refused with a sentence."""

import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from odd_photos import (
    LAB,
    LINEAR_GREY,
    SRGB,
    SRGB_POINTS,
    XMP,
    avif_with_code_points,
    bmp_of_four_colours,
    bmp_with_masks,
    bmp_with_profile,
    boxed,
    chrm,
    cicp,
    cmyk_profile,
    exif,
    gama,
    iccp,
    png_with,
    raw_behind_a_preview,
    raw_tiff,
    swapped,
    tiff_of,
    wrong,
    xcode_png,
)
from PIL import Image
from reliability.files import BLUE, GREEN, RED, WHITE, chunk, corners, png, quadrants, saved, tiff

from foodvision import PhotoError, read_photo
from foodvision.answer.limits import RationedFile


def close(colours, expected, tolerance=12):
    return np.abs(np.subtract(colours, expected)).max() <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation):
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = quadrants().transpose(turns[orientation]) if orientation > 1 else quadrants()
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(saved(stored, "JPEG", exif=exif, quality=95))
    assert photo.size == (80, 60)
    assert close(corners(photo), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
def test_every_common_format_is_read(format):
    photo = read_photo(saved(quadrants(), format))
    assert photo.mode == "RGB" and close(corners(photo), [RED, GREEN, BLUE, WHITE], tolerance=40)


def test_transparent_parts_become_white():
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert read_photo(saved(picture, "PNG")).getpixel((4, 4)) == WHITE


def test_a_transparent_palette_becomes_white():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([0, 0, 0, *RED])
    assert read_photo(saved(picture, "PNG", transparency=0)).getpixel((4, 4)) == WHITE


@pytest.mark.parametrize(
    ("depth", "colour", "row", "transparent"),
    [
        (2, 0, b"\x50", (1,)),
        (4, 0, b"\x50", (5,)),
        (8, 0, b"\x50\x60", (0x50,)),
        (16, 0, b"\x50\x55\x60\x66", (0x5055,)),
        (8, 2, b"\1\2\3\x60\x60\x60", (1, 2, 3)),
        (16, 2, b"\1\1\2\2\3\3" + b"\x60" * 6, (0x101, 0x202, 0x303)),
    ],
)
def test_a_pngs_transparent_colour_becomes_white(depth, colour, row, transparent):
    trns = chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))
    first = read_photo(png(2, 1, b"\0" + row, depth=depth, colour=colour, before=trns))
    plain = read_photo(png(2, 1, b"\0" + row, depth=depth, colour=colour))
    assert first.getpixel((0, 0)) == WHITE != plain.getpixel((0, 0))


def test_cmyk_keeps_its_colours():
    photo = read_photo(saved(quadrants().convert("CMYK"), "JPEG", quality=95))
    assert photo.mode == "RGB" and close(corners(photo), [RED, GREEN, BLUE, WHITE], tolerance=20)


def test_sixteen_bit_greys_are_scaled_not_clipped():
    greys = np.array([[0, 32768, 65535]], dtype=np.uint16)
    photo = read_photo(saved(Image.fromarray(greys), "PNG"))
    assert [photo.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    photo = read_photo(saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert photo.getpixel((4, 4)) == RED


def test_bytes_paths_files_memoryviews_and_pictures_are_all_photos(tmp_path):
    content = saved(quadrants(), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    for source in (content, memoryview(content), bytearray(content), path, str(path), io.BytesIO(content), quadrants()):
        assert read_photo(source).size == (80, 60)


def test_a_large_jpeg_is_decoded_no_larger_than_needed():
    content = saved(quadrants(4000, 3000), "JPEG")
    assert read_photo(content, at_least=448).size == (1000, 750)
    assert read_photo(content).size == (4000, 3000)


@pytest.mark.parametrize(("options", "block"), [({}, 65536), ({"progressive": True}, 4096)])
def test_only_jpegs_with_many_scans_are_decoded_in_small_blocks(options, block, monkeypatch):
    """The time limit is checked between blocks, where threads wait for each other."""
    taken = []
    read = RationedFile.read
    monkeypatch.setattr(RationedFile, "read", lambda file, size=-1: taken.append(size) or read(file, size))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    read_photo(saved(noise, "JPEG", **options))
    assert max(taken) == block


@pytest.mark.slow
@pytest.mark.parametrize("format", ["TIFF", "HEIF"])
def test_a_photo_of_48_megapixels_leaves_a_small_kernel_small(format, tmp_path):
    path = tmp_path / "large"
    quadrants(8064, 6048).save(path, format, **({"compression": "tiff_lzw"} if format == "TIFF" else {}))
    script = (
        "import resource, sys; from foodvision.answer.photo import read_photo\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "photo = read_photo(sys.argv[1], at_least=640)\n"
        "print(*photo.size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    run = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    width, height, growth = map(int, run.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    assert min(width, height) >= 640 and max(width, height) < 1000
    assert growth * unit < 300e6


def test_broken_exif_does_not_spoil_the_photo():
    content = saved(quadrants(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff nonsense")
    assert read_photo(content).size == (80, 60)


def test_a_photo_cut_short_is_refused_with_a_sentence():
    content = saved(Image.effect_noise((400, 300), 90).convert("RGB"), "JPEG")
    with pytest.raises(PhotoError, match="damaged or cut short"):
        read_photo(content[: len(content) // 2])


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    with pytest.raises(PhotoError, match=r"too large|too many pixels"):
        read_photo(saved(Image.new("1", (9000, 9000)), "PNG"))


def test_a_missing_file_and_a_folder_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(PhotoError, match="no such file"):
        read_photo(tmp_path / "missing.jpg")
    with pytest.raises(PhotoError, match="folder"):
        read_photo(tmp_path)


# Which side is up


def test_orientation_by_exif_counts_where_browsers_go_by_it():
    for format in ("JPEG", "PNG", "AVIF", "TIFF"):
        assert read_photo(saved(quadrants(), format, exif=exif(6))).size == (60, 80), format
    webp = saved(quadrants(), "WEBP", exif=exif(6), lossless=True)
    assert read_photo(webp).size == (80, 60)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_orientation_in_xmp_alone_is_ignored(format):
    photo = saved(quadrants(), format, **({"tiffinfo": {700: XMP}} if format == "TIFF" else {"xmp": XMP}))
    if format == "PNG":
        photo = png_with(quadrants(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    assert b"Orientation" in photo
    assert read_photo(photo).size == (80, 60)


def test_a_png_is_turned_only_by_exif_in_its_own_chunk_before_the_pixels():
    tiff = exif(6)[6:]
    text = b"\nexif\n%8d\n%s\n" % (len(exif(6)), exif(6).hex().encode())
    assert read_photo(png_with(quadrants(), chunk(b"eXIf", tiff))).size == (60, 80)
    assert read_photo(png_with(quadrants(), after=chunk(b"eXIf", tiff))).size == (80, 60)
    assert read_photo(png_with(quadrants(), chunk(b"tEXt", b"Raw profile type exif\0" + text))).size == (80, 60)


def test_an_opened_picture_is_read_like_its_file():
    jpeg = io.BytesIO(saved(quadrants(), "JPEG", exif=exif(6), icc_profile=swapped(), quality=95))
    webp = io.BytesIO(saved(quadrants(), "WEBP", exif=exif(6), lossless=True))
    assert read_photo(Image.open(jpeg)) == read_photo(jpeg)
    assert read_photo(Image.open(webp)) == read_photo(webp)


@pytest.mark.parametrize("broken", [exif(6, kind=4), exif(6, count=2), exif(0), exif(9), exif(6)[:20]])
def test_an_invalid_orientation_turns_nothing(broken):
    assert read_photo(saved(quadrants(), "JPEG", exif=broken)).size == (80, 60)


# Colours


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
def test_colours_are_those_of_the_profile(format):
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "HEIF": {"quality": 95}, "AVIF": {"quality": 95}}
    photo = read_photo(saved(quadrants(), format, icc_profile=swapped(), **options.get(format, {})))
    red, green, blue, white = corners(photo)
    assert red[1] > 200 > 100 > red[0] and green[0] > 100 > 50 > green[1]
    assert close([blue, white], [BLUE, WHITE], tolerance=30)


def test_colours_of_a_bmp_are_those_of_its_profile():
    assert close(read_photo(bmp_with_profile(quadrants(), swapped())).getpixel((10, 10)), (0, 255, 0), tolerance=30)


def test_palettes_and_transparent_pictures_have_profiles_too():
    clear = quadrants().convert("RGBA")
    clear.paste((0, 0, 0, 0), (40, 30, 80, 60))
    for picture in (quadrants().quantize(4), clear):
        photo = read_photo(saved(picture, "PNG", icc_profile=swapped()))
        assert close(photo.getpixel((10, 10)), (0, 255, 0), tolerance=30)
        assert photo.getpixel((70, 50)) == WHITE


def test_greys_and_inks_have_profiles_too():
    grey = read_photo(saved(Image.new("L", (8, 8), 64), "PNG", icc_profile=LINEAR_GREY))
    assert close(grey.getpixel((4, 4)), (137,) * 3, tolerance=2)
    cyan = read_photo(saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", icc_profile=cmyk_profile()))
    assert close(cyan.getpixel((4, 4)), WHITE, tolerance=2)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_photo_in_srgb_keeps_every_pixel(format):
    picture = Image.effect_noise((64, 64), 90).convert("RGB")
    assert read_photo(saved(picture, format, icc_profile=SRGB)) == read_photo(saved(picture, format))


@pytest.mark.parametrize(
    "profile",
    [
        b"p",
        b"\xff" * 5000,
        swapped()[:200],
        swapped()[:-100],
        LINEAR_GREY,
        cmyk_profile(),
        LAB,
        swapped() + bytes(5_000_000),
        swapped() + b"mpet",
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_a_profile_that_is_broken_or_of_another_kind_changes_nothing(profile, mode):
    picture = quadrants().quantize(4) if mode == "P" else quadrants().convert(mode)
    assert read_photo(saved(picture, "TIFF", icc_profile=profile)) == read_photo(saved(picture, "TIFF"))


def test_a_profile_of_rgb_is_ignored_for_inks():
    picture = quadrants().convert("CMYK")
    assert read_photo(saved(picture, "JPEG", icc_profile=swapped())) == read_photo(saved(picture, "JPEG"))


def test_a_png_may_describe_its_colours_in_chunks():
    picture = Image.new("RGB", (8, 8), (64, 64, 64))
    red_is_blue = SRGB_POINTS[0], SRGB_POINTS[3], SRGB_POINTS[2], SRGB_POINTS[1]

    def level(*chunks):
        return read_photo(png_with(picture, *chunks)).getpixel((4, 4))[0]

    assert close(level(gama(1.0)), 137, tolerance=2)
    assert level(gama(1 / 2.2)) == 64, "This is how sRGB is written."
    assert level(gama(1.0), chunk(b"sRGB", b"\0")) == 64
    assert level(gama(1.0), iccp(SRGB)) == 64
    assert close(level(cicp(1, 8), chunk(b"sRGB", b"\0")), 137, tolerance=2)
    assert level(chrm(*red_is_blue)) == 64, "Browsers want a gamma, too."
    photo = read_photo(png_with(quadrants(), chrm(*red_is_blue), gama(1 / 2.2)))
    assert close(photo.getpixel((10, 10)), BLUE, tolerance=3)


@pytest.mark.parametrize("points", [[(0.3, 0), (0.6, 0.3), (0.3, 0.6), (0.1, 0.1)], [(0.3, 0.3)] * 4, [(0, 0)] * 4])
def test_impossible_colours_in_chunks_change_nothing(points):
    assert read_photo(png_with(quadrants(), chrm(*points), gama(0.5))) == quadrants()


def test_code_points_of_an_avif_count():
    linear = read_photo(avif_with_code_points(Image.new("RGB", (64, 64), (64, 64, 64)), 1, 8))
    assert close(linear.getpixel((30, 30)), (137,) * 3, tolerance=3)


# Numbers of more bits, and bits in other places


@pytest.mark.parametrize(("white", "type"), [(1, "<f4"), (1.4, "<f4"), (255, "<f4"), (65535, "<f4"), (65535, "<u2")])
def test_greys_of_every_range_run_from_black_to_white(white, type):
    ramp = np.linspace(0, white, 256)[None].repeat(8, axis=0).astype(type)
    levels = np.asarray(read_photo(tiff_of(ramp)))[0, :, 0]
    assert levels[0] == 0 and levels[-1] == 255
    assert close(levels[64], 255 * min(1, 64 / 255 * max(1, white if white < 2 else 1)), tolerance=1)


def test_a_few_highlights_do_not_make_a_float_black():
    greys = np.full((16, 16), 0.5, np.float32)
    greys[0, :3] = 1.2, 40, 1000
    assert close(read_photo(tiff_of(greys)).getpixel((8, 8)), (128,) * 3, tolerance=1)


def test_unsigned_greys_of_32_bits_are_not_taken_for_negative_ones():
    ramp = np.linspace(0, 2**32 - 1, 256)[None].repeat(8, axis=0).astype("<u4")
    assert close(np.asarray(read_photo(tiff_of(ramp)))[0, :, 0], np.arange(256), tolerance=1)


def test_a_float_that_is_not_a_number_is_black():
    greys = np.full((8, 8), 0.5, np.float32)
    greys[0, 0] = np.nan
    photo = read_photo(tiff_of(greys))
    assert close([photo.getpixel((0, 0)), photo.getpixel((4, 4))], [(0,) * 3, (128,) * 3], tolerance=1)


def test_a_dark_png_of_16_bits_stays_dark():
    assert read_photo(saved(Image.fromarray(np.full((8, 8), 200, np.uint16)), "PNG")).getpixel((4, 4)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("depth", "masks", "options"),
    [
        (32, (0x3FF00000, 0xFFC00, 0x3FF), {}),
        (32, (0x3FF00000, 0xFFC00, 0x3FF), {"top_down": True}),
        (32, (0x3FF, 0xFFC00, 0x3FF00000), {}),
        (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000), {"header": 108}),
        (32, (0xFF, 0xFF00, 0xFF0000), {}),
        (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF), {"header": 124}),
        (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), {"compression": 6}),
        (32, (0xF800, 0x7E0, 0x1F), {}),
        (32, (0xFFE00000, 0x1FFC00, 0x3FF), {"header": 52}),
        (16, (0xF00, 0xF0, 0xF), {}),
        (16, (0xF00, 0xF0, 0xF, 0xF000), {"header": 56}),
        (16, (0x1F, 0x7E0, 0xF800), {}),
        (16, (0xFC00, 0x3E0, 0x1F), {}),
    ],
)
def test_a_bmp_may_store_its_colours_in_any_bits(depth, masks, options):
    photo = read_photo(bmp_with_masks(quadrants(), masks, depth, **options))
    assert photo.size == (80, 60) and close(corners(photo), [RED, GREEN, BLUE, WHITE], tolerance=10)


def test_a_bmp_with_alpha_is_shown_on_white():
    masks = 0xFF0000, 0xFF00, 0xFF, 0xFF000000
    for options in ({"header": 124}, {"header": 108, "compression": 0}, {"compression": 6}):
        photo = read_photo(bmp_with_masks(quadrants(), masks, alpha=0, **options))
        assert photo.getpixel((10, 10)) == WHITE, options


def test_a_bmp_without_bits_for_a_colour_is_read_without_it():
    photo = read_photo(bmp_with_masks(Image.new("RGB", (8, 8), "white"), (0xFF0000, 0, 0xFF)))
    assert photo.getpixel((4, 4)) == (255, 0, 255)


@pytest.mark.parametrize("masks", [(0xFF00FF, 0xFF00, 0xFF), (0x50000000, 0xFF00, 0xFF)])
def test_a_bmp_whose_colour_bits_are_not_contiguous_is_refused(masks):
    with pytest.raises(PhotoError, match="damaged"):
        read_photo(bmp_with_masks(quadrants(), masks))


def test_a_bmp_of_four_colours_is_read():
    picture = quadrants().quantize(4)
    palette = np.array(picture.getpalette()).reshape(-1, 3)[:4].tolist()
    photo = read_photo(bmp_of_four_colours(picture, palette))
    assert close(corners(photo), [RED, GREEN, BLUE, WHITE], tolerance=10)


def test_a_bmp_in_odd_bits_that_is_cut_short_or_too_large_is_refused():
    content = bmp_with_masks(quadrants(), (0x3FF00000, 0xFFC00, 0x3FF))
    with pytest.raises(PhotoError, match="damaged or cut short"):
        read_photo(content[:-1])
    with pytest.raises(PhotoError, match="too many pixels"):
        read_photo(content[:18] + struct.pack("<ii", 100_000, 100_000) + content[26:])


# Broken chunks of a PNG


@pytest.mark.parametrize(
    "chunk",
    [
        chunk(b"pHYs", bytes(9)),
        chunk(b"tEXt", b"Title\0pizza"),
        chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"pizza")),
        chunk(b"iTXt", b"Title\0\0\0\0\0pizza"),
        chunk(b"tIME", bytes(7)),
        chunk(b"bKGD", bytes(6)),
        chunk(b"sBIT", b"\x08\x08\x08"),
        chunk(b"eXIf", exif(6)[6:]),
        gama(1.0),
        cicp(1, 8),
        iccp(swapped()),
        chunk(b"acTL", struct.pack(">II", 2, 0)),
        chunk(b"abCd", b"something of a program's own"),
    ],
)
def test_a_png_with_a_wrong_checksum_beside_the_pixels_is_read_without_that_chunk(chunk):
    assert read_photo(png_with(quadrants(), wrong(chunk), wrong(chunk), after=wrong(chunk))) == quadrants()


@pytest.mark.parametrize(
    "chunk",
    [
        chunk(b"pHYs", b""),
        chunk(b"gAMA", b"\0"),
        chunk(b"sRGB", b""),
        chunk(b"cHRM", bytes(5)),
        chunk(b"iCCP", b""),
        chunk(b"iCCP", b"profile\0\1" + zlib.compress(swapped())),
        chunk(b"zTXt", b"Title\0\0" + zlib.compress(bytes(2_000_000))),
        iccp(bytes(5_000_000)),
    ],
)
def test_a_png_with_a_chunk_of_the_wrong_length_is_read_without_it(chunk):
    assert read_photo(png_with(quadrants(), chunk)) == quadrants()


def test_a_large_profile_of_a_png_counts():
    profile = swapped() + np.random.default_rng(0).bytes(2_000_000)
    assert close(read_photo(png_with(quadrants(), iccp(profile))).getpixel((10, 10)), (0, 255, 0), tolerance=30)


def test_a_png_keeps_its_colours_when_another_chunk_is_broken():
    photo = read_photo(png_with(quadrants(), iccp(swapped()), wrong(chunk(b"tEXt", b"Title\0pizza"))))
    assert close(photo.getpixel((10, 10)), (0, 255, 0), tolerance=30)


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE"])
def test_a_png_with_a_wrong_checksum_of_what_the_pixels_need_is_refused(kind):
    content = bytearray(saved(quadrants().quantize(4), "PNG"))
    at = content.index(kind)
    content[at + 4 + int.from_bytes(content[at - 4 : at], "big")] ^= 0xFF
    with pytest.raises(PhotoError, match="damaged"):
        read_photo(bytes(content))


# Photos of many pixels


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_of_200_megapixels_is_read_small(options):
    photo = saved(Image.new("RGB", (16320, 12240), RED), "JPEG", quality=60, **options)
    assert read_photo(photo, at_least=576).size == (2040, 1530)
    assert read_photo(photo).size == (8160, 6120)
    assert close(read_photo(photo, at_least=576).getpixel((9, 9)), RED)


def test_a_jpeg_beyond_every_scale_is_refused():
    content = saved(quadrants(), "JPEG")
    frame = content.index(b"\xff\xc0")
    with pytest.raises(PhotoError, match="65500 x 65500 pixels, too large"):
        read_photo(content[: frame + 5] + struct.pack(">HH", 65_500, 65_500) + content[frame + 9 :], at_least=640)


# Files of other kinds


def test_an_empty_file_gets_its_own_sentence(tmp_path):
    (tmp_path / "photo.jpg").touch()
    for source in (b"", tmp_path / "photo.jpg", io.BytesIO()):
        with pytest.raises(PhotoError, match=r"^This file is empty\. Try "):
            read_photo(source)


@pytest.mark.parametrize(
    "content",
    [
        raw_tiff(photometric=32803),
        raw_tiff(photometric=34892, compression=7),
        raw_tiff(photometric=32803, compression=34713, bits=14),
        raw_tiff(compression=32767, bits=12),
        tiff(64, 48, [bytes(64 * 48)], {50706: (1, b"\1\4\0\0")}),
        raw_behind_a_preview(),
        b"II*\0\x10\0\0\0CR\2\0" + bytes(500),
        boxed(b"crx "),
        b"FUJIFILMCCD-RAW 0201" + bytes(500),
        b"IIU\0\x18\0\0\0" + bytes(500),
        b"IIRO\x08\0\0\0" + bytes(500),
        b"MMOR\0\0\0\x08" + bytes(500),
        b"FOVb" + bytes(500),
    ],
)
def test_camera_raw_gets_its_own_sentence(content):
    with pytest.raises(PhotoError, match=r"camera raw file, which can't be read here\. Try to export it as a JPEG"):
        read_photo(content)


@pytest.mark.parametrize(
    ("compression", "name"),
    [(34887, "LERC"), (50002, "JPEG XL"), (52546, "JPEG XL"), (34712, "JPEG 2000"), (99, "an un")],
)
def test_a_tiff_with_unsupported_compression_gets_a_sentence_that_names_it(compression, name):
    with pytest.raises(PhotoError, match=rf"TIFF with {name}.*compression, which can't be read here\. Try "):
        read_photo(raw_tiff(compression=compression, bits=8))


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3), "<f4"), np.zeros((4, 4), "<f8"), np.zeros((4, 4, 3), "<u4")])
def test_a_tiff_of_unusual_pixels_is_not_called_damaged(array):
    with pytest.raises(PhotoError, match=r"TIFF with an unusual kind of pixels, which can't be read here\. Try "):
        read_photo(tiff_of(array))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"),  # 12 bits
        (b"\xff\xc0\0\x11\x08", b"\xff\xc3\0\x11\x10"),  # lossless, 16 bits
        (b"\xff\xc0\0\x11\x08", b"\xff\xc5\0\x11\x08"),  # hierarchical
    ],
)
def test_a_jpeg_of_unusual_pixels_is_not_called_damaged(before, after):
    with pytest.raises(PhotoError, match=r"JPEG with an unusual kind of pixels, which can't be read here\. Try "):
        read_photo(saved(quadrants(), "JPEG").replace(before, after))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(PhotoError, match="This is a pipe or a device, not a photo"):
        read_photo(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (xcode_png(), "rewritten by Xcode"),
        (b"\xff\x0a" + bytes(99), "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "a JPEG XL picture"),
        (saved(quadrants(), "JPEG2000"), "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51" + bytes(99), "a JPEG 2000 picture"),
        (b"II\xbc\x01" + bytes(99), "a JPEG XR picture"),
        (b"8BPS\0\1" + bytes(99), "a Photoshop file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg width='9'/>", "an SVG drawing"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript file"),
        (saved(quadrants(), "PPM"), "a Netpbm picture"),
        (saved(quadrants().resize((64, 64)), "ICO"), "a Windows icon"),
        (boxed(b"isom"), "a video, not a photo"),
        (boxed(b"qt  "), "a video, not a photo"),
        (b"\x1a\x45\xdf\xa3" + bytes(99), "a video, not a photo"),
        (b"RIFF\0\1\0\0AVI LIST" + bytes(99), "a video, not a photo"),
        (b"\n<!doctype html><img src=pizza.jpg>", "a web page, not a photo"),
        (b"<!-- saved from the web -->\n<html><svg>", "a web page, not a photo"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0'>", "a web page, not a photo"),
        (b"<title>403 Forbidden</title>", "a web page, not a photo"),
        ((b"G" + bytes(187)) * 3, "a video, not a photo"),
        (b"version https://git-lfs.github.com/spec/v1\n", "stored elsewhere"),
        (b"PK\3\4" + bytes(99), "an archive or a document"),
        (b"this is not a photo", "not a photo that can be read here"),
    ],
)
def test_a_file_of_another_kind_is_named(content, sentence):
    with pytest.raises(PhotoError, match=rf"^This .*{sentence}.*\. Try [^.]*\.$"):
        read_photo(content)
