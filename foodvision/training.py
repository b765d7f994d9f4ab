"""What `train.ipynb` needs beyond fastai: bodies, mixed precision on a CPU, and calibration."""

import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.callback.fp16 import MixedPrecision
from fastai.vision.core import imagenet_stats
from fastai.vision.learner import default_split, has_pool_type, model_meta
from torch.nn import functional as F


def describe_body(body, weights):
    """Tell fastai where to cut a torchvision body, and which of its weights (their name) to start from."""
    layers = list(body(weights=None).children())
    pools = [place for place, layer in enumerate(layers) if has_pool_type(layer)]
    cut = pools[-1] if pools else -1
    model_meta[body] = {"cut": cut, "split": default_split, "stats": imagenet_stats, "weights": weights}


class CPUMixedPrecision(MixedPrecision):
    """bfloat16 on a CPU; fastai's own mixed precision runs on a GPU alone."""

    def __init__(self):
        super().__init__("bf16")

    def before_fit(self):
        super().before_fit()
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16)


def mixed_precision():
    """The callbacks that train fastest on this machine; `learner.to_contiguous(to_fp32=True)` takes them off again."""
    if torch.cuda.is_available():
        return [ChannelsLast(), MixedPrecision()]
    if torch.cpu.get_capabilities().get("avx512_bf16"):
        return [ChannelsLast(), CPUMixedPrecision()]
    return [ChannelsLast()]


def photo_weights(photos, shares):
    """How often each photo of the table is drawn, so that each label makes up its share of an epoch."""
    counts = photos.label[photos.split == "train"].value_counts()
    return (photos.label.map(shares) / photos.label.map(counts)).tolist()


def fit_temperature(logits, targets):
    """The temperature that makes logits (photos, classes) most likely for targets (photos).

    Temperature scaling of Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    log_temperature = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits / log_temperature.exp(), targets)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log_temperature.exp().item()


def scale_logits(model, temperature):
    """Divide the logits of a model that ends in a linear layer, so that its softmax is calibrated from then on."""
    last = _last_linear(model)
    with torch.no_grad():
        last.weight /= temperature
        if last.bias is not None:
            last.bias /= temperature


def raise_logits(learner, classes, by):
    """Add `by` to the logits of some classes (their places) of a learner that ends in a linear layer.

    Multiplies the odds of these classes by exp(by), as when they come up that much more often than in training.
    """
    last = _last_linear(learner.model)
    bias = torch.zeros(last.out_features) if last.bias is None else last.bias.detach().clone()
    bias[classes] += by
    last.bias = torch.nn.Parameter(bias)
    learner.create_opt()  # fastai's heads end without a bias, and the optimizer must know the new one


def _last_linear(model):
    return [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
