"""What a browser needs to answer photos itself: ONNX Runtime for WebAssembly, the model, and a script that runs it.

Each file's address holds a version or a hash of its content, so browsers can keep it for ever.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from platformdirs import user_cache_path

from ..answer.classes import answers_of, background_of, read_texts
from ..answer.prediction import CONFIDENCE, DISHES, MARGIN
from ..locate import OWN_FOLDER, find_model
from .assets import STATIC, join_modules

SCRIPTS = STATIC / "device"
RUNTIME = OWN_FOLDER / "node_modules" / "onnxruntime-web"  # where npm installs it
LOADER, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
SERVED_BELOW = "foodvision/device/"  # the server's base URL
HASH_CHARACTERS = 16
PACKING = b"3"  # to be changed with how models are packed
PACKED_WASM, PACKED_MODEL = 0.26, 0.45  # of their sizes; packing them takes seconds, and a progress bar can be rough
YEAR_S = 365 * 86_400
# The policy is the worker's own: it may run the model, and ask its own host for it.
HEADERS = {
    "Cache-Control": f"private, max-age={YEAR_S}, immutable",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".gz": "application/gzip"}


class DeviceFiles:
    """The files for one model, by their addresses below one folder: `names`, `read(name)`."""

    def __init__(self, model: Path, runtime: Path = RUNTIME) -> None:
        """Raises OSError, and ValueError if the model doesn't describe itself or the runtime is incomplete."""
        content, self._path, self._runtime = model.read_bytes(), model, runtime / "dist"
        self._model_bytes = len(content)
        self._script = join_modules(SCRIPTS).encode()
        self._description = json.dumps(describe(model)).encode()
        version = json.loads((runtime / "package.json").read_text(encoding="utf-8"))["version"]
        self.worker = f"worker-{_digest(self._script)}.js"
        self.runtime = f"onnxruntime-{version}/"
        self.model = _folder_of(content)
        self._makers: dict[str, Callable[[], bytes]] = {
            self.worker: lambda: self._script,
            self.runtime + LOADER: (self._runtime / LOADER).read_bytes,
            self.runtime + WASM + ".gz": lambda: _pack((self._runtime / WASM).read_bytes()),
            self.model + "model.json": lambda: self._description,
            self.model + "model.bin.gz": self._pack_model,
        }
        self.names = list(self._makers)

    @property
    def version(self) -> str:
        """Changes with any of the files."""
        return _digest("".join(self.names).encode() + self._description)

    def read(self, name: str) -> bytes:
        """A file's content. What takes a second to pack is kept in the user's cache.

        Raises KeyError if there is no such file, or no longer.
        """
        make = self._makers[name]
        return _kept(name.replace("/", "-"), make) if name.endswith(".gz") else make()

    def _pack_model(self) -> bytes:
        from ..answer.half import take_weights  # imports NumPy, which the server needs for nothing else

        content = self._path.read_bytes()
        if self.model != _folder_of(content):
            raise KeyError(f"{self.model} is gone.")
        return _pack(join_model(*take_weights(optimise(content))))

    def settings(self, folder: str) -> dict[str, object]:
        """What the page must know; `folder` is relative to the page's base."""
        wasm = (self._runtime / WASM).stat().st_size
        size = int(PACKED_WASM * wasm + PACKED_MODEL * self._model_bytes)
        return {"folder": folder, "worker": self.worker, "runtime": self.runtime, "model": self.model, "bytes": size}


def optimise(model: bytes) -> bytes:
    """The model as ONNX Runtime simplifies it for any processor, and faster in browsers. Raises ValueError."""
    import onnxruntime

    from .depthwise import widen_depthwise  # imports NumPy

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 3
    with TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder, "model.onnx"))
        try:
            onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises many types, with no common base class
            raise ValueError("This is not a model that ONNX Runtime can read.") from error
        return widen_depthwise(Path(folder, "model.onnx").read_bytes())


def join_model(graph: bytes, weights: bytes) -> bytes:
    """The graph's length in four bytes, the graph, and its weights: see `model.js`.

    The high bytes of all weights resemble each other, and the low ones don't. Apart, they take a twentieth less.
    """
    return len(graph).to_bytes(4, "little") + graph + weights[::2] + weights[1::2]


def describe(model: Path) -> dict[str, object]:
    """The metadata that turns a photo into a prediction, complete with defaults. Raises OSError, ValueError."""
    texts = read_texts(model)
    try:
        metadata = {name: json.loads(text) for name, text in texts.items() if name != "pickle_sha256"}
        answers, vocab = answers_of(metadata), metadata["vocab"]
        rule = {"confidence": CONFIDENCE, "margin": MARGIN} | metadata["decision"]
        return {
            "vocab": vocab,
            "groups": metadata.get("groups") or {name: [name] for name in vocab},
            "background": list(background_of(metadata)),
            "decision": {name: rule[name] for name in ("confidence", "margin")},
            "dishes": DISHES if answers != vocab else 0,
            "preprocessing": metadata["preprocessing"],
        }
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{model.name} does not describe itself.") from error


def device_files(model: Path | None = None) -> DeviceFiles | None:
    """A model's files (default: the served one's). None if npm hasn't installed the runtime, or it can't be read."""
    with suppress(OSError, ValueError, KeyError):
        model = model or find_model()
        return _device_files(model, model.stat().st_mtime_ns, (RUNTIME / "package.json").stat().st_mtime_ns)
    return None


@lru_cache(maxsize=1)
def _device_files(model: Path, modified_ns: int, installed_ns: int) -> DeviceFiles:
    return DeviceFiles(model)


def _folder_of(model: bytes) -> str:
    return f"model-{_digest(PACKING + model)}/"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]


def _pack(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _kept(name: str, make: Callable[[], bytes]) -> bytes:
    path = user_cache_path("foodvision") / name
    with suppress(OSError):
        return path.read_bytes()
    content = make()
    with suppress(OSError):  # a container's disk may be read-only
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, path)
    return content
