"""Reads an exported learner without running what is in the file: only what is listed here is made.

A pickle names whatever it likes, and Python imports and calls it. Here the classes that a fastai image classifier
consists of are made, and the one function of `training.add_up`; functions that only training calls (labels,
metrics, optimizers, any code of a notebook) are left out; and every other name is refused. It is no sandbox:
SECURITY.md says what it is worth.
"""

import _compat_pickle
import collections.abc
import functools
import importlib
import inspect
import io
import operator
import pickle
import pkgutil
import random
import types
import typing
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from fastai.callback.fp16 import AMPMode
from fastai.vision.core import PILBase
from PIL import Image

MADE = """
PIL.Image.Image
builtins.Ellipsis builtins.bool builtins.dict builtins.float builtins.int builtins.list builtins.object builtins.str
builtins.tuple
collections.abc.Callable
fastai.callback.channelslast.ChannelsLast fastai.callback.core.TrainEvalCallback fastai.callback.data.WeightedDL
fastai.callback.fp16.MixedPrecision fastai.callback.mixup.CutMix fastai.callback.mixup.MixUp
fastai.callback.progress.ProgressCallback fastai.callback.progress.ShowGraphCallback
fastai.callback.tracker.EarlyStoppingCallback fastai.callback.tracker.ReduceLROnPlateau
fastai.callback.training.GradientAccumulation fastai.callback.training.GradientClip fastai.data.core.DataLoaders
fastai.data.core.Datasets fastai.data.core.FilteredBase fastai.data.core.TfmdDL fastai.data.core.TfmdLists
fastai.data.load._FakeLoader fastai.data.transforms.CategoryMap fastai.data.transforms.RegexLabeller
fastai.learner.AvgLoss fastai.learner.AvgMetric fastai.learner.AvgSmoothLoss fastai.learner.CastToTensor
fastai.learner.Learner fastai.learner.Recorder fastai.metrics.AccumMetric fastai.torch_core.Module
fastai.torch_core.TensorBase fastai.torch_core.TensorCategory fastai.torch_core.TensorImage
fastai.torch_core.TensorMask fastai.vision.augment._BrightnessLogit fastai.vision.augment._ContrastLogit
fastai.vision.augment._Hue fastai.vision.augment._SaturationLogit fastai.vision.augment._WarpCoord
fastai.vision.core.PILImage fastai.vision.core.PILImageBW
fastcore.basics.fastuple fastcore.foundation.L
fasttransform.transform.Pipeline fasttransform.transform.Transform
foodvision.learn.training.CPUMixedPrecision
inspect._empty
numpy.ndarray
pandas.Series
plum._function.Function plum._method.Method plum._method.MethodList plum._resolver.Resolver plum._signature.Signature
plum._util.Missing
torch.BFloat16Storage torch.BoolStorage torch.ByteStorage torch.CharStorage torch.DoubleStorage torch.FloatStorage
torch.HalfStorage torch.IntStorage torch.LongStorage torch.ShortStorage torch.Tensor torch._C._special.special_log1p
torch.distributions.beta.Beta torch.distributions.dirichlet.Dirichlet torch.nn.parameter.Parameter
torch.storage.UntypedStorage
typing.Any typing.Union
"""
# What descends from a class is made too, where one of these modules defines it, unless it turns models into programs.
FAMILIES = {
    "torch.nn.Module": (
        *("torch.nn.modules.", "torchvision.models.", "torchvision.ops.", "timm.layers.", "timm.models."),
        *("fastai.layers.", "fastai.losses.", "fastai.vision.learner.", "fastai.vision.models."),
    ),
    "fastai.losses.BaseLoss": ("fastai.losses.",),
    "fasttransform.transform.Transform": (
        *("fastai.data.transforms.", "fastai.vision.augment.", "fastai.vision.core."),
    ),
}
NO_FAMILY = ("timm.models._features", "torchvision.models.feature_extraction")
# Nothing else of these is imported or made: it is left out, and refused only where it is needed.
LEFT_OUT = ("fastai.", "fastcore.", "sklearn.metrics.", "timm.", "torchvision.", "numpy.less", "builtins.print")
SHOWN = 12  # unknown names; a file can have any number
NO_LEARNER = "It is no learner that fastai 2 exported, or is damaged. `learner.export` writes one."
NOT_UNDERSTOOD = pickle.INST + pickle.OBJ + pickle.EXT1 + pickle.EXT2 + pickle.EXT4 + pickle.NEWOBJ_EX


