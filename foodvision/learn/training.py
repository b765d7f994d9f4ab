"""For `train.ipynb`: bodies, mixed precision on a CPU, augmentation, losses and calibration."""

import random
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from fastai.layers import Lambda
from fastai.vision.augment import RandTransform
from fastai.vision.core import PILImage, imagenet_stats
from fastai.vision.learner import default_split, model_meta
from PIL import ImageEnhance
from torch import Tensor, nn
from torch.nn import functional as F

UNASKED = -1  # the answer of a dish for which any would do
MAX_LINEAR = 3  # linear layers in a classifier; a transformer's encoder has more
MIN_PROBABILITY = 1e-6  # its logarithm is finite


def describe_body(body: Callable[..., nn.Module], weights: str | None = "DEFAULT") -> None:
    """Tell fastai where to cut a torchvision body, and which weights (by name) to start from.

    Raises ValueError for a body that isn't a plain sequence of layers.
    """
    _cut(body(weights=None))
    model_meta[body] = {"cut": _cut, "split": default_split, "stats": imagenet_stats, "weights": weights}


def _cut(model: nn.Module) -> nn.Sequential:
    """The layers before the last pooling and the classifier, without auxiliary classifiers."""
    layers = [layer for name, layer in model.named_children() if not name.lower().startswith("aux")]
    while layers and _is_of_the_head(layers[-1]):
        layers.pop()
    body = nn.Sequential(*layers)
    try:
        with torch.no_grad():
            features = body.eval()(torch.zeros(1, 3, 224, 224))
        whole = features.ndim == 4
    except Exception:  # it isn't a plain sequence of layers
        whole = False
    if not whole:
        name = type(model).__name__
        raise ValueError(f"{name} can't be cut. Train it whole: Learner(dls, body(num_classes=dls.c), ...).")
    return body.train()


def _is_of_the_head(layer: nn.Module) -> bool:
    kinds = [type(module) for module in layer.modules()]
    flat = {nn.Linear, nn.Dropout, nn.Flatten, nn.AdaptiveAvgPool2d} & set(kinds)
    return bool(flat) and nn.Conv2d not in kinds and kinds.count(nn.Linear) <= MAX_LINEAR


class CPUMixedPrecision(MixedPrecision):
    """bfloat16 on a CPU; fastai's own mixed precision needs a GPU."""

    def __init__(self):
        super().__init__("bf16")

    def before_fit(self):
        super().before_fit()
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16)


def mixed_precision() -> list[Callback]:
    """The callbacks that train fastest on this machine. `learner.to_contiguous(to_fp32=True)` removes them."""
    if torch.cuda.is_available():
        return [ChannelsLast(), MixedPrecision()]
    if torch.cpu.get_capabilities().get("avx512_bf16"):
        return [ChannelsLast(), CPUMixedPrecision()]
    return [ChannelsLast()]


def photo_weights(photos: pd.DataFrame, shares: dict[str, float]) -> list[float]:
    """Sampling weights for a table of photos that give each label its share of an epoch."""
    counts = photos.label[photos.split == "train"].value_counts()
    return (photos.label.map(shares) / photos.label.map(counts)).tolist()


class Sharpness(RandTransform):
    """Softens or sharpens most training photos, because visitors' photos vary more in sharpness than a data set's."""

    order = 2  # after cropping, at the network's resolution

    def __init__(self):
        super().__init__(p=0.8)

    def encodes(self, photo: PILImage) -> PILImage:
        return PILImage.create(ImageEnhance.Sharpness(photo).enhance(random.uniform(0, 2.5)))


class Grain(RandTransform):
    """Adds grain to a quarter of the training photos, as cameras do in low light."""

    order = 3  # last, because the other transforms would smooth it

    def __init__(self):
        super().__init__(p=0.25)

    def encodes(self, photo: PILImage) -> PILImage:
        pixels = np.asarray(photo, dtype=np.float32)
        grain = np.random.normal(0, random.uniform(0, 14), pixels.shape)
        return PILImage.create((pixels + grain).clip(0, 255).astype(np.uint8))


class AnswersAndDishes(nn.Module):
    """Loss with label smoothing for logits (photos, answers + dishes) and target dishes (photos).

    `answer_of` gives the index of each dish's answer, or UNASKED. The dishes' loss is halved, to give priority to the
    answers (Caruana, "Multitask Learning", 1997).
    """

    def __init__(self, answer_of, answers):
        super().__init__()
        self.answer_of, self.answers = torch.tensor(answer_of), answers

    def forward(self, logits, dishes):
        answers, wanted = logits[:, : self.answers], self._wanted(dishes)
        loss = F.cross_entropy(answers, wanted, ignore_index=UNASKED, label_smoothing=0.1)
        return loss + F.cross_entropy(logits[:, self.answers :], dishes, label_smoothing=0.1) / 2

    def accuracy(self, logits, dishes):
        """Accuracy of the answers, leaving out dishes whose answer is UNASKED."""
        wanted = self._wanted(dishes)
        return (logits[:, : self.answers].argmax(dim=1) == wanted)[wanted != UNASKED].float().mean()

    def _wanted(self, dishes):
        return self.answer_of.to(dishes.device)[dishes]


def keep_dishes(model: nn.Module, answers: int) -> nn.Module:
    """Drop the first `answers` outputs of a model that ends in a linear layer without a bias."""
    last = _last_linear(model)
    last.weight = nn.Parameter(last.weight[answers:].detach().clone())
    last.out_features -= answers
    return model


def add_up(answer_of: list[str], vocab: list[str]) -> nn.Sequential:
    """Layers that turn logits of dishes (photos, dishes) into logits of answers (photos, vocab).

    An answer's probability is the sum of its dishes' probabilities; `answer_of` names each dish's answer. The layers
    are fastai's and PyTorch's, so the exported learner needs no other package. They need float32. The last one changes
    nothing until `scale_logits` is called.
    """
    total = nn.Linear(len(answer_of), len(vocab)).requires_grad_(False)
    total.weight.zero_()
    for dish, answer in enumerate(answer_of):
        total.weight[vocab.index(answer), dish] = 1
    total.bias.fill_(MIN_PROBABILITY - 1)  # a pickle can name torch.special.log1p, but not torch.log
    last = nn.Linear(len(vocab), len(vocab), bias=False).requires_grad_(False)
    nn.init.eye_(last.weight)
    return nn.Sequential(nn.Softmax(dim=1), total, Lambda(torch.special.log1p), last)


def fit_temperature(logits: Tensor, targets: Tensor, mislabelled: float = 0.0) -> float:
    """The temperature at which logits (photos, classes) fit targets (photos) best.

    This is temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017). Wrong labels would make
    the model underconfident, so a share `mislabelled` (0 to 1) of the photos, those that fit worst, is left out.
    """
    losses = F.cross_entropy(logits, targets, reduction="none")
    kept = losses <= losses.quantile(1 - mislabelled)
    log_temperature = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits[kept] / log_temperature.exp(), targets[kept])
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_temperature.exp().item()


def scale_logits(model: nn.Module, temperature: float) -> None:
    """Calibrate a model that ends in a linear layer, by dividing its logits by a temperature."""
    last = _last_linear(model)
    with torch.no_grad():
        last.weight /= temperature
        if last.bias is not None:
            last.bias /= temperature


def _last_linear(model):
    return [layer for layer in model.modules() if isinstance(layer, nn.Linear)][-1]
