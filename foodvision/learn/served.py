"""The network that is served: a learner's model, preceded by those batch transforms that resize photos."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from fastai.data.transforms import IntToFloatTensor, Normalize
from fastai.imports import noop
from fastai.learner import Learner
from fastai.losses import BaseLoss
from fastai.torch_core import to_cpu
from fastai.vision import augment
from fastai.vision.core import PILImage
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from .describe import WANTED, CompileError, on_validation, reason
from .left_out import LeftOut, UnknownNames

TRIALS = 4  # pictures on which models are compared
MIN_PROBABILITY = 1e-30  # its logarithm is finite


def draw_noise(seed: int = 0) -> Image.Image:
    """A noise picture: any two different models give different answers to it."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (301, 407, 3), dtype=np.uint8))


def answer_noise(learner: Learner, classes: int) -> tuple[np.ndarray, bool]:
    """The learner's probabilities (TRIALS, classes) for noise pictures, and whether its model ends in a softmax.

    Raises UnknownNames, and CompileError if it doesn't give a probability for each class.
    """
    outputs = _outputs(learner)
    if not isinstance(outputs, Tensor) or outputs.shape != (TRIALS, classes):
        shape = tuple(outputs.shape[1:]) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise CompileError(f"This learner has {classes} classes but answers a photo with {shape}. {WANTED}")
    if not outputs.isfinite().all():
        raise CompileError("This learner answers a photo with numbers that aren't finite. Train it again.")
    _check_loss(learner.loss_func, classes)
    ends_in_softmax = bool((outputs >= 0).all() and (outputs.sum(dim=1) - 1).abs().max() < 1e-3)
    return (outputs if ends_in_softmax else outputs.softmax(dim=1)).numpy(), ends_in_softmax


def served_model(learner: Learner, ends_in_softmax: bool = False, mapped: bool = False) -> nn.Sequential:
    """The learner's model, preceded by its resizing batch transforms. It gives logits, for one softmax.

    With `mapped` it also gives class-activation maps, if it has a body and a head (see `Mapped`).
    """
    layers = [layer for transform in on_validation(learner.dls.valid.after_batch) for layer in _layers(transform)]
    model = learner.model
    if ends_in_softmax:
        return nn.Sequential(*layers, model, _Logarithm()).eval()
    return nn.Sequential(*layers, Mapped(*model) if mapped and can_be_mapped(model) else model).eval()


def can_be_mapped(model: nn.Module) -> bool:
    """Whether a model is a body and a head, as `vision_learner` makes them, and the head pools what the body gives."""
    if not isinstance(model, nn.Sequential) or len(model) != 2:
        return False
    try:
        with torch.no_grad():
            features = model[0](torch.zeros(1, 3, 64, 64))
            return features.dim() == 4 and model[1](features[..., :1, :1]).dim() == 2
    except Exception:  # models of other sizes or inputs fail in as many ways as there are layers
        return False


class Mapped(nn.Module):
    """A body and its head, with class-activation maps (photos, classes, height, width) beside the logits.

    A map is what the head says of each place's features alone. For pooling and a linear head these are the class
    activations of Zhou et al. ("Learning Deep Features for Discriminative Localization", 2016), whose mean is the
    logit. For a head with more layers they are an approximation.
    """

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(photos)
        count, channels, height, width = features.shape
        places = features.permute(0, 2, 3, 1).reshape(count * height * width, channels, 1, 1)
        maps = self.head(places).reshape(count, height, width, -1).permute(0, 3, 1, 2)
        return self.head(features), maps


@contextmanager
def ready(model: nn.Module) -> Iterator[None]:
    """Put a model on the CPU, in float32 and evaluation mode, and restore it afterwards."""
    modes = [(module, module.training, module._buffers.copy()) for module in model.modules()]
    weights = [(weight, weight.data) for weight in model.parameters()]
    model.cpu().float().eval()
    try:
        yield
    finally:
        for weight, data in weights:
            weight.data = data
        for module, training, buffers in modes:
            module.training = training
            module._buffers.update(buffers)


def _outputs(learner: Learner) -> Any:
    """The model's outputs for the noise pictures, with its callbacks if those work without a training loop."""
    pictures = [PILImage.create(draw_noise(seed)) for seed in range(TRIALS)]
    try:
        dl = learner.dls.test_dl(pictures, num_workers=0)
        with_callbacks = _predict(learner, dl) if learner.cbs else None
        if with_callbacks is not None:
            return with_callbacks
        with torch.no_grad():
            outputs = [learner.model(*to_cpu(batch)) for batch in dl]
    except UnknownNames:
        raise
    except Exception as error:  # text, tables, photos of another kind
        raise CompileError(f"This learner fails on an RGB photo ({reason(error)}). {WANTED}") from error
    return torch.cat(outputs).float() if isinstance(outputs[0], Tensor) else outputs[0]


def _predict(learner: Learner, dl: Any) -> Tensor | None:
    """The outputs with the learner's callbacks; None if one fails, and then the model alone must answer."""
    try:
        with learner.no_bar(), learner.no_logging():
            return learner.get_preds(dl=dl, act=noop)[0].float()
    except Exception:
        return None


def _check_loss(loss: Any, classes: int) -> None:
    """Refuse a loss that decodes with a sigmoid, because it judges each class separately."""
    if isinstance(loss, LeftOut) or not isinstance(loss, BaseLoss) or classes < 2:
        return
    logits = torch.randn(TRIALS, classes)
    if torch.allclose(loss.activation(logits), logits.sigmoid()):
        raise CompileError(
            f"The loss {type(loss).__name__} doesn't choose one label for each photo. "
            "Train with CrossEntropyLossFlat, or give the learner the loss it was trained with."
        )


def _layers(transform: Any) -> list[nn.Module]:
    match transform:
        case augment.RandomResizedCropGPU():
            return [_Resample(transform.size, transform.valid_scale, align_corners=True)]
        case augment.AffineCoordTfm():
            resizes = transform.size is not None
            return [_Resample(transform.size, align_corners=transform.align_corners)] if resizes else []
        case IntToFloatTensor() | Normalize():
            return []
    raise CompileError(
        f"FoodVision can't repeat the batch transform {type(transform).__name__} on validation photos. "
        "Leave it out, or let it run on training photos alone (split_idx = 0)."
    )


class _Logarithm(nn.Module):
    """Turns probabilities into logits."""

    def forward(self, probabilities):
        return probabilities.clamp(min=MIN_PROBABILITY).log()


class _Resample(nn.Module):
    """Resizes a batch as fastai does: `affine_coord` with a size and no movement (`fastai.vision.augment`)."""

    def __init__(self, size, scale=1.0, align_corners=None):
        super().__init__()
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.scale, self.align_corners = scale, align_corners

    def forward(self, photos):
        photos = self._center(photos)
        shrink = min(has / wants for has, wants in zip(photos.shape[-2:], self.size, strict=True)) / 2
        if shrink > 1:
            photos = F.interpolate(photos, scale_factor=1 / shrink, mode="area", recompute_scale_factor=True)
        still = torch.eye(2, 3).expand(photos.shape[0], 2, 3)
        grid = F.affine_grid(still, [photos.shape[0], 3, *self.size], align_corners=self.align_corners)
        return F.grid_sample(photos, grid, padding_mode="reflection", align_corners=self.align_corners)

    def _center(self, photos):
        height, width = photos.shape[-2:]
        high, wide = int(height * self.scale), int(width * self.scale)
        top, left = (height - high) // 2, (width - wide) // 2
        return photos[..., top : top + high, left : left + wide]
