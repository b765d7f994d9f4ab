"""Where FoodVision finds its files: the current folder first, then the checkout or package it was installed from."""

import os
from pathlib import Path

PACKAGED = Path(__file__).parent / "packaged"  # only in a wheel, which pyproject.toml puts the files into
CHECKOUT = None if PACKAGED.is_dir() else Path(__file__).parents[1]
OWN_FOLDER = CHECKOUT or PACKAGED
MODEL_SETTING = "FOODVISION_MODEL"
NOTEBOOK = "foodvision.ipynb"  # the page


def find_file(name: str) -> Path:
    """The file with this name in the current folder, or else FoodVision's own, which may not exist."""
    here = Path(name)
    return here.absolute() if here.exists() else OWN_FOLDER / name


def find_model() -> Path:
    """The model to serve: the file named by FOODVISION_MODEL, or else `export.onnx`, found by `find_file`.

    If the current folder has an `export.pkl`, the model belongs beside it even if nobody has compiled it yet:
    FoodVision's own would be the wrong one.
    """
    if setting := os.environ.get(MODEL_SETTING):
        return Path(setting).absolute()
    return find_file("export.pkl").with_suffix(".onnx") if Path("export.pkl").exists() else find_file("export.onnx")