class UnknownNames(ValueError):
    """A pickle needs what is no part of a fastai image classifier: `names`."""

    def __init__(self, names):
        self.names = sorted(names)
        shown = [ascii(name)[1:-1][:80] for name in self.names[:SHOWN]] + ["and more"] * (len(self.names) > SHOWN)
        super().__init__(
            f"It needs what is no part of a fastai image classifier, and could do anything: {', '.join(shown)}. "
            "If you trust this file, add --trust (in Python, trust=True)."
        )


class LeftOut:
    """Stands for a function that is not made. Raises UnknownNames where something calls it after all."""

    def __init__(self, name, described="{}"):
        self.__name__ = self.__qualname__ = str(name)
        self.described = described.format(name)

    def __call__(self, *arguments, **keywords):
        raise UnknownNames([self.described])

    def __setstate__(self, state):
        """Nothing that the file says of the function is kept."""


def find_unknown(file):
    """Set of the names that the learner in `file` (binary, written by `torch.save`) needs beyond those listed here.

    Nothing is made to find them. Raises ValueError where the file holds no such pickle, or a program of TorchScript,
    which `torch.load` would run instead. The archive is opened as `torch.load` does, so that both see the same.
    """
    try:
        archive = torch._C.PyTorchFileReader(file)
        if any(name == "constants.pkl" or name.startswith("code/") for name in archive.get_all_records()):
            raise ValueError("It is a program, not a pickle.")
        rehearsal = _Rehearsal(io.BytesIO(archive.get_record("data.pkl")))
        rehearsal.load()
    except Exception as error:  # a broken pickle fails in as many ways as there are opcodes
        raise ValueError(NO_LEARNER) from error
    return rehearsal.unknown


class Unpickler(pickle._Unpickler):
    """For `torch.load(file, pickle_module=foodvision.learn.unpickle)`. Raises UnknownNames.

    Objects are made empty and then filled, and nothing but MAKERS is called. The base is Python's unpickler in its
    readable form, as the quick one hides its calls, without the opcodes that no exporter writes.
    """

    def find_class(self, module, name):
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
        full = f"{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}"
        if full in MAKERS:
            return MAKERS[full]
        if full in MADE.split() or _is_of_a_family(full):
            return self.listed(full)
        return LeftOut(full) if full.startswith(LEFT_OUT) else self.unlisted(full)

    def listed(self, name):
        return pkgutil.resolve_name(name)

    def unlisted(self, name):
        raise UnknownNames([name])

    def make(self, maker, arguments):
        if any(maker is listed for listed in (*MAKERS.values(), *CLOUDPICKLE_TYPES.values())):
            return maker(*arguments)
        raise UnknownNames([_described(maker)])

    def make_empty(self, kind, arguments):
        if not isinstance(kind, type) or (arguments and not issubclass(kind, tuple)):
            raise UnknownNames([_described(kind)])
        return kind.__new__(kind, *arguments)

    def load_reduce(self):
        arguments = self.stack.pop()
        self.append(self.make(self.stack.pop(), arguments))

    def load_newobj(self):
        arguments = self.stack.pop()
        self.append(self.make_empty(self.stack.pop(), arguments))

    def load_build(self):
        """Classes, functions and modules belong to everyone: a file changes none of them."""
        if isinstance(self.stack[-2], type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType):
            raise UnknownNames([_described(self.stack[-2])])
        super().load_build()

    dispatch = {code: step for code, step in pickle._Unpickler.dispatch.items() if code not in NOT_UNDERSTOOD} | {
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.BUILD[0]: load_build,
    }


class _Rehearsal(Unpickler):
    """The same steps with blanks, noting what is unknown."""

    def __init__(self, file):
        super().__init__(file)
        self.unknown = set()

    def listed(self, name):
        return _Blank()

    def unlisted(self, name):
        self.unknown.add(name)
        return _Blank()

    def make(self, maker, arguments):
        if isinstance(maker, LeftOut):
            self.unknown.add(maker.described)
        elif maker is _make_class:
            self.unknown.add(f"a class of its own ({arguments[1]})")
        return _Blank()

    make_empty = make

    def persistent_load(self, pid):
        return _Blank()


class _Blank:
    def __setstate__(self, state):
        pass

    append = extend = add = __setstate__

    def __setitem__(self, key, value):
        pass


