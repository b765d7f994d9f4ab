"""FoodVision: a photo in, the name of the food out."""

import os
from importlib import import_module

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # or else ONNX Runtime reports to its makers from every kernel

__all__ = ["Classifier", "ModelError", "PhotoError", "Prediction", "read_photo"]
_MODULES = {"Classifier": "classifier", "ModelError": "classifier", "Prediction": "classifier"}


def __getattr__(name):
    """Each when it is first asked for: the server, which only draws pages, never loads what runs the model."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'photo')}"), name)
