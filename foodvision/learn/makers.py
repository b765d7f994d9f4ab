"""What reading an exported learner may call. Some functions do less than their name says; none runs the file's code."""

import collections
import collections.abc
import functools
import inspect
import operator
import random
import types
import typing
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from fastai.losses import BaseLoss
from fastai.vision.core import PILBase
from fasttransform.transform import Transform
from PIL import Image
from torch import nn

from .left_out import LeftOut, UnknownNames, describe_call


def _nothing(*arguments):
    return None


def _code_name(*fields):
    """Keep only a code object's name, the string after its file name."""
    return [field for field in fields if isinstance(field, str)][1]


def _make_function(code_name, *rest):
    return LeftOut(code_name, "a custom function ({})")


def _make_class(metaclass, name, bases, *rest):
    """Leave out the file's own layers, losses, transforms and callbacks. Using one later raises UnknownNames."""
    described = "a custom class ({})"
    kinds = (nn.Module, BaseLoss, Transform)
    if any(isinstance(base, LeftOut) or (isinstance(base, type) and issubclass(base, kinds)) for base in bases):
        return LeftOut(name, described)
    raise UnknownNames([described.format(name)])


def _partial(function):
    return LeftOut(getattr(function, "__name__", "partial"))


def _getter(*names):
    return LeftOut(", ".join(map(str, names)), "a getter of {}")


def _defaultdict(factory=None, *items):
    if factory not in (None, bool, dict, float, int, list, set, str, tuple):
        raise UnknownNames([f"collections.defaultdict of {getattr(factory, '__name__', factory)}"])
    return collections.defaultdict(factory, *items)


def _get_attribute(owner, name, *default):
    return LeftOut(name, "the attribute {}")


def _method(function, owner):
    """Exporters pickle `PILImage.create`, which opens photos, as code; use the installed one instead."""
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
        raise UnknownNames([describe_call(function)])
    return torch._tensor._rebuild_from_type_v2(function, kind, arguments, state)


CLOUDPICKLE_TYPES = {"CodeType": _code_name, "GenericAlias": types.GenericAlias, "MethodType": _method}
MAKERS = {
    "PIL.Image.Resampling": Image.Resampling,
    "_codecs.encode": _bytes,
    "_functools.reduce": _union,
    "_operator.getitem": _parametrised,
    "_operator.or_": operator.or_,
    "builtins.bytearray": bytearray,
    "builtins.bytes": bytes,
    "builtins.complex": complex,
    "builtins.frozenset": frozenset,
    "builtins.getattr": _get_attribute,
    "builtins.range": range,
    "builtins.set": set,
    "builtins.slice": slice,
    "builtins.type": _type_of,
    "cloudpickle.cloudpickle._builtin_type": _builtin_type,
    "cloudpickle.cloudpickle._class_setstate": _nothing,
    "cloudpickle.cloudpickle._function_setstate": _nothing,
    "cloudpickle.cloudpickle._make_cell": _nothing,
    "cloudpickle.cloudpickle._make_empty_cell": _nothing,
    "cloudpickle.cloudpickle._make_function": _make_function,
    "cloudpickle.cloudpickle._make_skeleton_class": _make_class,
    "cloudpickle.cloudpickle.subimport": _nothing,
    "collections.Counter": collections.Counter,
    "collections.OrderedDict": OrderedDict,
    "collections.defaultdict": _defaultdict,
    "collections.deque": collections.deque,
    "collections.abc._CallableGenericAlias": collections.abc._CallableGenericAlias,
    "functools.partial": _partial,
    "functools.reduce": _union,
    "inspect.Parameter": inspect.Parameter,
    "inspect.Signature": inspect.Signature,
    "inspect._ParameterKind": inspect._ParameterKind,
    "numpy._core.multiarray._reconstruct": np._core.multiarray._reconstruct,
    "numpy._core.multiarray.scalar": np._core.multiarray.scalar,
    "numpy.dtype": np.dtype,
    "operator.attrgetter": _getter,
    "operator.itemgetter": _getter,
    "random.Random": random.Random,
    "re._compile": _nothing,
    "torch.Size": torch.Size,
    "torch._tensor._rebuild_from_type_v2": _rebuild_from_type,
    "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch.device": torch.device,
    # A path from Linux must also load on Windows.
    **{f"pathlib.{kind}Path": Path for kind in ("", "Posix", "Windows")},
}
