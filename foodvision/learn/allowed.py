"""The allow-list: what an exported learner may create, what is left out, and how older versions named it.

Only inert objects are created: tensors, layers, transforms and containers. Everything else in these libraries is left
out, because only training uses it. A file that calls something that was left out is refused.
"""

import _compat_pickle
import importlib
from enum import EnumType
from types import BuiltinFunctionType, FunctionType

MADE_NAMES = """
PIL.Image.Image builtins.Ellipsis builtins.bool builtins.dict builtins.float builtins.int builtins.list
builtins.object builtins.str builtins.tuple collections.abc.Callable fastai.callback.data.WeightedDL
fastai.data.core.DataLoaders fastai.data.core.Datasets fastai.data.core.FilteredBase fastai.data.core.TfmdDL
fastai.data.core.TfmdLists fastai.data.load._FakeLoader fastai.data.transforms.CategoryMap
fastai.data.transforms.RegexLabeller fastai.learner.Learner fastai.torch_core.Module fastai.torch_core.TensorBase
fastai.torch_core.TensorCategory fastai.torch_core.TensorImage fastai.torch_core.TensorImageBW
fastai.torch_core.TensorMask fastai.vision.augment._BrightnessLogit fastai.vision.augment._ContrastLogit
fastai.vision.augment._Hue fastai.vision.augment._SaturationLogit fastai.vision.augment._WarpCoord
fastai.vision.core.PILImage fastai.vision.core.PILImageBW fastai.vision.core.PILMask fastcore.basics.fastuple
fastcore.foundation.L fasttransform.transform.Pipeline fasttransform.transform.Transform inspect._empty numpy.bool
numpy.bool_ numpy.bytes_ numpy.float16 numpy.float32 numpy.float64 numpy.int16 numpy.int32 numpy.int64 numpy.int8
numpy.ndarray numpy.str_ numpy.uint16 numpy.uint32 numpy.uint64 numpy.uint8 pandas.Series plum._function.Function
plum._method.Method plum._method.MethodList plum._resolver.Resolver plum._signature.Signature plum._util.Missing
torch.BFloat16Storage torch.BoolStorage torch.ByteStorage torch.CharStorage torch.DoubleStorage torch.FloatStorage
torch.HalfStorage torch.IntStorage torch.LongStorage torch.ShortStorage torch.Tensor torch._C._special.special_log1p
torch.nn.parameter.Buffer torch.nn.parameter.Parameter torch.nn.utils.spectral_norm.SpectralNorm
torch.nn.utils.spectral_norm.SpectralNormLoadStateDictPreHook torch.nn.utils.spectral_norm.SpectralNormStateDictHook
torch.nn.utils.weight_norm.WeightNorm torch.storage.UntypedStorage typing.Any typing.Union
"""
MADE = frozenset(MADE_NAMES.split())
# Subclasses of these are also created, if they are defined in one of the modules listed.
FAMILIES = {
    "torch.nn.Module": (
        *("torch.nn.modules.", "torchvision.models.", "torchvision.ops.", "timm.layers.", "timm.models."),
        *("fastai.layers.", "fastai.losses.", "fastai.vision.learner.", "fastai.vision.models."),
    ),
    "fastai.losses.BaseLoss": ("fastai.losses.",),
    "fasttransform.transform.Transform": (
        *("fastai.data.transforms.", "fastai.vision.augment.", "fastai.vision.core."),
    ),
    "enum.Enum": (
        *("fastai.callback.fp16.", "fastai.data.transforms.", "fastai.layers.", "fastai.vision.augment."),
        *("timm.layers.", "timm.models.", "torchvision.models.", "torchvision.ops.", "torchvision.transforms."),
    ),
}
NO_FAMILY = ("timm.models._features", "torchvision.models.feature_extraction")  # these turn models into programs
# Anything else from these is left out. The lines from `collections` on are for notebook code, which is never created.
PACKAGES = """
fastai fastcore fasttransform foodvision matplotlib numpy pandas scipy sklearn timm torch torchmetrics torchvision wandb
collections contextlib copy dataclasses enum functools itertools math ntpath operator posixpath random re statistics
time typing warnings
"""
LEFT_OUT = (*(f"{package}." for package in PACKAGES.split()), "builtins.print")
# Functions on tensors that layers call. They may be referred to, but are not called while a file is read.
FUNCTIONS = {"torch.nn.functional": FunctionType | BuiltinFunctionType, "torch._C._nn": BuiltinFunctionType}
RENAMED = {
    "numpy.core.": "numpy._core.",  # before numpy 2
    "timm.models.layers.": "timm.layers.",  # before timm 0.9
    "pathlib._local.": "pathlib.",  # Python 3.13
}


def current_name(module: str, name: str) -> tuple[str, str]:
    """Module and name, in the installed versions, of what a pickle names."""
    module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
    module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    for before, after in RENAMED.items():
        if f"{module}.".startswith(before):
            module = f"{after}{module[len(before) :]}".rstrip(".")
    return module, name


def listed(module: str, name: str) -> object:
    """The class or function with this name if it is on the allow-list, otherwise None."""
    if f"{module}.{name}" in MADE:
        return resolve(module, name)
    if module in FUNCTIONS:
        found = getattr(importlib.import_module(module), name, None)
        return found if isinstance(found, FUNCTIONS[module]) and _is_of(module, found) else None
    return _of_a_family(module, name)


def resolve(module: str, name: str) -> object:
    """The object with this name. (`pkgutil.resolve_name` fails if a function hides a module of the same name.)"""
    return getattr(importlib.import_module(module), name)


def is_enum(kind: object) -> bool:
    """Whether this is an enum, whose members a pickle may look up by value."""
    return isinstance(kind, EnumType)


def _is_of(module, function):
    return function.__module__ in (module, "torch._C._nn")


def _of_a_family(module, name):
    full = f"{module}.{name}"
    for ancestor, modules in FAMILIES.items():
        if full.startswith(modules) and not full.startswith(NO_FAMILY):
            try:
                kind = getattr(importlib.import_module(module), name, None)
            except Exception:  # an optional package is missing
                return None
            if isinstance(kind, type) and kind.__module__ == module and issubclass(kind, _ANCESTORS[ancestor]):
                return kind
    return None


_ANCESTORS = {full: resolve(*full.rsplit(".", 1)) for full in FAMILIES}
