"""The notebooks run from top to bottom, and are committed clean."""

import itertools
import json
import os
import re
import subprocess
import sys
from itertools import groupby, islice

import numpy as np
import pytest
from conftest import FOOD_101, ROOT
from PIL import Image

FOODS = ["pizza", "steak", "filet_mignon", "prime_rib", "sushi"]
DISHES = [f"dish_{number}" for number in range(20)]


def run_notebook(name, **environment):
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=900", name]
    run = subprocess.run(
        [*command, "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


def draw_photo(path, random):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 256, (72, 96, 3), dtype=np.uint8)).save(path, "JPEG")


def some_course_photos():
    """Ids of eight photos of each label and split in the course's list."""
    lines = (ROOT / "foodvision" / "learn" / "course_photos.txt").read_text("utf-8").split()
    by_kind = groupby(sorted(lines), key=lambda line: line.split("/")[:2])
    return [line.split("/", 1)[1] for _, some in by_kind for line in islice(some, 8)]


@pytest.fixture
def drawn_data(tmp_path):
    """A FASTAI_HOME with noise in the layout of Food-101 and of the photos without food."""
    random, data = np.random.default_rng(0), tmp_path / "fastai" / "data"
    for split, count in ("train", 24), ("test", 6):
        ids = [f"{dish}/{number}{split == 'test':d}" for dish in FOODS + DISHES for number in range(count)]
        for photo_id in ids:
            draw_photo(data / "food-101" / "images" / f"{photo_id}.jpg", random)
        (data / "food-101" / "meta").mkdir(exist_ok=True)
        (data / "food-101" / "meta" / f"{split}.txt").write_text("\n".join(ids), encoding="utf-8")
    (data / "food-101" / "meta" / "classes.txt").write_text("\n".join(FOODS + DISHES), encoding="utf-8")
    for photo_id in some_course_photos():
        draw_photo(data / "food-101" / "images" / f"{photo_id}.jpg", random)
    for number in range(40):
        draw_photo(data / "imagenet-sample-images" / f"n0{number}_thing.JPEG", random)
    return tmp_path / "fastai"


@pytest.fixture
def training_data(drawn_data, tmp_path):
    """A FASTAI_HOME that may be written to: its `data` are the real photos where there are any."""
    if not FOOD_101.exists():
        print("No Food-101 photos in FASTAI_HOME: train.ipynb ran on noise, and no real photo was learnt from.")
        return drawn_data
    home = tmp_path / "home"
    home.mkdir()
    (home / "data").symlink_to(FOOD_101.parent)
    return home


@pytest.mark.slow
def test_the_dashboard_notebook_runs():
    run_notebook("foodvision.ipynb")


@pytest.mark.learn
@pytest.mark.slow
@pytest.mark.parametrize("name", ["train.ipynb", "compare.ipynb"])
def test_the_learning_notebooks_run_in_quick_mode_and_change_nothing(name, training_data):
    before = git_status()
    run_notebook(name, FOODVISION_QUICK="1", FASTAI_HOME=str(training_data))
    assert git_status() == before


def git_status():
    return subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, check=True).stdout


def cells_of(name):
    return json.loads((ROOT / name).read_text("utf-8"))["cells"]


def code_of(name):
    return [cell for cell in cells_of(name) if cell["cell_type"] == "code"]


def test_the_dashboard_notebook_is_committed_without_outputs():
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells_of("foodvision.ipynb"))


def test_the_comparison_is_committed_after_one_run_from_top_to_bottom():
    code = code_of("compare.ipynb")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_the_accuracy_page_quotes_what_the_comparison_printed():
    (cell,) = [cell for cell in code_of("compare.ipynb") if "measure_served(" in "".join(cell["source"])]
    printed = re.search(r"\b(\d+)/(\d+)\b", str(cell["outputs"]))
    assert printed, "compare.ipynb was committed without its outputs."
    right, count = printed.groups()
    lines = (ROOT / "docs" / "accuracy.md").read_text("utf-8").splitlines()
    (quoted,) = [line for line in lines if "`compare.ipynb`" in line]
    assert f"{right} of {count}" in quoted


def test_the_training_notebook_is_committed_after_one_run_and_without_photos():
    code = code_of("train.ipynb")
    shows_photos = [cell for cell in code if "strip" in cell["metadata"].get("tags", [])]
    assert shows_photos and not any(cell["outputs"] for cell in shows_photos)
    counts = [cell["execution_count"] for cell in code if cell not in shows_photos]
    assert counts == sorted(counts) and any("image/png" in str(cell["outputs"]) for cell in code)


@pytest.mark.parametrize("name", ["foodvision.ipynb", "train.ipynb", "compare.ipynb"])
def test_a_sentence_explains_each_code_cell(name):
    kinds = [cell["cell_type"] for cell in cells_of(name)]
    assert kinds[0] == "markdown"
    assert all(before == "markdown" for before, kind in itertools.pairwise(kinds) if kind == "code")
