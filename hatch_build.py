"""Gives a wheel the files that an editable install finds at the top of the checkout; see foodvision/locate.py."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGED = "examples", "export.onnx", "foodvision.ipynb", "voila.json"


class PackageFiles(BuildHookInterface):
    """Copies the model, the page, its examples and Voilà's settings into `foodvision/packaged/`."""

    def initialize(self, version: str, build_data: dict) -> None:
        if version == "standard":
            build_data["force_include"] |= {name: f"foodvision/packaged/{name}" for name in PACKAGED}
