"""The model as it is served: `export.onnx`, ONNX Runtime, and nothing of fastai or torch."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime

from .machine import cores
from .metadata import read_metadata
from .photo import read_photo
from .preprocessing import to_pixels

MODEL = Path(__file__).parents[2] / "export.onnx"
RECOMPILE = "Run `foodvision compile` (it needs the training dependencies: pip install -e '.[train]')."


class ModelError(RuntimeError):
    """The model file cannot be served; the text says what to run."""


@dataclass(frozen=True)
class Prediction:
    """What the model makes of one photo: the label, a probability for each class name, and the seconds it took.

    `unsure` says that another class is close behind the label, or even ahead of it.
    """

    label: str
    probabilities: dict[str, float]
    seconds: float
    unsure: bool = False

    @property
    def probability(self):
        """Of the label."""
        return self.probabilities[self.label]


class Classifier:
    """`Classifier().predict("photo.jpg").label`: a compiled learner, ready to answer.

    All that describes the model (`vocab`, `preprocessing`, the rule of `decide`) is read from the file's metadata.
    Raises ModelError where the file is missing, is not one that `foodvision.learn.compile` wrote, or was compiled from
    another pickle than the one beside it, of which nothing but the SHA-256 is taken.
    """

    def __init__(self, path=MODEL, threads=None):
        self.path = Path(path)
        self.session = _open_session(self.path, threads)
        self.metadata = _read_metadata(self.path, self.session)
        self.vocab = self.metadata["vocab"]
        self.preprocessing = self.metadata["preprocessing"]
        self._refuse_another_graph()
        self._refuse_stale()

    def predict(self, photo):
        """`Prediction` for a photo: bytes, a path, a binary file or a `PIL.Image`. Raises PhotoError, ModelError."""
        start = perf_counter()
        probabilities = self.probabilities(self.pixels(self.read(photo))[None])[0]
        by_class = dict(zip(self.vocab, probabilities.tolist(), strict=True))
        label, unsure = decide(by_class, **self.metadata["decision"])
        return Prediction(label, by_class, perf_counter() - start, unsure)

    def read(self, photo):
        """Upright RGB picture of a photo, decoded no larger than the model can use."""
        return read_photo(photo, at_least=2 * max(self.preprocessing["steps"][0]["size"]))

    def pixels(self, picture):
        """Array (channels, height, width), float32, of an upright RGB picture: resized, cropped and normalised."""
        return to_pixels(picture, **self.preprocessing)

    def probabilities(self, batch):
        """Array (photos, classes) of probabilities for an array (photos, channels, height, width) of pixels.

        Raises ModelError where the model gives none.
        """
        try:
            (logits,) = self.session.run(None, {"pixels": np.ascontiguousarray(batch, dtype=np.float32)})
        except Exception as error:  # onnxruntime has an exception of its own for every way to fail
            raise ModelError(f"{self.path.name} fails on a photo. {RECOMPILE}") from error
        with np.errstate(invalid="ignore"):  # refused below
            exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exponents / exponents.sum(axis=1, keepdims=True)
        if probabilities.shape != (len(batch), len(self.vocab)) or np.isnan(probabilities).any():
            raise ModelError(f"{self.path.name} answers with numbers that are no probabilities. {RECOMPILE}")
        return probabilities

    def _refuse_another_graph(self):
        width, height = self.preprocessing["steps"][-1]["size"]
        if not _is_batch(self.session.get_inputs(), "pixels", [3, height, width]):
            raise ModelError(f"{self.path.name} does not take the photos that its metadata tell of. {RECOMPILE}")
        if not _is_batch(self.session.get_outputs(), "logits", [len(self.vocab)]):
            raise ModelError(f"{self.path.name} does not give one number for each of its classes. {RECOMPILE}")

    def _refuse_stale(self):
        pickle = self.path.with_suffix(".pkl")
        try:
            digest = self.metadata["pickle_sha256"]  # empty for a learner that could not be pickled
            stale = digest and pickle.exists() and sha256(pickle) != digest
        except OSError as error:
            raise ModelError(f"{pickle.name} beside {self.path.name} cannot be read: {error.strerror}.") from error
        if stale:
            raise ModelError(f"{self.path.name} was not compiled from the {pickle.name} beside it. {RECOMPILE}")


def decide(probabilities, accept=None, margin=0.0):
    """The label for probabilities by class name, and whether another class is less than `margin` behind it, or ahead.

    `accept` has the classes that nobody asks for, and the share that the others must have together beside each of them
    (0 to 1); where they fall short of one, the answer is the likeliest of the unasked.
    """
    unasked = accept or {}
    asked = {name: p for name, p in probabilities.items() if name not in unasked}
    total = sum(asked.values())
    if any(total < share * (total + probabilities[name]) for name, share in unasked.items()):
        return max(unasked, key=probabilities.get), False
    label = max(asked, key=asked.get)
    others = [p for name, p in probabilities.items() if name != label]
    return label, bool(others) and asked[label] - max(others) < margin


def _is_batch(tensors, name, shape):
    """Whether there is one tensor, of any number of photos, each of this shape in single precision."""
    described = [(tensor.name, tensor.type, tensor.shape[1:]) for tensor in tensors]
    return described == [(name, "tensor(float)", shape)] and not isinstance(tensors[0].shape[0], int)


def sha256(path):
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_session(path, threads):
    if not path.exists():
        raise ModelError(f"There is no {path}. {RECOMPILE}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(2, cores())
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others wait for the processor, too
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an exception of its own for every way a file can be broken
        newer = re.search("under development|Unsupported model IR version", str(error))
        problem = "needs a newer ONNX Runtime than is installed" if newer else "cannot be read as a model"
        raise ModelError(f"{path.name} {problem}. {RECOMPILE}") from error


def _read_metadata(path, session):
    try:
        return read_metadata(session)
    except ValueError as error:
        raise ModelError(f"{path.name} {error}. {RECOMPILE}") from error
