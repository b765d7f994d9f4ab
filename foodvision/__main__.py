"""`python -m foodvision PHOTO...` names the food on each photo; `python -m foodvision share` prints the app's links."""

import argparse
import json
import sys
from pathlib import Path

from . import share
from .classifier import MODEL, Classifier, ModelError
from .photo import PhotoError


def main(arguments=None):
    """Print an answer for each photo; the exit status is 1 when any photo failed, 2 when the model did."""
    parser = argparse.ArgumentParser(prog="python -m foodvision", description="Name the food on each photo.")
    parser.add_argument("photos", nargs="+", metavar="PHOTO")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--model", type=Path, default=MODEL, help="a compiled learner (default: export.onnx)")
    options = parser.parse_args(arguments)
    try:
        classifier = Classifier(options.model)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    answers = [_answer(classifier, photo, options.json) for photo in options.photos]
    return 0 if all(answers) else 1


def _answer(classifier, photo, as_json):
    try:
        prediction = classifier.predict(photo)
    except PhotoError as error:
        line = json.dumps({"photo": photo, "error": str(error)}) if as_json else f"{photo}: {error}"
        print(line, file=sys.stdout if as_json else sys.stderr, flush=True)
        return False
    if as_json:
        fields = ("label", "probabilities", "seconds")
        line = json.dumps({"photo": photo} | {field: getattr(prediction, field) for field in fields})
    else:
        line = f"{photo}: {prediction.label} ({prediction.probability:.0%})"
    print(line, flush=True)
    return True


if __name__ == "__main__":
    sys.exit(share.main() if sys.argv[1:] == ["share"] else main())
