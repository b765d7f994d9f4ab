"""A fastai learner to the ONNX file that is served.

Works for any single-label image classifier that `fastai.learner.load_learner` loads. Unpickling can run code of the
file, so only what `learn.unpickle` lists is read of it; `--trust` reads everything, for files that you trust.
"""

import hashlib
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from fastai.data.transforms import IntToFloatTensor, Normalize, ToTensor
from fastai.learner import Learner, load_learner
from fastai.vision import augment
from fastai.vision.core import PILImage
from fastcore.basics import getcallable
from PIL import Image
from torch import nn
from torch.nn import functional as F

from ..answer.classifier import MODEL, Classifier, ModelError, sha256
from . import unpickle
from .unpickle import UnknownNames

PICKLE = MODEL.with_suffix(".pkl")


class CompileError(ValueError):
    """The learner does something that cannot be served; the text names it."""


def compile_learner(pickle=PICKLE, path=None, trust=False):
    """Write the learner in the file `pickle` to `path` (by default beside it, `.onnx`) and return that path.

    The ONNX file takes `pixels` (photos, 3, height, width), float32, normalised, and gives `logits` (photos, classes).
    Its metadata hold the class names (`vocab`), the `preprocessing`, the pickle's SHA-256, and the learner's own
    `decision` (keywords of `classifier.decide`) and `calibration` where it has them. Raises CompileError for
    a learner that is no single-label image classifier, whose transforms are not known here, or whose answers change,
    and, without `trust`, UnknownNames for one that needs more than `foodvision.learn.unpickle` lists.
    """
    pickle = Path(pickle)
    path = Path(path) if path else pickle.with_suffix(".onnx")
    learner, digest = read_learner(pickle, trust)
    preprocessing = describe_preprocessing(learner)
    metadata = {
        "vocab": json.dumps(describe_vocab(learner)),
        "preprocessing": json.dumps(preprocessing),
        **{name: json.dumps(rule) for name, rule in describe_rule(learner).items()},
        "pickle_sha256": digest,
    }
    width, height = preprocessing["steps"][-1]["size"]
    unchecked = path.with_suffix(".unchecked.onnx")
    expected = answer_noise(learner)
    try:
        _export(served_model(learner), (3, height, width), metadata, unchecked)
        _check_agreement(expected, Classifier(unchecked))
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return path


def describe_vocab(learner):
    """The class names, as text, in the order of the learner's probabilities."""
    logits = torch.randn(2, len(learner.dls.vocab))
    activation = getcallable(learner.loss_func, "activation")(logits)
    single_label = isinstance(learner.loss_func, nn.CrossEntropyLoss) or activation.allclose(logits.softmax(dim=1))
    if not single_label:
        raise CompileError("This learner does not choose one label for each photo (its loss has no softmax).")
    return [str(name) for name in learner.dls.vocab]


def describe_preprocessing(learner):
    """What happens to a validation photo before the model: `steps` for `answer.preprocessing`, `mean`, `std`."""
    steps = [step for transform in _on_validation(learner.dls.after_item) for step in _item_steps(transform)]
    if not steps:
        raise CompileError("This learner leaves photos at their own size; give it an item transform such as Resize.")
    normalize = [transform for transform in learner.dls.after_batch if isinstance(transform, Normalize)]
    mean, std = ([0.0] * 3, [1.0] * 3) if not normalize else (_channels(normalize[0].mean), _channels(normalize[0].std))
    return {"steps": steps, "mean": mean, "std": std}


def describe_rule(learner):
    """The learner's own `decision` and `calibration`, where `train.ipynb` has given it them."""
    decision, calibration = (getattr(learner, name, None) for name in ("decision", "calibration"))
    return {"decision": decision or {}, "calibration": calibration}


def read_learner(pickle, trust=False):
    """The learner in a file, and the SHA-256 of what was read. Raises CompileError, and UnknownNames without `trust`.

    The file is read once, so that what was checked is what is loaded.
    """
    try:
        content = pickle.read_bytes()
    except FileNotFoundError:
        raise CompileError("There is no such file. `learner.export` writes one.") from None
    except OSError as error:
        raise CompileError(f"It cannot be read: {error.strerror}.") from error
    learner = _load_trusted(content) if trust else _load_listed(content)
    if not isinstance(learner, Learner):
        raise CompileError(f"It holds no learner, but a {type(learner).__name__}. `learner.export` writes one.")
    learner.model.float().eval()
    return learner, hashlib.sha256(content).hexdigest()


def _load_listed(content):
    if not content.startswith(b"PK\x03\x04"):  # torch.load takes others for its formats of before 2020
        raise CompileError(unpickle.NO_LEARNER)
    try:
        unknown = unpickle.find_unknown(io.BytesIO(content))
    except ValueError as error:
        raise CompileError(str(error)) from error
    if unknown:
        raise UnknownNames(unknown)
    return _load_trusted(content, pickle_module=unpickle)