def _is_of_a_family(full):
    module, _, name = full.rpartition(".")
    for ancestor, modules in FAMILIES.items():
        if full.startswith(modules) and not full.startswith(NO_FAMILY):
            try:
                kind = getattr(importlib.import_module(module), name, None)
            except ImportError:
                return False
            if (
                isinstance(kind, type)
                and kind.__module__ == module
                and issubclass(kind, pkgutil.resolve_name(ancestor))
            ):
                return True
    return False


def _described(maker):
    if isinstance(maker, LeftOut):
        return maker.described
    return f"a call of {getattr(maker, '__qualname__', type(maker).__qualname__)}"


# What is called while a learner is read. Some of it does less than its name, and none of it runs code of the file.


def _nothing(*arguments):
    return None


def _code_name(*fields):
    """All that is kept of a code object: its name, the text after that of its file."""
    return [field for field in fields if isinstance(field, str)][1]


def _make_function(code_name, *rest):
    return LeftOut(code_name, "a function of its own ({})")


def _make_class(metaclass, name, *rest):
    raise UnknownNames([f"a class of its own ({name})"])


def _partial(function):
    return LeftOut(getattr(function, "__name__", "partial"))


def _get_attribute(owner, name, *default):
    return LeftOut(name, "the attribute {}")


def _method(function, owner):
    """Exporters write `PILImage.create`, which opens photos, as code; the installed one takes its place."""
    own = isinstance(owner, type) and issubclass(owner, PILBase) and function.__name__ == "create"
    return owner.create if own else types.MethodType(function, owner)


def _builtin_type(name):
    if name not in CLOUDPICKLE_TYPES:
        raise UnknownNames([f"types.{name}"])
    return CLOUDPICKLE_TYPES[name]


def _type_of(value):
    if value is not None:
        raise UnknownNames(["builtins.type"])
    return type(None)


def _union(operation, kinds):
    if operation is not operator.or_:
        raise UnknownNames(["functools.reduce"])
    return functools.reduce(operator.or_, kinds)


def _parametrised(kind, parameters):
    if kind is not typing.Union:
        raise UnknownNames(["operator.getitem"])
    return kind[parameters]


def _bytes(text, encoding):
    return text.encode("latin1")


def _rebuild_from_type(function, kind, arguments, state):
    if function is not torch._utils._rebuild_tensor_v2:
        raise UnknownNames([_described(function)])
    return torch._tensor._rebuild_from_type_v2(function, kind, arguments, state)


CLOUDPICKLE_TYPES = {"CodeType": _code_name, "GenericAlias": types.GenericAlias, "MethodType": _method}
MAKERS = {
    "PIL.Image.Resampling": Image.Resampling,
    "_codecs.encode": _bytes,
    "_functools.reduce": _union,
    "_operator.getitem": _parametrised,
    "_operator.or_": operator.or_,
    "builtins.bytes": bytes,
    "builtins.getattr": _get_attribute,
    "builtins.set": set,
    "builtins.type": _type_of,
    "cloudpickle.cloudpickle._builtin_type": _builtin_type,
    "cloudpickle.cloudpickle._class_setstate": _nothing,
    "cloudpickle.cloudpickle._function_setstate": _nothing,
    "cloudpickle.cloudpickle._make_cell": _nothing,
    "cloudpickle.cloudpickle._make_empty_cell": _nothing,
    "cloudpickle.cloudpickle._make_function": _make_function,
    "cloudpickle.cloudpickle._make_skeleton_class": _make_class,
    "cloudpickle.cloudpickle.subimport": _nothing,
    "collections.OrderedDict": OrderedDict,
    "collections.abc._CallableGenericAlias": collections.abc._CallableGenericAlias,
    "fastai.callback.fp16.AMPMode": AMPMode,
    "functools.partial": _partial,
    "functools.reduce": _union,
    "inspect.Parameter": inspect.Parameter,
    "inspect.Signature": inspect.Signature,
    "inspect._ParameterKind": inspect._ParameterKind,
    "numpy._core.multiarray._reconstruct": np._core.multiarray._reconstruct,
    "numpy._core.multiarray.scalar": np._core.multiarray.scalar,
    "numpy.dtype": np.dtype,
    "random.Random": random.Random,
    "re._compile": _nothing,
    "torch.Size": torch.Size,
    "torch._tensor._rebuild_from_type_v2": _rebuild_from_type,
    "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch.device": torch.device,
    # A path of Linux is one of Windows, too.
    **{f"{module}.{kind}Path": Path for module in ("pathlib", "pathlib._local") for kind in ("", "Posix", "Windows")},
}
