"""Gives a wheel the files that an editable install finds at the top of the checkout; see foodvision/locate.py."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGED = "examples", "export.onnx", "foodvision.ipynb", "voila.json"
RUNTIME = "node_modules/onnxruntime-web"
FOR_BROWSERS = [  # where npm has installed them; see foodvision/page/device.py
    f"{RUNTIME}/package.json",
    f"{RUNTIME}/dist/ort.wasm.bundle.min.mjs",
    f"{RUNTIME}/dist/ort-wasm-simd-threaded.wasm",
]


class PackageFiles(BuildHookInterface):
    """Copies the model, the page, its examples and Voilà's settings into `foodvision/packaged/`."""

    def initialize(self, version: str, build_data: dict) -> None:
        if version == "standard":
            present = [name for name in FOR_BROWSERS if Path(self.root, name).exists()]
            build_data["force_include"] |= {name: f"foodvision/packaged/{name}" for name in (*PACKAGED, *present)}
