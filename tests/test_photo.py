"""A photo is read the way a person sees it, or refused with a sentence."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from reliability.files import BLUE, GREEN, RED, WHITE, corners, quadrants, saved

from foodvision import PhotoError, read_photo


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


def test_broken_exif_does_not_cost_the_photo():
    content = saved(quadrants(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff nonsense")
    assert read_photo(content).size == (80, 60)


@pytest.mark.parametrize(
    "content", [b"", b"this is not a photo", b"%PDF-1.7 nor is this", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_photo_is_refused_with_a_sentence(content):
    with pytest.raises(PhotoError, match=r"not a photo .* Try "):
        read_photo(content)


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
