"""Keeps the module names of version 0.1 working, for notebooks and scripts that import them."""

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

MOVED = {
    "card": "learn.card",
    "check": "answer.check",
    "classifier": "answer.classifier",
    "compare": "learn.compare",
    "compile": "learn.compile",
    "dashboard": "page.dashboard",
    "data": "learn.data",
    "early": "page.first_paint",
    "evaluate": "learn.evaluate",
    "feedback": "page.feedback",
    "folder": "batch.folder",
    "machine": "answer.machine",
    "metadata": "answer.metadata",
    "mobile": "learn.mobile",
    "photo": "answer.photo",
    "plots": "learn.plots",
    "preprocessing": "answer.preprocessing",
    "serve": "page.server",
    "share": "page.links",
    "training": "learn.training",
    "unpickle": "learn.unpickle",
}
# What `python -m foodvision.compile` and its siblings run.
COMMANDS = {name: [name] for name in ("check", "compile", "evaluate", "serve", "share")}
COMMANDS["mobile"] = ["export", "--to", "torch"]


class MovedModules(MetaPathFinder):
    """Finds `foodvision.compile` in `foodvision.learn.compile`; `python -m foodvision.compile` runs the command."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """A spec for a module that has moved; None for any other."""
        package, _, name = fullname.partition(".")
        if package != "foodvision" or name not in MOVED:
            return None
        return ModuleSpec(fullname, _MovedLoader(name))


class _MovedLoader(Loader):
    def __init__(self, name: str) -> None:
        self.name, self.moved_to = name, f"foodvision.{MOVED[name]}"

    def exec_module(self, module: ModuleType) -> None:
        """Import the module under its new name, and make both names refer to it."""
        warnings.warn(f"{module.__name__} is now {self.moved_to}", DeprecationWarning, stacklevel=3)
        sys.modules[module.__name__] = import_module(self.moved_to)

    def get_code(self, fullname: str) -> CodeType | None:
        """The program for `python -m`, if the module was a command."""
        if self.name not in COMMANDS:
            return None
        command = COMMANDS[self.name]
        program = f"import sys; from foodvision.cli import main; sys.exit(main([*{command!r}, *sys.argv[1:]]))"
        return compile(program, fullname, "exec")
