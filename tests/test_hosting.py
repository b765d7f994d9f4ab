"""What Binder and the Dockerfile build, and the page that each of them serves.

Neither Docker nor Binder is needed. repo2docker writes the Dockerfile that Binder would build; its steps, and those of
our own, run in fresh virtual environments, and a real browser drives the page. To print the measurements:
`pytest tests/test_hosting.py -rP`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
import repo2docker.buildpacks.conda
import yaml
from conftest import MODEL, PATIENCE, ROOT, Server, free_port, wait_for
from docker.utils.build import exclude_paths
from packaging.requirements import Requirement
from playwright.sync_api import expect
from repo2docker.app import Repo2Docker
from visitor import answer, choose, chooser, drawn, opened, saved

from foodvision import ModelError
from foodvision.answer.check import check_model
from foodvision.answer.classifier import Classifier

PYTHON = "3.11"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HOSTING = (ROOT / "docs" / "hosting.md").read_text()
VALUES = yaml.safe_load((ROOT / "docs" / "scaling" / "jupyterhub.yaml").read_text())
HTTP_PROXY = "configurable-http-proxy@4.6.3"  # JupyterHub's own, which the chart runs, too
TOKEN = "abc"
LINUX = sys.platform == "linux"


# One place for each version


def locked(name):
    """The requirements in a lock file, by name. There is a list for each, since some differ by Python version."""
    lines = re.sub(r" \\\n\s+--hash", " --hash", (ROOT / "requirements" / f"{name}.txt").read_text()).splitlines()
    packages = {}
    for line in lines:
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split(" --hash=sha256:")
            assert hashes, f"{requirement} has no hash"
            requirement = Requirement(requirement)
            packages.setdefault(normal(requirement.name), []).append(requirement)
    return packages


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


SERVE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
BUILD = PROJECT["build-system"]["requires"] + PROJECT["dependency-groups"]["build"]


@pytest.mark.parametrize(
    ("lock", "pins"),
    [
        ("serve", SERVE + BUILD),
        ("api", SERVE + BUILD + EXTRAS["api"]),
        ("quick", SERVE + BUILD + EXTRAS["api"] + EXTRAS["test"] + EXTRAS["folder"]),
        ("all", SERVE + BUILD + EXTRAS["api"] + EXTRAS["mcp"] + EXTRAS["train"] + EXTRAS["test"] + EXTRAS["folder"]),
    ],
)
def test_each_pin_is_locked_with_hashes(lock, pins):
    packages = locked(lock)
    for pin in map(Requirement, pins):
        versions = {str(package.specifier) for package in packages.get(normal(pin.name), [])}
        assert versions == {str(pin.specifier)}, f"{pin} is not what requirements/{lock}.txt holds: run `make lock`."


def test_the_tested_versions_are_the_served_ones():
    everything = locked("all")
    for name, packages in locked("serve").items():
        versions = {str(package.specifier) for package in packages}
        assert versions <= {str(package.specifier) for package in everything[name]}, f"{name}: run `make lock`."


def test_serving_needs_neither_torch_nor_fastai():
    assert not {"torch", "torchvision", "fastai", "pandas", "matplotlib", "jupyterlab"} & locked("serve").keys()


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("python", [PYTHON, "3.14"])
@pytest.mark.parametrize("system", ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"])
def test_every_locked_package_exists_for_each_system(system, python, tmp_path):
    wheels = ["--only-binary=:all:", "--require-hashes", f"--requirement={ROOT / 'requirements' / 'all.txt'}"]
    target = [f"--target={tmp_path}", f"--python-platform={system}", f"--python-version={python}"]
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--dry-run", *target, *wheels]
    macos = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the oldest that onnxruntime supports
    run = subprocess.run(command, env=os.environ | macos, capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr


def test_no_lock_file_names_a_host():
    assert not [path for path in (ROOT / "requirements").iterdir() if "://" in path.read_text()]


def conda_and_pip(path):
    """The conda packages and the pip lines of an environment.yml."""
    *conda, pip = yaml.safe_load((ROOT / path).read_text())["dependencies"]
    return conda, pip["pip"]


def test_every_environment_has_the_same_python_and_the_same_versions():
    assert PROJECT["project"]["requires-python"] == f">={PYTHON}"
    assert conda_and_pip("environment.yml") == ([f"python={PYTHON}", "pip"], ["-e .[train,test,folder,api,mcp]"])
    assert conda_and_pip("binder/environment.yml") == ([f"python={PYTHON}", "pip"], ["-r ../requirements/serve.txt"])
    assert f"\nFROM python:{PYTHON}-slim" in (ROOT / "Dockerfile").read_text()
    assert f"--python-version {PYTHON} " in (ROOT / "Makefile").read_text()
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    assert PYTHON in workflow["jobs"]["test"]["strategy"]["matrix"]["python"]


# The model pair


@pytest.fixture
def pair(tmp_path):
    """Copies of both model files; the path of `export.onnx`."""
    for path in MODEL, MODEL.with_suffix(".pkl"):
        shutil.copy(path, tmp_path)
    return tmp_path / MODEL.name


def test_the_model_pair_passes_its_check(pair):
    prediction = check_model(pair)
    assert prediction.label in prediction.probabilities


def test_a_model_without_a_learner_as_in_a_package_passes_its_check(pair):
    pair.with_suffix(".pkl").unlink()
    prediction = check_model(pair)
    assert prediction.label in prediction.probabilities


def test_a_pair_that_does_not_match_fails_its_check(pair):
    pair.with_suffix(".pkl").write_bytes(b"another learner")
    with pytest.raises(ModelError, match="was not compiled from"):
        check_model(pair)


def test_a_model_that_answers_nonsense_fails_its_check(pair, monkeypatch):
    monkeypatch.setattr(Classifier, "probabilities", lambda self, batch: np.full((1, len(self.vocab)), np.nan))
    with pytest.raises(ModelError, match="are not probabilities"):
        check_model(pair)


# What Binder builds


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The repository as a clone would have it, plus uncommitted changes."""
    folder = tmp_path_factory.mktemp("clone") / "foodvision"
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(
        listing, cwd=ROOT, check=True, capture_output=True, encoding="utf-8"
    ).stdout.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture
