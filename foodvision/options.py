"""What several of the `foodvision` commands accept."""

from pathlib import Path

import click

from .locate import find_model

MODEL = click.option(
    "--model", type=click.Path(path_type=Path), default=find_model, help="A compiled learner. Default: export.onnx."
)
