"""The rules that keep the package easy to navigate."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "foodvision"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 250, 35
SUBPACKAGES = {"answer", "api", "batch", "learn", "page"}
FORBIDDEN = {
    "answer": {"api", "batch", "learn", "page"},
    "api": {"batch", "learn"},
    "batch": {"api", "learn", "page"},
    "page": {"api", "learn", "batch"},
    "learn": {"api", "page"},
}
HEAVY = {"fastai", "torch", "torchvision", "timm", "matplotlib", "pandas", "sklearn"}

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def tree(module):
    return ast.parse(module.read_text(encoding="utf-8"))


def subpackages_imported(module):
    """Subpackages that a module imports from, anywhere in it."""
    package = module.relative_to(ROOT).parent.parts
    imported = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*above, *filter(None, [node.module])])
            imported += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    parts = [name.split(".") for name in imported]
    return {names[1] for names in parts if names[0] == "foodvision" and len(names) > 1} & SUBPACKAGES


@each_module
def test_subpackages_import_only_what_they_may(module):
    subpackage = module.relative_to(PACKAGE).parts[0]
    assert not subpackages_imported(module) & FORBIDDEN.get(subpackage, set())


def test_the_import_rules_see_every_way_to_import(tmp_path, monkeypatch):
    ways = (
        "from ..learn import data",
        "from foodvision.learn.data import x",
        "import foodvision.learn",
        "from .. import learn",
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    module = tmp_path / "foodvision" / "page" / "module.py"
    module.parent.mkdir(parents=True)
    for way in ways:
        module.write_text(f"def f():\n    {way}\n", encoding="utf-8")
        assert subpackages_imported(module) == {"learn"}, way


@each_module
def test_no_module_is_long(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES


@each_module
def test_no_function_is_long(module):
    functions = [node for node in ast.walk(tree(module)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lengths = {function.name: function.end_lineno - function.lineno + 1 for function in functions}
    assert not {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES}


def public_functions(body):
    """Functions that others may call: of a module, and the methods that its public classes introduce."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not inherits_its_interface(node):
            yield from public_functions(node.body)


def inherits_its_interface(node):
    """Whether a class extends a framework's class, which determines its methods' arguments."""
    return bool(node.bases) and not {ast.unparse(base) for base in node.bases} <= {
        "RuntimeError",
        "ValueError",
        "Table",
    }


@each_module
def test_public_functions_have_type_hints(module):
    bare = []
    for function in public_functions(tree(module).body):
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        named = [argument for argument in arguments if argument.arg not in ("self", "cls")]
        if function.returns is None or any(argument.annotation is None for argument in named):
            bare.append(function.name)
    assert not bare


@pytest.mark.parametrize(
    "code",
    [
        "import foodvision",
        "from foodvision import Classifier; Classifier()",
        "from foodvision.page.server import FoodVision",
        "import foodvision.page.dashboard, foodvision.page.feedback, foodvision.page.links",
        "from foodvision.cli import main; main(['check'])",
        "import foodvision.batch.folder",
        "import foodvision.api.server",
    ],
)
def test_serving_loads_neither_torch_nor_fastai(code):
    script = f"import sys; {code}; print(*sys.modules, sep='\\n', file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert not HEAVY & set(ran.stderr.splitlines())


def test_the_server_does_not_load_what_runs_the_model():
    script = "import sys; import foodvision.cli, foodvision.page.server; print('onnxruntime' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout == "False\n"


def test_every_subpackage_is_one_of_five():
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == SUBPACKAGES
    assert Path(PACKAGE / "cli.py").exists()
