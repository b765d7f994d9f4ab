"""Reads an exported learner without running code from the file: only what `allowed` lists is created.

A pickle can name anything, and Python imports and calls it. Here the parts of a fastai image classifier are created,
those that only training uses are left out, and everything else is refused. This is not a sandbox: SECURITY.md says how
far to trust it.
"""

import io
import pickle
import types
from typing import BinaryIO

import torch

from .allowed import LEFT_OUT, current_name, is_enum, listed
from .left_out import LeftOut, UnknownNames, describe_call
from .makers import CLOUDPICKLE_TYPES, MAKERS

ARCHIVE = b"PK\x03\x04"  # torch.load treats other files as its formats from before 2020
NO_LEARNER = "It isn't a learner that fastai 2 exported, or it is damaged. `learner.export` writes one."
MAKE_CLASS = "cloudpickle.cloudpickle._make_skeleton_class"
NOT_UNDERSTOOD = pickle.INST + pickle.OBJ + pickle.EXT1 + pickle.EXT2 + pickle.EXT4 + pickle.NEWOBJ_EX


def opcodes_of(content: bytes) -> bytes:
    """The pickle in an archive written by `torch.save`, or the whole content if it isn't one."""
    try:
        return bytes(torch._C.PyTorchFileReader(io.BytesIO(content)).get_record("data.pkl"))
    except Exception:  # it's refused later
        return content


def find_unknown(file: BinaryIO) -> set[str]:
    """Names that the learner in `file` (binary, written by `torch.save`) needs but that are not on the allow-list.

    Nothing is created to find them. Raises ValueError if the file holds no pickle, or a TorchScript program, which
    `torch.load` would run instead. The archive is opened as `torch.load` does, so both see the same content.
    """
    try:
        archive = torch._C.PyTorchFileReader(file)
        if any(name == "constants.pkl" or name.startswith("code/") for name in archive.get_all_records()):
            raise ValueError("It is a program, not a pickle.")
        rehearsal = _Rehearsal(io.BytesIO(archive.get_record("data.pkl")))
        rehearsal.load()
    except Exception as error:  # a broken pickle raises many types
        raise ValueError(NO_LEARNER) from error
    return rehearsal.unknown


class Unpickler(pickle._Unpickler):
    """For `torch.load(file, pickle_module=foodvision.learn.unpickle)`. Raises UnknownNames.

    Objects are created empty and then filled, and nothing but MAKERS is called. The base class is Python's own
    unpickler, because the C one hides its calls. Opcodes that no exporter writes are removed.
    """

    def find_class(self, module, name):
        module, name = current_name(module, name)
        full = f"{module}.{name}"
        if full in MAKERS:
            return MAKERS[full]
        if (found := listed(module, name)) is not None:
            return self.listed(found)
        return LeftOut(full) if full.startswith(LEFT_OUT) else self.unlisted(full)

    def listed(self, found):
        return found

    def unlisted(self, name):
        raise UnknownNames([name])

    def make(self, maker, arguments):
        looks_up = is_enum(maker) and len(arguments) == 1
        if looks_up or any(maker is made for made in (*MAKERS.values(), *CLOUDPICKLE_TYPES.values())):
            return maker(*arguments)
        raise UnknownNames([describe_call(maker)])

    def make_empty(self, kind, arguments):
        if isinstance(kind, LeftOut):
            return LeftOut(kind.described)
        if not isinstance(kind, type) or (arguments and not issubclass(kind, tuple)):
            raise UnknownNames([describe_call(kind)])
        return kind.__new__(kind, *arguments)

    def load_reduce(self):
        arguments = self.stack.pop()
        self.append(self.make(self.stack.pop(), arguments))

    def load_newobj(self):
        arguments = self.stack.pop()
        self.append(self.make_empty(self.stack.pop(), arguments))

    def load_build(self):
        """Refuse to change the state of classes, functions and modules, which the whole process shares."""
        if isinstance(self.stack[-2], type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType):
            raise UnknownNames([describe_call(self.stack[-2])])
        super().load_build()

    dispatch = {code: step for code, step in pickle._Unpickler.dispatch.items() if code not in NOT_UNDERSTOOD} | {
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.BUILD[0]: load_build,
    }


class _Rehearsal(Unpickler):
    """Goes through the same steps with placeholders, and records what is unknown."""

    def __init__(self, file):
        super().__init__(file)
        self.unknown = set()

    def listed(self, found):
        return _Blank(found)

    def unlisted(self, name):
        self.unknown.add(name)
        return _Blank()

    def make(self, maker, arguments):
        if isinstance(maker, LeftOut):
            self.unknown.add(maker.described)
        elif maker is MAKERS[MAKE_CLASS]:
            return self._make_class(*arguments)
        return _Blank()

    def make_empty(self, kind, arguments):
        return _Blank()

    def persistent_load(self, pid):
        return _Blank()

    def _make_class(self, metaclass, name, bases, *rest):
        bases = [base.found if isinstance(base, _Blank) else base for base in bases]
        try:
            return MAKERS[MAKE_CLASS](metaclass, name, bases)
        except UnknownNames as error:
            self.unknown.update(error.names)
            return _Blank()


class _Blank:
    """Placeholder for `found`, which isn't touched."""

    def __init__(self, found=None):
        self.found = found

    def __setstate__(self, state):
        pass

    append = extend = add = __setstate__

    def __setitem__(self, key, value):
        pass
