"""FoodVision: a photo in, the name of the food out."""

from .classifier import Classifier, ModelError, Prediction
from .photo import PhotoError, read_photo

__all__ = ["Classifier", "ModelError", "PhotoError", "Prediction", "read_photo"]
