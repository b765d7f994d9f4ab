"""Any file becomes the right picture or one clear sentence, in bounded time and memory."""

import io
import os
import subprocess
import sys
import tracemalloc

import pytest
from conftest import ROOT
from PIL import Image
from reliability.files import (
    Reader,
    bombs,
    cut_short,
    declared,
    fault,
    large,
    names,
    no_photos,
    quadrants,
    rare,
    read_damaged,
    saved,
    upright,
)

from foodvision import PhotoError, read_photo
from foodvision.answer.limits import MAX_FILE_BYTES, MAX_MEGABYTES
from foodvision.answer.preprocessing import to_pixels
from foodvision.page.pictures import encode

DAMAGED = 400  # files, for a quick look; `python -m tests.reliability.files --minutes 10` damages more


@pytest.fixture(scope="module")
def reader():
    with Reader() as reader:
        yield reader


def faults(reader, kind):
    """What is wrong with the readings of a kind of samples, by name; empty if all is well."""
    readings = {sample.what: fault(sample, reader.read(sample)) for sample in kind()}
    assert len(readings) > 5
    return {what: problem for what, problem in readings.items() if problem}


@pytest.mark.slow
def test_every_orientation_of_every_format_comes_out_upright(reader):
    assert not faults(reader, upright)


@pytest.mark.slow
def test_rare_colours_depths_shapes_and_animations_are_read_right(reader):
    assert not faults(reader, rare)


def test_a_name_says_nothing_about_a_photo(reader):
    assert not faults(reader, names)


@pytest.mark.slow
def test_a_photo_cut_anywhere_gets_a_sentence(reader):
    assert not faults(reader, cut_short)


def test_a_file_that_is_not_a_photo_gets_a_sentence_whatever_its_name(reader):
    assert not faults(reader, no_photos)


@pytest.mark.slow
def test_a_bomb_takes_little_time_and_memory(reader):
    assert not faults(reader, bombs)


@pytest.mark.slow
def test_the_largest_photo_takes_no_more_memory_than_promised(reader):
    assert not faults(reader, large)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to an amount of memory")
def test_an_avif_larger_than_it_says_takes_no_more_memory_than_promised(tmp_path):
    path = tmp_path / "large.avif"
    path.write_bytes(declared(saved(Image.new("RGB", (8000, 6000)), "AVIF", speed=10), side=100))

    def read(megabytes):
        """In a process of its own: this one has freed memory to take from."""
        program = "from foodvision.answer import photo; "
        program += f"photo.MAX_MEGABYTES = {megabytes}; print(photo.read_photo({str(path)!r}))"
        return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    assert "size=100x100" in read(MAX_MEGABYTES).stdout
    assert read(10).stderr.splitlines()[-1].startswith("foodvision.answer.refusals.PhotoError")


@pytest.mark.slow
def test_photos_damaged_at_random_become_pictures_or_sentences(capsys):
    tally = read_damaged(DAMAGED)
    with capsys.disabled():
        print(f"\n{tally.tried} damaged files: {tally}")
    assert min(tally.pictures, tally.sentences) > DAMAGED / 20


@pytest.mark.slow
@pytest.mark.parametrize("way", ["crop", "pad", "squish"])
def test_a_long_thin_photo_takes_little_memory_however_the_model_resizes_it(way):
    step = {"do": way, "size": [64, 64], "resample": 2, "pad_mode": "zeros"}
    tracemalloc.start()
    assert to_pixels(Image.new("RGB", (20_000, 1)), [step], [0.0] * 3, [1.0] * 3).shape == (3, 64, 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MAX_MEGABYTES * 1e6


@pytest.mark.slow
@pytest.mark.parametrize("size", [(70_000, 10), (700, 75_000)])
def test_a_photo_longer_than_a_jpeg_can_be_is_shown_all_the_same(size):
    assert Image.open(io.BytesIO(encode(Image.new("RGB", size)))).format == "JPEG"


def test_no_decoder_but_those_of_photos_is_reachable():
    content = saved(quadrants(), "PPM")
    assert Image.open(io.BytesIO(content)).format == "PPM"
    with pytest.raises(PhotoError, match=r"Netpbm picture, which can't be read"):
        read_photo(content)
    with pytest.raises(PhotoError, match=r"not a photo .* Try "):
        read_photo(saved(quadrants(), "SGI"))


def test_nothing_but_the_picture_is_returned():
    content = saved(
        quadrants(), "JPEG", comment=b"a secret", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", icc_profile=b"p"
    )
    assert not read_photo(content).info


@pytest.mark.slow
def test_a_file_too_large_to_be_a_photo_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "photo.tiff"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES * 100)  # of nothing: it takes no room
    with pytest.raises(PhotoError, match=r"too large\. Try"):
        read_photo(path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(PhotoError, match="This is a pipe"):
        read_photo(tmp_path / "photo.jpg")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_AS: nothing was checked")
def test_a_picture_that_needs_more_memory_than_there_is_gets_a_sentence(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.new("RGB", (6000, 6000)), "PNG"))
    script = (
        "import psutil, resource, sys; from foodvision.answer.photo import PhotoError, read_photo\n"
        "limit = psutil.Process().memory_info().vms + 100_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "try: read_photo(sys.argv[1])\n"
        "except PhotoError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert "more memory than there is" in run.stdout
