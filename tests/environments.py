"""What Binder and the Dockerfile build, rehearsed in virtual environments without Docker.

uv fills each environment in seconds, and pip then finds everything there, hashes checked by both.
"""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import repo2docker.buildpacks.conda
import yaml
from conftest import PATIENCE, ROOT, Server, wait_for

PYTHON = "3.11"
LINUX = sys.platform == "linux"


class Environment:
    """A virtual environment, and the home folder of a user who has never used Jupyter."""

    def __init__(self, folder):
        self.folder = folder / "environment"
        self.home = folder / "home"
        self.home.mkdir()
        self.uv("venv", "--seed", "--python", sys.executable, self.folder)

    def uv(self, *arguments):
        run = subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], capture_output=True, encoding="utf-8")
        assert run.returncode == 0, run.stderr

    def install(self, *arguments):
        self.uv("pip", "install", "--python", self.folder, "--compile-bytecode", *arguments)

    @property
    def variables(self):
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "VIRTUAL_ENV"))
        }
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return inherited | {"PATH": path, "HOME": str(self.home), "NB_PYTHON_PREFIX": str(self.folder)}

    def run(self, command, cwd, **variables):
        """The output of a shell command."""
        run = subprocess.run(
            ["bash", "-ec", command], cwd=cwd, env=self.variables | variables, capture_output=True, encoding="utf-8"
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
        return run.stdout

    @contextmanager
    def serve(self, command, cwd, port, path="/", **variables):
        """A `Server` from a shell command, limited to one core and 2 GB of memory on Linux."""
        log = self.home / f"{port}.txt"
        with log.open("w") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=cwd,
                env=self.variables | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=confine if LINUX else None,
            )
        try:
            wait_for(port, process, log)
            yield Server(process, f"http://localhost:{port}{path}")
        finally:
            process.terminate()
            process.wait(PATIENCE)


def confine():
    import resource

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_DATA, (2 * 10**9, 2 * 10**9))


def binder_base():
    """The Jupyter packages that every Binder image starts from, for pip."""
    folder = Path(repo2docker.buildpacks.conda.__file__).parent
    frozen = (folder / f"environment.py-{PYTHON}-linux-64.lock").read_text()
    versions = dict(re.findall(r"/([a-z][\w-]*?)-(\d[\d.]*)-[^/]*\.conda#", frozen))
    listed = yaml.safe_load((folder / "environment.yml").read_text())["dependencies"]
    names = [re.split("[ =]", line)[0] for line in listed]
    renamed = {"jupyterhub-singleuser": "jupyterhub"}
    return [f"{renamed.get(name, name)}=={versions[name]}" for name in names if name not in ("nodejs", "pip", "python")]


def conda_and_pip(path):
    """The conda packages and the pip lines of an environment.yml."""
    *conda, pip = yaml.safe_load((ROOT / path).read_text())["dependencies"]
    return conda, pip["pip"]


def copy_checkout(folder):
    """Copy the repository as a clone would have it, plus uncommitted changes."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    for name in filter(lambda name: (ROOT / name).exists(), run.stdout.splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def build_as_binder(environment, checkout):
    """Binder's own Jupyter, then binder/environment.yml as mamba has pip install it, then postBuild."""
    environment.install(*binder_base())
    _, lines = conda_and_pip("binder/environment.yml")
    (checkout / "binder" / "lines.txt").write_text("\n".join(lines))
    environment.install("--require-hashes", "--requirement", checkout / "requirements" / "serve.txt")
    environment.run("python -m pip install -U -r lines.txt --no-input --quiet && rm lines.txt", checkout / "binder")
    environment.run("chmod +x binder/postBuild && ./binder/postBuild", checkout)
