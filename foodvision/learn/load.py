"""Loads an exported learner. Only what is on the allow-list is created, unless you trust the file."""

import hashlib
import io
import re
import warnings
from pathlib import Path

import fastai
import torch
from fastai.learner import Learner, load_learner
from fastcore.foundation import L

from . import unpickle
from .describe import WANTED, CompileError, reason
from .left_out import UnknownNames

VERSION = ".".join(fastai.__version__.split(".")[:2])
# Modules that only fastai 1 had.
FASTAI_1 = re.compile(
    rb"fastai[.](basic_train|basic_data|data_block|callbacks?[.]hooks|train|vision[.](image|transform|tta))[\n.\W]"
)
NO_PHOTOS = re.compile(rb"fastai[.](collab|tabular|text)[.\n]")
BEFORE_2_8 = re.compile(rb"fastcore[.](transform|dispatch)\W")


def read_learner(pickle: Path, trust: bool = False) -> tuple[Learner, str]:
    """The learner in a file, and the file's SHA-256.

    The file is read once, so what is checked is what is loaded. Raises CompileError and, without `trust`, UnknownNames.
    """
    content = _read(pickle)
    _check_version(content)
    learner = _load_trusted(content) if trust else _load_listed(content)
    if not isinstance(learner, Learner):
        raise CompileError(f"It doesn't hold a learner but a {type(learner).__name__}. `learner.export` writes one.")
    return learner, hashlib.sha256(content).hexdigest()


def _read(pickle: Path) -> bytes:
    try:
        return pickle.read_bytes()
    except FileNotFoundError:
        raise CompileError(
            "There is no such file. `learner.export` writes one, in the folder `learner.path`; "
            "compile_learner(learner) needs none."
        ) from None
    except OSError as error:
        raise CompileError(f"It can't be read: {error.strerror}.") from error


def _check_version(content: bytes) -> None:
    names = unpickle.opcodes_of(content)
    if FASTAI_1.search(names):
        raise CompileError(
            f"It was exported by fastai 1, which later versions can't load. Train it again with fastai {VERSION}."
        )
    if BEFORE_2_8.search(names):
        raise CompileError(
            f"It was exported by a fastai older than 2.8. Install fastai {VERSION} where it was trained, then train it "
            "again and export it, or keep its weights: `learner.save` with the old version, `learner.load` with the "
            "new one."
        )


def _load_listed(content: bytes) -> Learner:
    if not content.startswith(unpickle.ARCHIVE):
        raise CompileError(unpickle.NO_LEARNER)
    try:
        unknown = unpickle.find_unknown(io.BytesIO(content))
    except ValueError as error:
        raise CompileError(str(error)) from error
    if unknown and NO_PHOTOS.search(unpickle.opcodes_of(content)):
        raise CompileError(f"It's a learner for text or tables. {WANTED}")
    if unknown:
        raise UnknownNames(unknown)
    return _load(content, _without_left_out)


def _load_trusted(content: bytes) -> Learner:
    return _load(content, load_learner)


def _load(content, load):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastai warns that unpickling runs code; the command does so, too
        try:
            return load(io.BytesIO(content))
        except UnknownNames:
            raise
        except Exception as error:  # the file is damaged, or from other versions of its libraries
            raise CompileError(f"fastai can't load it: {reason(error)}.") from error


def _without_left_out(file):
    """Like `load_learner`, but without callbacks: most are left out, and predicting needs none."""
    learner = torch.load(file, map_location="cpu", pickle_module=unpickle, weights_only=False)
    if isinstance(learner, Learner):
        learner.cbs = L()
        learner.dls.cpu()
    return learner
