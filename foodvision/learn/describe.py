"""Describes a fastai learner for the served file's metadata: class names, preprocessing and decision rule."""

import math
from typing import Any

from fastai.data.core import Datasets
from fastai.data.transforms import Categorize, MultiCategorize, Normalize, OneHotEncode, ToTensor
from fastai.learner import Learner
from fastai.vision import augment
from fastai.vision.core import PILBase
from torch import Tensor

from ..answer.classes import BACKGROUND
from .left_out import UnknownNames

WANTED = "FoodVision serves learners that take one RGB photo and give it one label (ImageBlock, CategoryBlock)."


class CompileError(ValueError):
    """The learner can't be served. The message says why and what to do."""


def describe_learner(learner: Learner) -> dict[str, Any]:
    """The metadata of the compiled model: see `answer.metadata.read_metadata`.

    Raises CompileError unless the learner takes one RGB photo and gives one label, and UnknownNames if that depends on
    code that was left out.
    """
    try:
        return {
            "vocab": describe_vocab(learner),
            "preprocessing": describe_preprocessing(learner),
            **describe_rule(learner),
            **describe_answers(learner),
        }
    except (CompileError, UnknownNames):
        raise
    except Exception as error:  # a learner can be put together in any way
        raise CompileError(f"This learner's data can't be read ({reason(error)}). {WANTED}") from error


def describe_vocab(learner: Learner) -> list[str]:
    """The class names, as text, in the order of the learner's outputs. Raises CompileError unless it has one target."""
    _check_input_and_target(learner)
    vocab = [str(name) for name in learner.dls.vocab]
    if not vocab:
        raise CompileError("This learner has no classes. Train it on photos of at least two.")
    if clash := sorted({name for name in vocab if vocab.count(name) > 1}):
        raise CompileError(f"Two classes have the same name as text, {clash[0]!r}. Rename one and train again.")
    return vocab


def describe_preprocessing(learner: Learner) -> dict[str, Any]:
    """How a validation photo is prepared for the model: `steps` for `answer.preprocessing`, `mean` and `std`."""
    after_item, after_batch = learner.dls.valid.after_item, learner.dls.valid.after_batch
    steps = [step for transform in on_validation(after_item) for step in _item_steps(transform)]
    if not steps:
        raise CompileError("This learner leaves photos at their own size. Give it an item transform such as Resize.")
    normalize = [transform for transform in after_batch if isinstance(transform, Normalize)]
    mean, std = ([0.0] * 3, [1.0] * 3) if not normalize else (_channels(normalize[0].mean), _channels(normalize[0].std))
    if not len(mean) == len(std) == 3:
        raise CompileError(f"This learner takes photos with {len(mean)} channel(s). {WANTED}")
    return {"steps": steps, "mean": mean, "std": std}


def describe_rule(learner: Learner) -> dict[str, Any]:
    """The learner's `decision` (keywords of `prediction.decide`) and `calibration`, if it has them."""
    own = vars(learner)  # a learner hands what it lacks on to its model, and a ResNet has `groups`, too
    return {"decision": own.get("decision") or {}, "calibration": own.get("calibration")}


def describe_answers(learner: Learner) -> dict[str, Any]:
    """What the page asks and what it calls the answers: the learner's `groups`, `titles` and `background`, if any.

    Without `groups` the answers are the classes. Without `background`, answers named `other_food` and `not_food` are
    background, unless there are no others.
    """
    own = vars(learner)
    groups = own.get("groups", {})
    answers = list(groups) or describe_vocab(learner)
    known = {} if set(answers) <= BACKGROUND.keys() else BACKGROUND
    background = {name: known[name] for name in answers if name in known}
    return {
        "groups": groups,
        "titles": own.get("titles", {}),
        "background": own.get("background", background),
    }


def on_validation(transforms: Any) -> list[Any]:
    """The transforms that run on validation photos. Affine ones overwrite their own `split_idx` and always run."""
    always = augment.AffineCoordTfm
    return [tfm for tfm in transforms if isinstance(tfm, always) or tfm.split_idx in (None, 1)]


def _check_input_and_target(learner: Learner) -> None:
    datasets = getattr(learner.dls, "dataset", None)
    if not isinstance(datasets, Datasets):
        raise CompileError(f"This learner's data aren't made of photos and labels. {WANTED}")
    inputs, targets = datasets.tls[: datasets.n_inp], datasets.tls[datasets.n_inp :]
    if len(inputs) != 1:
        raise CompileError(f"This learner takes {len(inputs)} inputs at once. {WANTED}")
    if len(targets) != 1:
        raise CompileError(f"This learner has {len(targets)} targets for each photo. {WANTED}")
    _check_input(inputs[0].tfms)
    _check_target(list(targets[0].tfms))


def _check_input(transforms: Any) -> None:
    """Tell the type of picture by its `create` method, which opens it. Other inputs fail when given a photo, later."""
    if any(type(transform).__module__.startswith(("fastai.tabular.", "fastai.text.")) for transform in transforms):
        raise CompileError(f"This learner takes text or tables. {WANTED}")
    dispatchers = [getattr(transform, "encodes", None) for transform in transforms]
    functions = [method.implementation for each in dispatchers for method in getattr(each, "methods", [])]
    owners = [getattr(function, "__self__", None) for function in functions]
    modes = [owner._open_args["mode"] for owner in owners if isinstance(owner, type) and issubclass(owner, PILBase)]
    if modes and modes[-1] != "RGB":
        raise CompileError(f"This learner opens photos in mode {modes[-1]!r}, not RGB. {WANTED}")


def _check_target(transforms: list[Any]) -> None:
    several = [tfm for tfm in transforms if isinstance(tfm, MultiCategorize | OneHotEncode)]
    if several or any(type(tfm).__name__ == "EncodedMultiCategorize" for tfm in transforms):
        raise CompileError(f"This learner gives each photo any number of labels. {WANTED}")
    if not any(isinstance(tfm, Categorize) for tfm in transforms):
        raise CompileError(f"This learner's target is not a category. {WANTED}")


def _channels(statistic: Tensor) -> list[float]:
    return [float(value) for value in statistic.flatten()]


def _item_steps(transform: Any) -> list[dict[str, Any]]:
    size = [int(side) for side in getattr(transform, "size", ())]
    match transform:
        case ToTensor():
            return []
        case augment.Resize():
            resample, pad_mode = int(transform.mode), str(transform.pad_mode)
            return [{"do": str(transform.method), "size": size, "resample": resample, "pad_mode": pad_mode}]
        case augment.RandomResizedCrop():
            margin = math.ceil(max(size) * transform.val_xtra / 8) * 8
            squish = {"do": "squish", "size": [side + margin for side in size], "resample": int(transform.mode)}
            return [squish, {"do": "center_crop", "size": size, "pad_mode": "zeros"}]
        case augment.CropPad():
            return [{"do": "center_crop", "size": size, "pad_mode": str(transform.pad_mode)}]
        case augment.RandomCrop():
            return [{"do": "center_crop", "size": size, "pad_mode": "zeros"}]
    raise CompileError(
        f"FoodVision can't repeat the item transform {type(transform).__name__}. "
        "Use Resize, RandomResizedCrop, CropPad or RandomCrop."
    )


def reason(error: Exception) -> str:
    """An exception's message on one line, without a full stop."""
    return (" ".join(str(error).split()) or type(error).__name__).rstrip(".")
