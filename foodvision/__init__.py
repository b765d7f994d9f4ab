"""Names the food in a photo: a fastai learner compiled to ONNX, served as a web page, an API or static files."""

import os
import sys
from importlib import import_module

from .moved import MovedModules

__version__ = "1.0.0"
__all__ = ["Classifier", "ModelError", "PhotoError", "Prediction", "compile_learner", "read_photo"]

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime would send telemetry from every kernel
sys.meta_path.append(MovedModules())

_MODULES = {
    "Classifier": "answer.classifier",
    "ModelError": "answer.classifier",
    "PhotoError": "answer.refusals",
    "Prediction": "answer.prediction",
    "compile_learner": "learn.compile",
    "read_photo": "answer.photo",
}


def __getattr__(name: str) -> object:
    """Import each name on first use, since the server draws pages without loading what runs the model."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
