"""Time the models on the same photos, in turn, in one process: `python -m benchmarks.inference EXPORT.PKL REPEATS`.

Prints a JSON list of [app, measure, seconds].
"""

import io
import json
import sys
import warnings
from pathlib import Path
from time import perf_counter

from fastai.learner import load_learner
from fastai.vision.core import PILImage
from PIL import Image

from foodvision import Classifier

from .photos import photo
from .report import LARGE, SMALL

sys.path.append(str(Path(__file__).parent / "rivals" / "gradio"))
import model as course


def main():
    export, repeats = sys.argv[1:]
    warnings.simplefilter("ignore")  # load_learner warns about pickles
    classifier, learner = Classifier(), load_learner(export)
    large = photo("4 MB").read_bytes()
    small = Image.open(photo("small")).convert("RGB")
    fastai_small = PILImage.create(small)
    tasks = {
        ("FoodVision", LARGE): lambda: classifier.predict(large),
        ("fastbook's app", LARGE): lambda: learner.predict(PILImage.create(io.BytesIO(large))),
        ("Gradio", LARGE): lambda: course.predict(Image.open(io.BytesIO(large)).convert("RGB")),
        ("FoodVision", SMALL): lambda: classifier.predict(small),
        ("fastbook's app", SMALL): lambda: learner.predict(fastai_small),
        ("Gradio", SMALL): lambda: course.predict(small),
    }
    with learner.no_bar():
        for task in tasks.values():
            task()  # warm up: the first call is slower
        samples = [(*named, _seconds(task)) for _ in range(int(repeats)) for named, task in tasks.items()]
    print(json.dumps(samples))


def _seconds(task):
    start = perf_counter()
    task()
    return perf_counter() - start


if __name__ == "__main__":
    main()
