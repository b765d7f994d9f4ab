"""How much disk space each app takes once installed.

`python -m benchmarks.install NAME...` prints the bytes of installed packages and all their dependencies, as JSON.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path
from time import perf_counter

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FASTBOOK = ["voila", "ipykernel", "ipywidgets", "fastai", "torch", "torchvision"]
TORCH = ["torch", "torchvision"]


def serving(extra=None):
    """Names of the packages that serving FoodVision needs, perhaps with those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    return [Requirement(line).name for line in lines]


def distributions(names):
    """The installed distributions with these names and all their dependencies here, by name."""
    found, waiting = {}, [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        key = normal(wanted.name), frozenset(wanted.extras)
        if key in found:
            continue
        found[key] = metadata.distribution(wanted.name)
        for line in found[key].requires or []:
            required = Requirement(line)
            extras = "", *wanted.extras
            if required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(required)
    return {name: distribution for (name, _), distribution in found.items()}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def recorded_size(distribution):
    """Bytes of the files in a distribution's RECORD, without compiled Python, which not every installer writes."""
    paths = [Path(file.locate()) for file in distribution.files or [] if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.exists())


def for_nvidia(name):
    """Whether a package is only for NVIDIA GPUs. (Torch itself contains more code for them.)"""
    return name.startswith(("nvidia-", "cuda-", "triton"))


def installed(python, names):
    """Bytes of packages and their dependencies in an environment: (all, without those only for NVIDIA GPUs)."""
    command = [python, "-m", "benchmarks.install", *names]
    sizes = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return sum(sizes.values()), sum(size for name, size in sizes.items() if not for_nvidia(name))


def install_fresh(*requirements):
    """(seconds, bytes on disk) to install these requirements into a fresh environment, downloads included."""
    uv = Path(sys.executable).with_name("uv")
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        options = ["--quiet", "--no-cache", "--python", folder]
        subprocess.run([uv, "pip", "install", *options, *requirements], cwd=ROOT, check=True)
        seconds = perf_counter() - start
        return seconds, sum(path.lstat().st_size for path in Path(folder).rglob("*") if path.is_file())


def as_here(names):
    """Requirements pinned to the versions installed here."""
    return [f"{name}=={metadata.version(name)}" for name in names]


if __name__ == "__main__":
    print(json.dumps({name: recorded_size(one) for name, one in distributions(sys.argv[1:]).items()}))