def buildpack(checkout, monkeypatch):
    """The buildpack that repo2docker chooses for this repository."""
    monkeypatch.chdir(checkout)
    packs = (pack("base") for pack in Repo2Docker().buildpacks)
    chosen = next(pack for pack in packs if pack.detect())
    chosen.platform = "linux/amd64"
    return chosen


def test_binder_installs_the_serving_packages_with_our_python(buildpack):
    assert type(buildpack).__name__ == "CondaBuildPack"
    assert buildpack.python_version == PYTHON
    dockerfile = buildpack.render()
    update = re.findall(r"env update -p \S+ --file \"(.*?)\"", dockerfile)
    assert update == ["binder/environment.yml"]
    assert "torch" not in dockerfile


def test_binder_copies_the_repository_then_installs_then_runs_post_build(buildpack):
    dockerfile = buildpack.render()
    steps = ["COPY --chown=1000:1000 src/ ${REPO_DIR}/", "env update -p", "USER ${NB_USER}", "RUN ./binder/postBuild"]
    places = [dockerfile.rindex(step) for step in steps]
    assert places == sorted(places)


# Rehearsals. uv fills each environment in seconds, and pip then finds everything there, hashes checked by both.


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


@pytest.fixture(scope="module")
def binder_environment(checkout, tmp_path_factory):
    """What Binder builds: its own Jupyter, then binder/environment.yml as mamba has pip install it, then postBuild."""
    environment = Environment(tmp_path_factory.mktemp("binder"))
    environment.install(*binder_base())
    _, lines = conda_and_pip("binder/environment.yml")
    (checkout / "binder" / "lines.txt").write_text("\n".join(lines))
    environment.install("--require-hashes", "--requirement", checkout / "requirements" / "serve.txt")
    environment.run("python -m pip install -U -r lines.txt --no-input --quiet && rm lines.txt", checkout / "binder")
    environment.run("chmod +x binder/postBuild && ./binder/postBuild", checkout)
    return environment


