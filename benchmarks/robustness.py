"""Does the model still recognise photos that are darker, softer, tilted or farther away?

`python benchmarks/robustness.py` alters the test photos of `train.ipynb` in ways that photos from other cameras,
kitchens and websites differ. If you have such photos, score them with `foodvision evaluate FOLDER`.
"""

import io

import numpy as np
import pandas as pd
from fastai.data.external import URLs, untar_data
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from foodvision import Classifier
from foodvision.learn.data import BACKGROUND, NOT_FOOD_URL, list_photos
from foodvision.learn.evaluate import answer_photos, score_answers, test_photos

OTHERS = 5  # photos of each other dish: enough to see a change, and five times faster


def compressed(photo, quality=30):
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality)
    return Image.open(file)


def grainy(photo, deviation=10):
    grain = np.random.default_rng(0).normal(0, deviation, (photo.height, photo.width, 3))
    return Image.fromarray((np.asarray(photo) + grain).clip(0, 255).astype(np.uint8))


def tinted(photo, red, blue):
    return Image.fromarray((np.asarray(photo) * [red, 1, blue]).clip(0, 255).astype(np.uint8))


def tilted(photo, degrees=15):
    return close(photo.rotate(degrees, Image.Resampling.BICUBIC), 0.75)  # crops the empty corners


def close(photo, share):
    return photo.crop([round(side * edge) for edge in ((1 - share) / 2, (1 + share) / 2) for side in photo.size])


def far(photo, share=0.7):
    """The photo smaller, on a grey background."""
    return ImageOps.expand(photo, tuple(round(side * (1 / share - 1) / 2) for side in photo.size), (200, 200, 200))


ALTERATIONS = {
    "unaltered": lambda photo: photo,
    "sharpened": lambda photo: photo.filter(ImageFilter.SHARPEN),
    "softened": lambda photo: photo.filter(ImageFilter.GaussianBlur(1)),
    "grainy": grainy,
    "compressed": compressed,
    "half size": lambda photo: photo.reduce(2),
    "dark": lambda photo: photo.point(lambda level: 255 * (level / 255) ** 2),
    "bright": lambda photo: photo.point(lambda level: 255 * (level / 255) ** 0.5),
    "high contrast": lambda photo: ImageEnhance.Contrast(photo).enhance(1.5),
    "low contrast": lambda photo: ImageEnhance.Contrast(photo).enhance(0.6),
    "warm": lambda photo: tinted(photo, 1.2, 0.8),
    "cold": lambda photo: tinted(photo, 0.8, 1.2),
    "tilted": tilted,
    "on their side": lambda photo: photo.transpose(Image.Transpose.ROTATE_90),
    "closer": lambda photo: close(photo, 0.7),
    "farther away": far,
}


def measure(classifier, photos, foods, alter):
    pictures = [alter(Image.open(photo).convert("RGB")) for photo in photos.photo]
    rates = score_answers(answer_photos(classifier, photos.assign(photo=pictures)), foods).rate
    shown = [
        "all: right of the foods",
        "all: named right",
        *(f"{name}: taken for one of the foods" for name in BACKGROUND),
    ]
    return rates[shown]


def main():
    classifier = Classifier()
    foods = [name for name in classifier.answers if name not in BACKGROUND]
    test = test_photos(list_photos(untar_data(URLs.FOOD), untar_data(NOT_FOOD_URL)), classifier.groups)
    others = test[test.label == "other_food"]
    chosen = pd.concat([test.drop(others.index), others.groupby("dish").head(OTHERS)])
    table = pd.DataFrame({name: measure(classifier, chosen, foods, alter) for name, alter in ALTERATIONS.items()})
    print(f"{len(chosen)} test photos", table.T.to_string(float_format="{:.3f}".format), sep="\n")


if __name__ == "__main__":
    main()
