"""Helpers for the tests of answering in the browser: a web server, models to answer with, and photos."""

import gzip
import http.server
import json
import shutil
import threading
from contextlib import contextmanager

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from PIL import Image
from reliability.files import ORIENTATION, saved

from foodvision.page.assets import STATIC
from foodvision.page.device import DeviceFiles, join_model, optimise

CLASSES = ["cat", "dog", "bird", "not_pet"]
ASK = """async ({ files, names }) => {
    const { Device } = await import("./static/device.js");
    const device = new Device(files);
    const answers = [];
    for (const name of names) {
        const content = await (await fetch(`photos/${name}`)).blob();
        const photo = new File([content], name, { type: content.type });
        const options = { needsPicture: false, onProgress() {}, signal: new AbortController().signal };
        answers.push(await device.answerer.answer(photo, options));
    }
    return answers;
}"""
EXPLAIN = """async ({ files, name, labels }) => {
    const { Device } = await import("./static/device.js");
    const device = new Device(files);
    const content = await (await fetch(`photos/${name}`)).blob();
    const explained = [];
    for (const label of labels) explained.push(await device.answerer.explain(content, label));
    return explained;
}"""


@contextmanager
def hosted(folder):
    """A web server on a folder: yields its address, and the list of what it was asked for as (method, path)."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_request(self, *_):
            asked.append((self.command, self.path))

    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}/", asked
        finally:
            server.shutdown()


class SinglePrecision(DeviceFiles):
    """Device files whose model has its weights in single precision."""

    def read(self, name):
        whole = join_model(optimise(self._path.read_bytes()), b"")
        return gzip.compress(whole) if name.endswith("model.bin.gz") else super().read(name)


def write_bench(folder, photos, model, kind=DeviceFiles):
    """An empty page beside the page's modules, a model and photos by name. Returns what `ASK` takes."""
    files = kind(model)
    for name in files.names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(files.read(name))
    shutil.copytree(STATIC, folder / "static")
    (folder / "index.html").write_text("<!doctype html><title>Bench</title>", encoding="utf-8")
    (folder / "photos").mkdir()
    for name, content in photos.items():
        (folder / "photos" / name).write_bytes(content)
    return {"files": files.settings("./"), "names": list(photos)}


def write_foreign_model(path, steps, seed=0):
    """A small network with random weights and its own classes, as `foodvision compile` would write it."""
    random = np.random.default_rng(seed)
    width, height = steps[-1]["size"]
    weights = {
        "kernel": random.normal(0, 0.4, (64, 3, 5, 5)),
        "matrix": random.normal(0, 0.3, (64, len(CLASSES))),
    }
    nodes = [
        helper.make_node("Conv", ["pixels", "kernel"], ["edges"], strides=[4, 4]),
        helper.make_node("Relu", ["edges"], ["lit"]),
        helper.make_node("ReduceMean", ["lit", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["logits"]),
    ]
    tensors = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    tensors.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["photos", 3, height, width])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["photos", len(CLASSES)])
    graph = helper.make_graph(nodes, "pets", [pixels], [logits], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    metadata = {
        "vocab": CLASSES,
        "preprocessing": {"steps": steps, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]},
        "decision": {"margin": 0.1},
        "calibration": None,
        "background": {"not_pet": "This is no pet."},
    }
    texts = {name: json.dumps(value) for name, value in metadata.items()} | {"pickle_sha256": ""}
    helper.set_model_props(model, texts)
    save(model, path)
    return path


def drawn_photos():
    """Photos by name: small, large, upright, turned, grey, transparent and progressive."""
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    transparent = scene(500, 400, 7).convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(transparent.size).point(lambda value: 255 * (value > 99)))
    return {
        "small.jpg": saved(scene(200, 150, 1), "JPEG", quality=90),
        "food-101.jpg": saved(scene(512, 384, 2), "JPEG", quality=90),
        "portrait.jpg": saved(scene(480, 640, 3), "JPEG", quality=95, subsampling=0),
        "phone.jpg": saved(scene(4032, 3024, 4), "JPEG", quality=85),
        "turned.jpg": saved(scene(2016, 1512, 5), "JPEG", quality=90, exif=turned),
        "grey.jpg": saved(scene(700, 500, 6).convert("L"), "JPEG", quality=90),
        "transparent.png": saved(transparent, "PNG"),
        "plain.png": saved(scene(640, 480, 8), "PNG"),
        "plain.webp": saved(scene(640, 480, 9), "WEBP", quality=90),
        "progressive.jpg": saved(scene(800, 600, 10), "JPEG", quality=90, progressive=True),
    }


def scene(width, height, seed):
    """Blotches of colour, large and small, as in photos."""
    random = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            ),
            dtype=float,
        )
        for cells in (3, 9, 40)
    ]
    return Image.fromarray(np.average(layers, axis=0, weights=[4, 2, 1]).round().astype(np.uint8))