@pytest.fixture(scope="module")
def binder(binder_environment, checkout):
    """`jupyter lab` as BinderHub starts it: a `Server`."""
    port, base = free_port(), "/user/abc-def/"
    command = (
        f"jupyter-lab --no-browser --allow-root --port={port} --ServerApp.base_url={base} "
        f"--IdentityProvider.token={TOKEN} --ServerApp.trust_xheaders=True"
    )
    path = f"{base}voila/render/foodvision.ipynb?token={TOKEN}"
    with binder_environment.serve(command, checkout, port, path) as server:
        yield server


def ask(page, name="drawn.jpg"):
    choose(page, name, saved(drawn()))
    expect(answer(page)).to_be_visible()


@pytest.mark.slow
def test_binders_environment_is_consistent_and_small(binder_environment):
    binder_environment.run("python -m pip check", "/")
    size = sum(path.lstat().st_size for path in binder_environment.folder.rglob("*") if not path.is_symlink())
    print(f"Binder's environment, its JupyterLab and JupyterHub included: {size / 1e6:.0f} MB")
    assert size < 600e6


def needs(name, extra=""):
    """An installed distribution and all that it needs."""
    found, waiting = set(), [(name, extra)]
    while waiting:
        name, extra = waiting.pop()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # for another system
            continue
        found.add(normal(name))
        for requirement in map(Requirement, distribution.requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                extras = requirement.extras or {""}
                waiting += [(requirement.name, extra) for extra in extras if normal(requirement.name) not in found]
    return found


def size_on_disk(names):
    """Size of installed distributions in bytes."""
    files = {path.locate() for name in names for path in metadata.distribution(name).files or []}
    return sum(path.stat().st_size for path in files if path.is_file())


@pytest.mark.learn
def test_serving_is_eight_times_smaller_than_training():
    serving, training = size_on_disk(needs("foodvision")), size_on_disk(needs("fastai"))
    print(f"Installed: serving {serving / 1e6:.0f} MB, fastai with torch {training / 1e6:.0f} MB")
    if not LINUX:
        pytest.skip("torch without CUDA is a fifth of its size: the promise is for Linux, which Binder is")
    assert training > 8 * serving


def cpu_seconds(server):
    """Seconds of CPU that the server and each of its kernels have had, by process id."""
    seconds = {}
    for process in (server.process, *server.kernels):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            seconds[process.pid] = sum(process.cpu_times()[:2])
    return seconds


@pytest.mark.slow
def test_the_page_opens_on_binder_within_six_seconds_of_one_core(browser, binder):
    """Of CPU, which a busy machine doesn't change; the printed time is that of a clock."""
    on_clock, of_cpu = [], []
    for _ in range(3):
        start, before = time.perf_counter(), cpu_seconds(binder)
        with opened(browser, binder.url) as page:
            expect(chooser(page)).to_be_enabled()
            on_clock.append(time.perf_counter() - start)
            after = cpu_seconds(binder)
            of_cpu.append(sum(seconds - before.get(process, 0) for process, seconds in after.items()))
            ask(page)
    print(f"From a server that has started to a page that can be used: {min(on_clock):.1f} s")
    assert min(of_cpu) <= 6


def in_words(kernel):
    memory = kernel.memory_full_info()
    return f"{memory.rss / 1e6:.0f} MB, {memory.uss / 1e6:.0f} MB of it shared with no other process"


@pytest.mark.slow
def test_the_server_and_a_visitor_fit_in_what_binder_guarantees(browser, binder):
    with opened(browser, binder.url) as page:
        ask(page)
        kernel = max(binder.kernels, key=lambda kernel: kernel.create_time())
        server, visitor = binder.process.memory_info().rss, kernel.memory_info().rss
        print(f"Memory on Binder: server {server / 1e6:.0f} MB, a visitor's kernel {in_words(kernel)}")
    assert server + visitor < 320e6


def api(server, path, method="GET"):
    """A reply of Jupyter's API."""
    address = re.sub("voila/render/.*", f"api/{path}", server.url)
    request = urllib.request.Request(address, method=method, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        body = reply.read()
    return json.loads(body) if body else None


@pytest.mark.slow
def test_a_page_whose_kernel_was_culled_works_again_after_a_reload(browser, binder):
    with opened(browser, binder.url) as page:
        ask(page)
        newest = max(api(binder, "kernels"), key=lambda kernel: kernel["last_activity"])
        api(binder, f"kernels/{newest['id']}", "DELETE")
        page.reload()
        ask(page, "again.jpg")


@pytest.mark.slow
def test_binder_keeps_the_kernels_of_open_pages_and_ends_those_of_closed_ones(browser, binder_environment, checkout):
    configured = binder_environment.run("jupyter server --show-config-json", checkout)
    assert (
        json.loads(configured)["MappingKernelManager"]
        == json.loads((ROOT / "voila.json").read_text())["MappingKernelManager"]
    )
    port = free_port()
    sooner = "--MappingKernelManager.cull_idle_timeout=15 --MappingKernelManager.cull_interval=1"
    command = f"jupyter server --no-browser --allow-root --port={port} --IdentityProvider.token={TOKEN} {sooner}"
    path = f"/voila/render/foodvision.ipynb?token={TOKEN}"
    with binder_environment.serve(command, checkout, port, path) as server, opened(browser, server.url) as page:
        ask(page)
        with opened(browser, server.url) as closed:
            ask(closed)
        deadline = time.monotonic() + PATIENCE
        while len(api(server, "kernels")) > 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(api(server, "kernels")) == 1
        ask(page, "still here.jpg")


# Behind a reverse proxy


def nginx_configuration(port, upstream):
    """The nginx configuration of docs/hosting.md, with other ports."""
    (server,) = re.findall(r"```nginx\n(.*?)```", HOSTING, re.DOTALL)
    server = server.replace("listen 80;", f"listen {port};").replace("localhost:8888", f"127.0.0.1:{upstream}")
    return f"daemon off; pid nginx.pid; error_log stderr; events {{}} http {{ access_log off; {server} }}"


@pytest.fixture
def nginx(tmp_path):
    """`nginx(server)` gives the address of a Server's page behind a reverse proxy."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed: the page behind a reverse proxy was not checked")
    running = []

    def start(server):
        port, upstream = free_port(), int(re.search(r":(\d+)/", server.url)[1])
        (tmp_path / "nginx.conf").write_text(nginx_configuration(port, upstream))
        log = tmp_path / "log.txt"
        with log.open("w") as output:
            command = [program, "-p", tmp_path, "-c", "nginx.conf", "-e", "stderr"]
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        running.append(process)
        wait_for(port, process, log)
        return server.url.replace(f":{upstream}/", f":{port}/")

    yield start
    for process in running:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.slow
def test_the_page_works_behind_nginx_with_a_prefix(browser, binder, nginx):
    with opened(browser, nginx(binder)) as page:
        ask(page)


# A pod for each visitor, with the Helm values of docs/scaling.md


@pytest.fixture(scope="module")
def hub(binder_environment, checkout, tmp_path_factory):
    """JupyterHub with our Helm values and the packages of Binder's image, its users on this machine."""
    folder = tmp_path_factory.mktemp("hub")
    install = ["npm", "install", "--silent", "--prefix", folder, HTTP_PROXY]
    if not shutil.which("npm") or subprocess.run(install, capture_output=True).returncode:
        pytest.skip(f"npm cannot install {HTTP_PROXY}: the settings for JupyterHub were not tried")
    environment = binder_environment
    environment.install("jupyterhub-tmpauthenticator==1.0.0")
    port = free_port()
    configuration = json.loads(json.dumps(VALUES["hub"]["config"])) | {
        "ConfigurableHTTPProxy": {
            "command": [str(folder / "node_modules" / ".bin" / "configurable-http-proxy")],
            "api_url": f"http://127.0.0.1:{free_port()}",
        },
        "Spawner": {
            "cmd": [VALUES["singleuser"]["cmd"], "--allow-root"],
            "default_url": VALUES["singleuser"]["defaultUrl"],
            "notebook_dir": str(checkout),
        },
    }
    configuration["JupyterHub"] |= {
        "spawner_class": "simple",
        "bind_url": f"http://127.0.0.1:{port}",
        "hub_port": free_port(),
        "db_url": "sqlite:///:memory:",
    }
    (folder / "jupyterhub_config.json").write_text(json.dumps(configuration))
    command = "jupyterhub --config=jupyterhub_config.json"
    with environment.serve(command, folder, port) as server:
        wait_until_healthy(f"{server.url}hub/health")  # the proxy listens before the hub does
        yield server


def wait_until_healthy(address):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return urllib.request.urlopen(address, timeout=5).close()
        except OSError as error:
            assert time.monotonic() < deadline, f"{address}: {error}"
            time.sleep(0.1)


@pytest.mark.slow
def test_each_visitor_of_a_jupyterhub_gets_a_server_without_signing_in(browser, hub):
    addresses = set()
    for _ in range(2):
        with opened(browser, hub.url) as page:
            page.wait_for_url(f"**{VALUES['singleuser']['defaultUrl']}", timeout=1000 * PATIENCE)  # a server is started
            ask(page)
            addresses.add(page.url)
    assert len(addresses) == 2
    assert all(urlsplit(address).path.endswith(VALUES["singleuser"]["defaultUrl"]) for address in addresses)


# The Dockerfile


def dockerfile():
    """The instructions of the Dockerfile, as (name, arguments)."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_dockerfile_has_no_lint():
    run = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stdout


def test_the_dockerfile_runs_as_an_ordinary_user_and_says_whether_it_is_healthy():
    instructions = dict(dockerfile())
    assert instructions["USER"] == "1000"
    assert "/v2/health/ready" in instructions["HEALTHCHECK"]


@pytest.fixture(scope="module")
def image(checkout, tmp_path_factory):
    """The Dockerfile's steps in a fresh environment, with the files Docker would get: (environment, folder)."""
    environment, folder = Environment(tmp_path_factory.mktemp("docker")), tmp_path_factory.mktemp("image")
    ignored = [line for line in (checkout / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    for name in exclude_paths(checkout, ignored):
        if (checkout / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, folder / name)
    environment.install("--require-hashes", "--requirement", folder / "requirements" / "api.txt")
    for name, step in dockerfile():
        if name == "RUN" and not step.startswith("useradd"):
            environment.run(step, folder)
    return environment, folder


@pytest.fixture(scope="module")
def container(image):
    """The Dockerfile's command, at a port chosen by the host: a `Server`."""
    environment, folder = image
    port = free_port()
    command = " ".join(f"'{word}'" for word in json.loads(dict(dockerfile())["CMD"]))
    with environment.serve(command, folder, port, PORT=str(port)) as server:
        yield server


@pytest.mark.slow
def test_the_image_holds_what_serving_needs_and_no_more(image):
    _, folder = image
    held = {path.name for path in folder.iterdir()}
    assert held >= {"foodvision", "foodvision.ipynb", "export.onnx", "export.pkl", "voila.json"}
    assert not held & {"train.ipynb", "tests", ".git", "binder"}


def wait_until_ready(url, seconds=120):
    """The page is there before the model is loaded."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(f"{url}v2/health/ready"):
            return
        time.sleep(0.2)
    raise AssertionError("The server is not ready.")


@pytest.mark.slow
def test_the_container_answers_and_is_healthy(browser, container, image):
    environment, folder = image
    port = re.search(r":(\d+)/", container.url)[1]
    _, check = dict(dockerfile())["HEALTHCHECK"].split("CMD ")
    python, option, script = json.loads(check)
    wait_until_ready(container.url)
    environment.run(f'{python} {option} "$SCRIPT"', folder, PORT=port, SCRIPT=script)
    assert not container.kernels
    with opened(browser, container.url) as page:
        ask(page)
        server = container.process.memory_info().rss
        print(f"Memory in a container: {server / 1e6:.0f} MB for all visitors")


@pytest.mark.slow
@pytest.mark.parametrize(("site", "framed"), [("huggingface.co", True), ("example.org", False)])
def test_hugging_face_may_show_the_page_in_a_frame_and_others_may_not(browser, container, site, framed):
    space = "https://someone-food.hf.space/"
    with browser.new_context() as context:
        context.route(space, lambda route: route.fulfill(response=route.fetch(url=container.url)))
        page = context.new_page()
        page.route(
            f"https://{site}/", lambda route: route.fulfill(content_type="text/html", body=f"<iframe src={space}>")
        )
        page.goto(f"https://{site}/")
        assert (page.frames[1].url == space) is framed
