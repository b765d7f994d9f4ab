"""The command `foodvision export`."""

from pathlib import Path

import click


@click.command()
@click.argument("pickle", type=click.Path(path_type=Path), default="export.pkl")
@click.option("--to", "target", type=click.Choice(["torch"]), required=True, help="The format to write.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write. Default: beside the pickle.")
@click.option("--trust", is_flag=True, help="Run whatever code the pickle holds.")
def export(pickle: Path, target: str, output: Path | None, trust: bool) -> int:
    """Export a fastai learner for other runtimes.

    With --to torch this writes a PyTorch program (.pt2), which ExecuTorch can take to phones.

    \b
    foodvision export --to torch
    """
    from .compile import compile_file
    from .mobile import export_mobile

    return compile_file(pickle, output, trust, write=export_mobile)
