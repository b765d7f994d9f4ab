"""The command `foodvision export`."""

from functools import partial
from pathlib import Path

import click

TARGETS = "executorch", "litert", "coreml", "onnx-fp16", "torch"  # of runtimes.FORMATS, which loads torch

CONVERTERS = {"executorch", "litert_torch", "ai_edge_litert", "coremltools"}
INSTALL = "In a clone, run `make phones`, and then build/phones/bin/python -m foodvision export"


@click.command()
@click.argument("pickle", type=click.Path(path_type=Path), default="export.pkl")
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="The format to write.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write. Default: beside the pickle.")
@click.option("--trust", is_flag=True, help="Run whatever code the pickle holds.")
def export(pickle: Path, target: str, output: Path | None, trust: bool) -> int:
    """Export a fastai learner for other runtimes.

    The file gets its name only once it answers as the learner does. Phones' formats need packages of their own, which
    `make phones` installs beside PyTorch: run build/phones/bin/python -m foodvision export.

    \b
    foodvision export --to executorch             Android and iOS (.pte)
    foodvision export --to litert                 Android (.tflite)
    foodvision export --to coreml                 iOS (.mlpackage)
    foodvision export --to onnx-fp16              half the size, for `foodvision` and browsers
    foodvision export --to torch                  a PyTorch program (.pt2)
    """
    from .compile import compile_file
    from .mobile import export_mobile

    try:
        return compile_file(pickle, output, trust, write=partial(export_mobile, target=target))
    except ModuleNotFoundError as error:
        if error.name not in CONVERTERS:
            raise
        click.echo(f"This needs {error.name}, which isn't installed. {INSTALL} --to {target}", err=True)
        return 1
