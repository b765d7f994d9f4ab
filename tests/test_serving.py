"""`foodvision serve` starts from a checkout or a wheel, or says in one sentence why it can't."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile

import nbformat
import pytest
from conftest import MODEL, PATIENCE, ROOT, Server, free_port, wait_for
from reliability.messages import Visitor, photo

from foodvision.page.notebook import ServeError
from foodvision.page.trial import try_notebook, try_port

PACKAGED = "foodvision/packaged/"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notebook(path, *cells):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)


def refused(*options, port=None):
    """What `foodvision serve` says when it refuses to start."""
    command = [sys.executable, "-m", "foodvision", "serve", *map(str, options), "--no-browser"]
    ran = subprocess.run(
        [*command, f"--port={port or free_port()}"], capture_output=True, encoding="utf-8", timeout=2 * PATIENCE
    )
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr and "running at" not in ran.stderr
    return ran.stderr


@pytest.mark.slow
def test_a_stale_model_is_not_served(folder):
    shutil.copy(MODEL, folder)
    (folder / "export.pkl").write_bytes(b"another learner")
    assert "export.onnx was not compiled from the export.pkl beside it. Run `foodvision compile`" in refused()


@pytest.mark.slow
def test_an_uncompiled_learner_is_not_replaced_by_our_model(folder):
    (folder / "export.pkl").write_bytes(b"a learner")
    assert f"There is no {folder / 'export.onnx'}. Run `foodvision compile`" in refused()


@pytest.mark.slow
def test_a_damaged_model_is_not_served(folder):
    (folder / "export.onnx").write_bytes(MODEL.read_bytes()[:100_000])
    assert "export.onnx can't be read as a model. Run `foodvision compile`" in refused()


@pytest.mark.slow
def test_your_own_notebook_is_not_served_without_its_model(folder):
    notebook(folder / "own.ipynb", "from foodvision import Classifier", "Classifier('gone.onnx')")
    assert "There is no gone.onnx" in refused("own.ipynb")


@pytest.mark.slow
def test_a_notebook_that_fails_is_not_served(folder):
    notebook(folder / "foodvision.ipynb", "1 / 0")
    assert "foodvision.ipynb fails with ZeroDivisionError: division by zero. Run it in Jupyter" in refused()


@pytest.mark.slow
def test_a_notebook_whose_kernel_dies_is_not_served(folder):
    notebook(folder / "foodvision.ipynb", "import os", "os._exit(1)")
    assert "The kernel died while running foodvision.ipynb" in refused()


@pytest.mark.slow
@pytest.mark.parametrize("content", ["{", "", "[]", "\udcff", '{"cells": 3}', "# Python"])
def test_a_file_that_is_not_a_notebook_is_not_served(folder, content):
    (folder / "own.ipynb").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ServeError, match=r"own\.ipynb is not a notebook, or is damaged"):
        try_notebook(folder / "own.ipynb")


@pytest.mark.slow
def test_a_missing_notebook_is_named(folder):
    assert "There is no gone.ipynb. Check its name" in refused("gone.ipynb")


@pytest.mark.slow
def test_several_notebooks_are_not_served_at_once(folder):
    assert "Name one notebook to serve, not 2: a.ipynb, b.ipynb." in refused("a.ipynb", "b.ipynb")


@pytest.mark.slow
def test_a_port_in_use_is_named_and_no_other_is_taken(voila, folder):
    port = int(re.search(r":(\d+)/", voila.url)[1])
    assert f"Port {port} is in use. Stop the server that uses it, or choose another" in refused(port=port)


@pytest.mark.slow
@pytest.mark.parametrize("port", [70_000, -1])
def test_an_impossible_port_is_named(port):
    with pytest.raises(ServeError, match=f"There is no port {port}"):
        try_port(port, "localhost")


@pytest.mark.slow
def test_an_address_of_another_computer_is_named():
    with pytest.raises(ServeError, match=r"Can't listen on 192\.0\.2\.1: .* Check --Voila\.ip\."):
        try_port(free_port(), "192.0.2.1")


# From a wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `python -m build --wheel` makes; what it is built with is installed here already."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", f"--outdir={folder}", ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_has_model_page_and_settings_and_no_pickle(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in "export.onnx", "foodvision.ipynb", "voila.json":
            assert archive.read(PACKAGED + name) == (ROOT / name).read_bytes()
    assert not [name for name in names if name.endswith((".pkl", ".pyc"))]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh virtual environment with the wheel, which finds our dependencies here: its `foodvision` command."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", f"--python={python}", wheel]
    subprocess.run([sys.executable, "-m", *install], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return folder / "bin" / "foodvision"


def environment():
    """What the fresh environment has: Voilà's files are those of the dependencies, found here."""
    jupyter = os.path.join(sys.prefix, "share", "jupyter")
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"JUPYTER_PATH": jupyter}


def serve(command, folder):
    port, log = free_port(), folder.parent / f"{folder.name}.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [command, "serve", "--no-browser", f"--port={port}"],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    wait_for(port, process, log)
    return Server(process, f"http://localhost:{port}/")


def answer(command, folder):
    """What the page says about a photo, if `foodvision serve` runs in this folder."""
    server = serve(command, folder)
    try:
        visitor = Visitor(server.url)
        reply = visitor.ask(photo())
        visitor.leave()
        return reply["prediction"]
    finally:
        server.process.terminate()
        server.process.wait(PATIENCE)


@pytest.mark.slow
def test_an_installed_package_serves_the_page_in_an_empty_folder(installed, tmp_path):
    assert "pizza" in answer(installed, tmp_path)["probabilities"]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_installed_package_serves_your_own_model(installed, tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs onnx: a renamed model was not served")
    model = onnx.load(MODEL)
    for entry in model.metadata_props:
        entry.value = entry.value.replace("pizza", "pancake")
    onnx.save(model, tmp_path / "export.onnx")
    assert "pancake" in answer(installed, tmp_path)["probabilities"]
    (tmp_path / "foodvision.ipynb").write_bytes((ROOT / "foodvision.ipynb").read_bytes())
    assert "pancake" in answer(installed, tmp_path)["probabilities"]


def test_an_installed_package_answers_from_any_folder(installed, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(photo())
    command = [installed, "--json", "photo.jpg"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8", check=True)
    assert json.loads(ran.stdout)["label"]


def test_an_editable_install_has_no_copies(tmp_path):
    code = f"from hatchling.build import build_editable; print(build_editable({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.startswith("foodvision/")]


@pytest.mark.parametrize("name", ["voila.json", "foodvision/page/template/conf.json"])
def test_settings_that_voila_reads_in_the_systems_encoding_are_ascii(name):
    assert (ROOT / name).read_bytes().isascii()
