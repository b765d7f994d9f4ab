"""The served model: `export.onnx` and ONNX Runtime, without fastai or torch."""

import hashlib
import re
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from ..locate import find_model
from .classes import dishes_of
from .heat import heat_of
from .machine import cores, return_freed_memory
from .metadata import read_metadata
from .photo import PhotoSource, read_photo
from .prediction import Prediction, add_up, decide, most_likely
from .preprocessing import to_pixels

RECOMPILE = "Run `foodvision compile` (it needs the training dependencies: pip install -e '.[train]')."


class ModelError(RuntimeError):
    """The model file can't be served; the text says what to run."""


class Classifier:
    """A compiled learner, ready to predict: `Classifier().predict("photo.jpg").label`.

    Without a path, it is the model that `locate.find_model` finds at that moment. Everything about it comes from the
    file's metadata (see `metadata.read_metadata`): its `answers`, what people call them (`titles`), the sentences for
    background answers (`background`), the classes of the network (`vocab`) and which of them make an answer (`groups`),
    the `preprocessing` and the decision rule.

    Raises ModelError if the file is missing, was not written by `foodvision compile`, or was compiled from another
    pickle than the one beside it. The pickle is only hashed, never loaded.
    """

    def __init__(self, path: str | PathLike[str] | None = None, threads: int | None = None) -> None:
        self.path = find_model() if path is None else Path(path)
        self.session = _open_session(self.path, threads)
        return_freed_memory()
        self.metadata = _read_metadata(self.path, self.session)
        self.vocab: list[str] = self.metadata["vocab"]
        self.groups: dict[str, list[str]] = self.metadata.get("groups") or {name: [name] for name in self.vocab}
        self.answers = list(self.groups)
        self.titles: dict[str, str] = self.metadata["titles"]
        self.background: dict[str, str] = self.metadata["background"]
        self.preprocessing: dict[str, Any] = self.metadata["preprocessing"]
        self._refuse_another_graph()
        self._refuse_stale()

    def predict(self, photo: PhotoSource) -> Prediction:
        """Classify a photo: bytes, a path, a binary file or a `PIL.Image`. Raises PhotoError and ModelError."""
        start = perf_counter()
        probabilities = self.probabilities(self.pixels(self.read(photo))[None])[0]
        by_class = dict(zip(self.vocab, probabilities.tolist(), strict=True))
        by_answer = add_up(by_class, self.groups)
        label, unsure = decide(by_answer, **self.metadata["decision"])
        return Prediction(label, by_answer, perf_counter() - start, unsure, self._dishes(by_class))

    def _dishes(self, by_class: dict[str, float]) -> dict[str, float]:
        """The likeliest classes, where they are finer than the answers."""
        finer = {name: p for name, p in by_class.items() if name not in self.background}
        return most_likely(finer) if self.answers != self.vocab else {}

    @property
    def has_maps(self) -> bool:
        """Whether the model can tell which places in a photo speak for an answer."""
        return "maps" in [output.name for output in self.session.get_outputs()]

    @property
    def dishes(self) -> dict[str, str]:
        """The answer that each class of the network belongs to, without background; empty if classes are answers."""
        return dishes_of(self.metadata)

    def heat_map(self, photo: PhotoSource, answer: str | None = None) -> np.ndarray | None:
        """Which places in a photo speak for an answer or one of its dishes: array (rows, columns) of 0 to 1.

        Without `answer`, it's for the label. It covers the part of the photo that the model reads. None if the model
        gives no maps.
        Raises PhotoError, ModelError.
        """
        if not self.has_maps:
            return None
        picture = self.read(photo)
        name = answer or self.predict(picture).label
        classes = self.groups.get(name, [name])
        logits, maps = self._run(["logits", "maps"], self.pixels(picture)[None])
        return heat_of([self.vocab.index(name) for name in classes], softmax(logits)[0], maps[0])

    def read(self, photo: PhotoSource) -> Image.Image:
        """The photo as an upright RGB picture, decoded no larger than the model can use."""
        return read_photo(photo, at_least=2 * max(self.preprocessing["steps"][0]["size"]))

    def pixels(self, picture: Image.Image) -> np.ndarray:
        """An upright RGB picture, resized, cropped and normalised: array (channels, height, width) of float32."""
        return to_pixels(picture, **self.preprocessing)

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """Array (photos, classes) of probabilities for a batch of pixels (photos, channels, height, width).

        Raises ModelError if the model's outputs don't give probabilities.
        """
        (logits,) = self._run(["logits"], batch)
        probabilities = softmax(logits)
        if probabilities.shape != (len(batch), len(self.vocab)) or np.isnan(probabilities).any():
            raise ModelError(f"{self.path.name} gives numbers that are not probabilities. {RECOMPILE}")
        return probabilities

    def _run(self, outputs: list[str], batch: np.ndarray) -> list[np.ndarray]:
        try:
            return self.session.run(outputs, {"pixels": np.ascontiguousarray(batch, dtype=np.float32)})
        except Exception as error:  # ONNX Runtime raises many types, with no common base class
            raise ModelError(f"{self.path.name} fails on a photo. {RECOMPILE}") from error

    def _refuse_another_graph(self) -> None:
        width, height = self.preprocessing["steps"][-1]["size"]
        if not _is_batch(self.session.get_inputs(), "pixels", [3, height, width]):
            raise ModelError(f"{self.path.name} does not take the photos that its metadata describes. {RECOMPILE}")
        logits, *others = self.session.get_outputs()
        if not _is_batch([logits], "logits", [len(self.vocab)]) or [other.name for other in others] not in (
            [],
            ["maps"],
        ):
            raise ModelError(f"{self.path.name} does not give one number for each of its classes. {RECOMPILE}")

    def _refuse_stale(self) -> None:
        pickle = self.path.with_suffix(".pkl")
        try:
            digest = self.metadata["pickle_sha256"]  # empty for a learner that could not be pickled
            stale = digest and pickle.exists() and sha256(pickle) != digest
        except OSError as error:
            raise ModelError(f"{pickle.name} beside {self.path.name} can't be read: {error.strerror}.") from error
        if stale:
            raise ModelError(f"{self.path.name} was not compiled from the {pickle.name} beside it. {RECOMPILE}")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Array (photos, classes) of probabilities; NaN where a logit is not finite."""
    with np.errstate(invalid="ignore"):
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def sha256(path: str | PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_batch(tensors: list[Any], name: str, shape: list[int]) -> bool:
    """Whether it is a single float32 tensor, with this shape for each of any number of photos."""
    described = [(tensor.name, tensor.type, tensor.shape[1:]) for tensor in tensors]
    return described == [(name, "tensor(float)", shape)] and not isinstance(tensors[0].shape[0], int)


def _open_session(path: Path, threads: int | None) -> onnxruntime.InferenceSession:
    if not path.exists():
        raise ModelError(f"There is no {path}. {RECOMPILE}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(2, cores())
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other kernels need the CPU, too
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises many types, with no common base class
        newer = re.search("under development|Unsupported model IR version", str(error))
        problem = "needs a newer ONNX Runtime than is installed" if newer else "can't be read as a model"
        raise ModelError(f"{path.name} {problem}. {RECOMPILE}") from error


def _read_metadata(path: Path, session: onnxruntime.InferenceSession) -> dict[str, Any]:
    try:
        return read_metadata(session)
    except ValueError as error:
        raise ModelError(f"{path.name} {error}. {RECOMPILE}") from error
