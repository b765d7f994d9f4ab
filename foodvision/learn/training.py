"""For `train.ipynb`: stages that resume, the loss of coarse labels, and mixed precision on a CPU."""

from collections.abc import Iterable
from functools import partial

import pandas as pd
import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from fastai.callback.progress import CSVLogger
from fastai.callback.schedule import Learner
from fastai.callback.tracker import SaveModelCallback
from fastai.callback.training import BnFreeze
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def fit_stage(
    learner: Learner, stage: str, epochs: int, lr: float | slice, cbs: Iterable[Callback] = (), **options: float
) -> pd.DataFrame:
    """`fit_one_cycle`, saved after each epoch as `models/STAGE_EPOCH.pth`; returns the table of all epochs.

    Called again, it resumes after the last epoch that was saved. The weights of a finished stage are in
    `models/STAGE.pth`, and are only loaded.
    """
    folder = learner.path / learner.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / f"{stage}.pth").exists():
        learner.load(stage, with_opt=False)
    else:
        done = len(list(folder.glob(f"{stage}_[0-9]*.pth")))
        if done:
            learner.load(f"{stage}_{done - 1}")
        log = CSVLogger(f"{learner.model_dir}/{stage}_{done}.csv")
        callbacks = [SaveModelCallback(every_epoch=True, fname=stage, with_opt=True), log, *cbs]
        learner.fit_one_cycle(epochs, lr, start_epoch=done, cbs=callbacks, **options)
        learner.save(stage, with_opt=False)
    logs = sorted(folder.glob(f"{stage}_[0-9]*.csv"), key=lambda path: int(path.stem.rsplit("_", 1)[-1]))
    table = pd.concat([pd.read_csv(path, index_col="epoch") for path in logs]).dropna()  # epochs that were skipped
    return table.astype({"train_loss": float})


class SumOfClasses(nn.Module):
    """Cross-entropy with label smoothing, where a label may stand for several classes.

    A photo of "any steak" shows one of the steaks, nobody knows which: its loss is minus the logarithm of the sum of
    their probabilities. `members` has each label's classes, by index; the network gives logits (photos, `classes`).
    """

    def __init__(self, members: list[list[int]], classes: int, smoothing: float = 0.1) -> None:
        super().__init__()
        self.smoothing = smoothing
        mask = torch.full((len(members), classes), -torch.inf)
        for label, indices in enumerate(members):
            mask[label, indices] = 0
        self.register_buffer("mask", mask)

    def forward(self, logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
        log_p = logits.log_softmax(dim=1)
        loss = -(log_p + self.mask[labels]).logsumexp(dim=1)
        loss = (1 - self.smoothing) * loss - self.smoothing * log_p.mean(dim=1)
        return loss.mean() if reduction == "mean" else loss

    def accuracy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The share of photos whose likeliest class is one that the label stands for."""
        return (self.mask[labels, logits.argmax(dim=1)] == 0).float().mean()


class Averaged(Callback):
    """Keeps an exponential average of the weights, and leaves it in the model after the last epoch."""

    def __init__(self, decay: float = 0.995) -> None:
        self.decay = decay

    def before_fit(self) -> None:
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(self.decay), use_buffers=True)

    def after_step(self) -> None:
        self.average.update_parameters(self.model)

    def after_fit(self) -> None:
        self.model.load_state_dict(self.average.module.state_dict())


class CPUMixedPrecision(MixedPrecision):
    """bfloat16 on a CPU; fastai's own mixed precision needs a GPU.

    Depthwise convolutions stay in float32, because oneDNN's bfloat16 gradients of those with strides or 5 x 5 pixels
    are several times slower.
    """

    def __init__(self) -> None:
        super().__init__("bf16")

    def before_fit(self) -> None:
        super().before_fit()
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16)
        for layer in self._depthwise():
            layer.forward = partial(_in_float32, layer)

    def after_fit(self) -> None:
        super().after_fit()
        for layer in self._depthwise():
            layer.__dict__.pop("forward", None)

    def _depthwise(self) -> list[nn.Conv2d]:
        return [layer for layer in self.model.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1]


def _in_float32(layer: nn.Conv2d, pixels: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        made = F.conv2d(
            pixels.float(), layer.weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups
        )
    return made.bfloat16()


def mixed_precision() -> list[Callback]:
    """The callbacks that train fastest on this machine. `learner.to_contiguous(to_fp32=True)` removes them.

    Batch norm keeps ImageNet's statistics, since crops of several resolutions would blur its own.
    """
    if torch.cuda.is_available():
        return [ChannelsLast(), MixedPrecision(), BnFreeze()]
    if torch.cpu.get_capabilities().get("avx512_bf16"):
        return [ChannelsLast(), CPUMixedPrecision(), BnFreeze()]
    return [ChannelsLast(), BnFreeze()]
