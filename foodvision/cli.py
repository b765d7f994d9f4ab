"""The `foodvision` command: one function per subcommand. The five subpackages do the work."""

import sys
from pathlib import Path

import click

from . import __version__, options
from .api.assistant import mcp
from .api.command import api
from .learn.export import export
from .locate import find_model
from .page.commands import serve, static
from .terminal import quiet_if_nobody_reads, speak_utf8

PICKLE = click.argument("pickle", type=click.Path(path_type=Path), default="export.pkl")
INSTALL_TRAINING = "Install the training packages: pip install -e '.[train]'"
TRAINING = {"fastai", "fastcore", "huggingface_hub", "matplotlib", "onnx", "onnxscript", "pandas", "scipy", "sklearn"}
TRAINING |= {"timm", "torch", "torchvision"}
REINSTALL = "Reinstall FoodVision: pip install -e ."
INTERRUPTED = 130  # 128 + the number of the signal, as shells report it


class PredictByDefault(click.Group):
    """Makes `foodvision PHOTO...` mean `foodvision predict PHOTO...`, or `foodvision batch` with --output."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help", "--version"):
            named_output = any(arg == "--output" or arg.startswith("--output=") for arg in args)
            args = ["batch" if named_output else "predict", *args]
        return super().parse_args(ctx, args)


@click.group(cls=PredictByDefault, no_args_is_help=True)
@click.version_option(__version__)
def app() -> None:
    """Name the food in photos.

    \b
    foodvision photo.jpg                          name the food in a photo
    foodvision photos --output answers.csv        write a table for a whole folder
    foodvision serve                              serve the page

    If a photo or folder has the name of a command, put ./ in front: foodvision ./check

    \b
    To complete commands with the Tab key, add this line to ~/.bashrc (for
    zsh: zsh_source, ~/.zshrc; for fish: fish_source, see Click's documentation):
    eval "$(_FOODVISION_COMPLETE=bash_source foodvision)"
    """


app.add_command(serve)
app.add_command(static)


@app.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@options.MODEL
def predict(photos: tuple[str, ...], as_json: bool, model: Path) -> int:
    """Name the food in photos and in folders of photos.

    \b
    foodvision photo.jpg another.heic
    foodvision photos "holiday/*.jpg"             folders and patterns, on Windows too
    foodvision - < photo.jpg                      standard input
    foodvision --json photos > answers.jsonl      one JSON object per photo
    """
    from .answer.classifier import Classifier
    from .batch.inputs import inputs
    from .batch.lines import print_answer

    classifier = Classifier(model)
    answered = [print_answer(classifier, photo, as_json) for photo in inputs(photos)]
    return 0 if all(answered) else 1


@app.command()
@click.argument("folder", type=click.Path())
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The .csv or .parquet table to write.")
@options.MODEL
@click.option("--workers", type=click.IntRange(1), help="Number of Dask processes on this machine.")
@click.option("--scheduler", help="Address of a running Dask cluster.")
def batch(folder: str, output: Path, model: Path, workers: int | None, scheduler: str | None) -> int:
    """Write a table with a row for each photo in a folder. Interrupted runs resume.

    \b
    foodvision photos --output answers.csv
    foodvision photos --output answers.parquet --workers 2
    foodvision /shared/photos --output answers.parquet --scheduler tcp://host:8786
    """
    from .batch.folder import answer_folder
    from .batch.inputs import CLOSED_FOLDER
    from .batch.names import one_line
    from .batch.tables import FolderError

    if workers and scheduler:
        raise click.UsageError("Use either --workers or --scheduler, not both.")
    try:
        tally = answer_folder(folder, output, model, workers, scheduler)
    except FolderError as error:
        click.echo(error, err=True)
        return 1
    except OSError as error:
        reason = error.strerror or error
        click.echo(f"{output} can't be written: {reason}. Once it can, run the same command to resume.", err=True)
        return 1
    except KeyboardInterrupt:
        click.echo("\nStopped. Run the same command to resume.", err=True)
        return INTERRUPTED
    for closed in tally.closed:
        click.echo(f"{one_line(closed)}: {CLOSED_FOLDER}", err=True)
    click.echo(f"{output}: {tally}")
    return 1 if tally.closed else 0


@app.command(name="compile")
@PICKLE
@click.option("--output", type=click.Path(path_type=Path), help="The file to write. Default: beside the pickle.")
@click.option("--trust", is_flag=True, help="Run whatever code the pickle holds.")
def compile_command(pickle: Path, output: Path | None, trust: bool) -> int:
    """Compile a fastai learner (export.pkl) to export.onnx.

    \b
    foodvision compile
    foodvision compile photos/export.pkl --output export.onnx
    """
    from .learn.compile import compile_file

    return compile_file(pickle, output, trust)


@app.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@options.MODEL
@click.option("--keep", is_flag=True, help="Keep the answers in the model's file, to find drift later.")
def evaluate(folder: Path | None, model: Path, keep: bool) -> int:
    """Score the model on its test photos or your own.

    FOLDER has a subfolder of photos for each label.

    \b
    foodvision evaluate
    foodvision evaluate photos --model export.onnx --keep
    """
    from .learn.evaluate import evaluate_folder

    return evaluate_folder(folder, model, keep)


@app.command()
@click.argument("model", type=click.Path(path_type=Path), default=find_model)
def check(model: Path) -> None:
    """Check that the model can be served.

    \b
    foodvision check
    foodvision check models/export.onnx
    """
    from .answer.check import check_model

    prediction = check_model(model)
    click.echo(f"The model works: it calls a drawn plate {prediction.label}, in {prediction.seconds:.2f} s.")


@app.command()
@click.option("--write", is_flag=True, help="Replace OWNER/REPO in the documents with your address.")
def share(write: bool) -> int:
    """Print the links to the page on Binder and the training on Colab.

    \b
    foodvision share
    foodvision share --write                      once the repository has a public remote
    """
    from .page.links import print_links

    return print_links(write=write)


app.add_command(api)
app.add_command(export)
app.add_command(mcp)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status.

    The status is 1 if a photo failed, a table could not be finished, a package is missing or nobody reads the output
    any more, 2 if the model or the page can't be served or the command is mistyped, and 130 after Ctrl-C.
    """
    speak_utf8()
    return quiet_if_nobody_reads(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return app.main(arguments, prog_name="foodvision", standalone_mode=False) or 0
    except RuntimeError as error:
        from .answer.classifier import ModelError  # imports ONNX Runtime, which the server doesn't need

        if not isinstance(error, ModelError):
            raise
        click.echo(error, err=True)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "foodvision").startswith("foodvision"):
            raise
        install = INSTALL_TRAINING if error.name in TRAINING else REINSTALL
        click.echo(f"This needs {error.name}, which isn't installed. {install}", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("\nStopped.", err=True)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
