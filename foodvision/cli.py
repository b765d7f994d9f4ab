"""The `foodvision` command, one function for each subcommand. What they do is in the package's wings."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from . import __version__
from .answer.classifier import MODEL, Classifier, ModelError
from .answer.photo import PhotoError

MODEL_OPTION = click.option("--model", type=click.Path(path_type=Path), default=MODEL, help="A compiled learner.")


class PredictByDefault(click.Group):
    """`foodvision PHOTO...` is `foodvision predict PHOTO...`, and with --output `foodvision batch`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help", "--version"):
            named_output = any(arg == "--output" or arg.startswith("--output=") for arg in args)
            args = ["batch" if named_output else "predict", *args]
        return super().parse_args(ctx, args)


@click.group(cls=PredictByDefault, no_args_is_help=True)
@click.version_option(__version__)
def app() -> None:
    """Tell what food is on a photo.

    \b
    foodvision photo.jpg                          name the food on a photo
    foodvision photos --output answers.csv        answer a whole folder
    foodvision serve                              serve the page
    """


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def serve(options: tuple[str, ...]) -> None:
    """Serve the page. Takes a notebook and any option of Voilà."""
    from .page.server import FoodVision

    FoodVision.launch_instance(list(options))


@app.command()
@click.argument("photos", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@MODEL_OPTION
def predict(photos: tuple[str, ...], as_json: bool, model: Path) -> int:
    """Name the food on each photo, or on each photo in a folder."""
    classifier = Classifier(model)
    answered = [_answer(classifier, photo, as_json) for photo in _photos(photos)]
    return 0 if all(answered) else 1


@app.command()
@click.argument("folder")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A .csv or .parquet table.")
@MODEL_OPTION
@click.option("--workers", type=click.IntRange(1), help="Number of Dask processes on this machine.")
@click.option("--scheduler", help="Address of a running Dask cluster.")
def batch(folder: str, output: Path, model: Path, workers: int | None, scheduler: str | None) -> int:
    """Answer every photo in a folder, one table row each. Interrupted runs resume."""
    from .batch.folder import FolderError, answer_folder, one_line

    if workers and scheduler:
        raise click.UsageError("Use either --workers or --scheduler.")
    try:
        tally = answer_folder(folder, output, model, workers, scheduler)
    except FolderError as error:
        click.echo(error, err=True)
        return 1
    except OSError as error:
        reason = error.strerror or error
        click.echo(f"{output} cannot be written: {reason}. Once it can, run the same command to resume.", err=True)
        return 1
    for closed in tally.closed:
        click.echo(f"{one_line(closed)}: This folder cannot be opened; its photos are left out.", err=True)
    click.echo(f"{output}: {tally}")
    return 1 if tally.closed else 0


@app.command(name="compile")
@click.argument("pickle", type=click.Path(path_type=Path), default=MODEL.with_suffix(".pkl"))
@click.option("--output", type=click.Path(path_type=Path), help="The file to write. Default: beside the pickle.")
@click.option("--trust", is_flag=True, help="Run whatever code the pickle holds.")
def compile_command(pickle: Path, output: Path | None, trust: bool) -> int:
    """Compile an exported fastai learner (export.pkl) to the export.onnx that is served."""
    from .learn.compile import compile_file

    return compile_file(pickle, output, trust)


@app.command()
@click.argument("pickle", type=click.Path(path_type=Path), default=MODEL.with_suffix(".pkl"))
@click.option("--to", "target", type=click.Choice(["torch"]), required=True, help="The format to write.")
@click.option("--output", type=click.Path(path_type=Path), help="The file to write. Default: beside the pickle.")
@click.option("--trust", is_flag=True, help="Run whatever code the pickle holds.")
def export(pickle: Path, target: str, output: Path | None, trust: bool) -> int:
    """Export a learner for other runtimes: a PyTorch program, from which ExecuTorch goes on."""
    from .learn.compile import compile_file
    from .learn.mobile import export_mobile

    return compile_file(pickle, output, trust, write=export_mobile)


@app.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@MODEL_OPTION
def evaluate(folder: Path | None, model: Path) -> int:
    """Score the model on the test photos, or on a FOLDER of your own with a subfolder for each label."""
    from .learn.evaluate import evaluate_folder

    return evaluate_folder(folder, model)


@app.command()
@click.argument("model", type=click.Path(path_type=Path), default=MODEL)
def check(model: Path) -> None:
    """Check that the model can be served."""
    from .answer.check import check_model

    prediction = check_model(model)
    click.echo(f"The model answers: a drawn plate is {prediction.label}, in {prediction.seconds:.2f} s.")


@app.command()
def share() -> int:
    """Print the links that open the app: the page on Binder, the training notebook on Colab."""
    from .page.links import print_links

    return print_links()


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status.

    The status is 1 when a photo failed or a table could not be finished, 2 when the model cannot be served or the
    command is mistyped, 130 after Ctrl-C.
    """
    try:
        return app.main(arguments, prog_name="foodvision", standalone_mode=False) or 0
    except ModelError as error:
        click.echo(error, err=True)
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("\nStopped. If you named an --output, the same command resumes.", err=True)
        return 130


def _photos(arguments: tuple[str, ...]) -> Iterator[str]:
    """The photos that are named, and those in folders; an empty folder stays, to be refused."""
    from .batch.folder import photos_in

    for argument in arguments:
        photos = iter([argument])
        if os.path.isdir(argument):
            photos = (os.path.join(argument, name) for name in photos_in(argument))
        yield next(photos, argument)
        yield from photos


def _answer(classifier: Classifier, photo: str, as_json: bool) -> bool:
    from .batch.folder import one_line

    try:
        prediction = classifier.predict(photo)
    except PhotoError as error:
        line = json.dumps({"photo": photo, "error": str(error)}) if as_json else f"{one_line(photo)}: {error}"
        click.echo(line, err=not as_json)
        return False
    if as_json:
        fields = ("label", "probabilities", "seconds")
        line = json.dumps({"photo": photo} | {field: getattr(prediction, field) for field in fields})
    else:
        line = f"{one_line(photo)}: {prediction.label} ({prediction.probability:.0%})"
    click.echo(line)
    return True


if __name__ == "__main__":
    sys.exit(main())
