"""`python -m foodvision PHOTO...` names the food on each photo; `python -m foodvision share` prints the app's links."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import share
from .classifier import MODEL, Classifier, ModelError
from .folder import FolderError, answer_folder, one_line, photos_in
from .photo import PhotoError

EPILOG = """\
A folder stands for every photo in it. With --output its answers are written to a table, and the same command goes on
where it was stopped; docs/folders.md has more.

`python -m foodvision share` prints the links that open the app."""


def main(arguments=None):
    """Print an answer for each photo, or write a table of a folder's.

    The exit status is 1 when any printed photo failed or a table could not be finished, 2 when the model cannot be
    served, 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        prog="python -m foodvision",
        description="Name the food on each photo.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="a photo, or a folder of photos")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--model", type=Path, default=MODEL, help="a compiled learner (default: export.onnx)")
    parser.add_argument("--output", type=Path, metavar="TABLE", help="answers.csv or answers.parquet, for one folder")
    engine = parser.add_mutually_exclusive_group()
    engine.add_argument("--workers", type=int, help="with --output: processes of Dask on this machine")
    engine.add_argument("--scheduler", metavar="ADDRESS", help="with --output: a running Dask cluster")
    options = parser.parse_args(arguments)
    if options.output and (options.json or len(options.photos) > 1):
        parser.error("--output takes one folder, and no --json.")
    if options.workers is not None and options.workers < 1:
        parser.error("--workers is a number from 1 on.")
    if not options.output and (options.workers or options.scheduler):
        parser.error("--workers and --scheduler go with --output.")
    try:
        return _write(options) if options.output else _print(options)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here." if options.output else "\nStopped.", file=sys.stderr)
        return 130


def _write(options):
    try:
        tally = answer_folder(options.photos[0], options.output, options.model, options.workers, options.scheduler)
    except FolderError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        reason = error.strerror or error
        print(f"{options.output} cannot be written: {reason}. Once it can, the same command goes on.", file=sys.stderr)
        return 1
    for folder in tally.closed:
        print(f"{one_line(folder)}: This folder cannot be opened; its photos are left out.", file=sys.stderr)
    print(f"{options.output}: {tally}")
    return 1 if tally.closed else 0


def _print(options):
    classifier = Classifier(options.model)
    failed = 0
    for photo in _photos(options.photos):
        failed += not _answer(classifier, photo, options.json)
    return 1 if failed else 0


def _photos(arguments):
    """The photos that are named, and those in folders; a folder without any stays, to be refused."""
    for argument in arguments:
        photos = iter([argument])
        if os.path.isdir(argument):
            photos = (os.path.join(argument, name) for name in photos_in(argument))
        yield next(photos, argument)
        yield from photos


def _answer(classifier, photo, as_json):
    try:
        prediction = classifier.predict(photo)
    except PhotoError as error:
        line = json.dumps({"photo": photo, "error": str(error)}) if as_json else f"{one_line(photo)}: {error}"
        print(line, file=sys.stdout if as_json else sys.stderr, flush=True)
        return False
    if as_json:
        fields = ("label", "probabilities", "seconds")
        line = json.dumps({"photo": photo} | {field: getattr(prediction, field) for field in fields})
    else:
        line = f"{one_line(photo)}: {prediction.label} ({prediction.probability:.0%})"
    print(line, flush=True)
    return True


if __name__ == "__main__":
    sys.exit(share.main() if sys.argv[1:] == ["share"] else main())