def _load_trusted(content, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastai warns that unpickling runs code, as does the command
        try:
            return load_learner(io.BytesIO(content), **options)
        except UnknownNames:
            raise
        except Exception as error:  # of a file that is damaged, or of other versions of its libraries
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CompileError(f"fastai cannot load it: {reason.rstrip('.')}.") from error


def _on_validation(transforms):
    """Affine transforms overwrite their own `split_idx` at every call, and always run."""
    always = augment.AffineCoordTfm
    return [tfm for tfm in transforms if isinstance(tfm, always) or tfm.split_idx in (None, 1)]


def _channels(statistic):
    return [float(value) for value in statistic.flatten()]


def _item_steps(transform):
    size = [int(side) for side in getattr(transform, "size", ())]
    match transform:
        case ToTensor():
            return []
        case augment.Resize():
            resample, pad_mode = int(transform.mode), str(transform.pad_mode)
            return [{"do": str(transform.method), "size": size, "resample": resample, "pad_mode": pad_mode}]
        case augment.RandomResizedCrop():
            margin = int(np.ceil(max(size) * transform.val_xtra / 8) * 8)
            squish = {"do": "squish", "size": [side + margin for side in size], "resample": int(transform.mode)}
            return [squish, {"do": "center_crop", "size": size, "pad_mode": "zeros"}]
        case augment.CropPad():
            return [{"do": "center_crop", "size": size, "pad_mode": str(transform.pad_mode)}]
        case augment.RandomCrop():
            return [{"do": "center_crop", "size": size, "pad_mode": "zeros"}]
    raise CompileError(f"The item transform {type(transform).__name__} is not known to foodvision.learn.compile.")


def served_model(learner):
    """The model behind those batch transforms that change a validation photo's size."""
    layers = []
    for transform in _on_validation(learner.dls.after_batch):
        match transform:
            case augment.RandomResizedCropGPU():
                layers.append(_Resample(transform.size, transform.valid_scale, align_corners=True))
            case augment.AffineCoordTfm():
                if transform.size is not None:
                    layers.append(_Resample(transform.size, align_corners=transform.align_corners))
            case IntToFloatTensor() | Normalize():
                pass
            case _:
                name = type(transform).__name__
                raise CompileError(f"The batch transform {name} is not known to foodvision.learn.compile.")
    return nn.Sequential(*layers, learner.model).eval()


class _Resample(nn.Module):
    """fastai's resizing of a batch: `affine_coord` with a size and no movement (`fastai.vision.augment`)."""

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


def _export(model, shape, metadata, path):
    photos = torch.export.Dim("photos")
    program = torch.onnx.export(
        model,
        (torch.zeros(2, *shape),),
        input_names=["pixels"],
        output_names=["logits"],
        dynamic_shapes=({0: photos},),
        dynamo=True,
        verbose=False,
    )
    proto = program.model_proto
    for part in (*proto.graph.node, *proto.graph.value_info, proto.graph):
        part.ClearField("metadata_props")  # the exporter notes where on this machine each layer's code lies
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, path)


def draw_noise():
    """A picture on which any two models differ that are not the same."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (301, 407, 3), dtype=np.uint8))


def answer_noise(learner):
    """Array (classes) of the learner's probabilities for `draw_noise()`. Raises CompileError where they are none."""
    with learner.no_bar(), learner.no_logging():
        *_, probabilities = learner.predict(PILImage.create(draw_noise()))
    if not probabilities.isfinite().all():
        raise CompileError("This learner answers with numbers that are no probabilities.")
    return probabilities.numpy()


def _check_agreement(expected, classifier):
    """An exported graph can differ from its learner, so let both answer a picture before anyone relies on it."""
    answer = classifier.predict(draw_noise()).probabilities.values()
    difference = np.abs(expected - list(answer)).max()
    if difference > 1e-3:
        raise CompileError(f"The compiled model answers differently from the learner (by {difference:.2g}).")


def compile_file(pickle=PICKLE, output=None, trust=False, write=compile_learner):
    """The command `foodvision compile`: show the pickle's SHA-256, compile it, and exit with a sentence on errors."""
    if pickle.is_file():
        print(f"{pickle}: SHA-256 {sha256(pickle)}", file=sys.stderr)
    if trust:
        print("Trusting it: unpickling runs whatever code it holds, as you.", file=sys.stderr)
    try:
        path = write(pickle, output, trust)
    except (CompileError, UnknownNames, ModelError) as error:
        sys.exit(f"{pickle}: {error}")
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
