"""Is it worth serving an 8-bit model? `python benchmarks/int8.py` prints accuracy and speed of float32 and int8.

Uses ONNX Runtime's static quantisation (QDQ, per channel), calibrated on validation photos and scored on test photos.
"""

import shutil
import tempfile
from pathlib import Path

import onnx
import pandas as pd
from fastai.data.external import URLs, untar_data
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from foodvision import Classifier
from foodvision.learn.data import BACKGROUND, NOT_FOOD_URL, list_photos
from foodvision.learn.evaluate import answer_photos, score_answers, test_photos


class Photos(CalibrationDataReader):
    def __init__(self, classifier, photos):
        self.batches = ({"pixels": classifier.pixels(classifier.read(photo))[None]} for photo in photos)

    def get_next(self):
        return next(self.batches, None)


def quantize(classifier, photos, path):
    """Write the classifier's model to `path`, quantised to 8 bits, with the same metadata."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(classifier.path, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            path,
            Photos(classifier, photos),
            per_channel=True,
            calibrate_method=CalibrationMethod.Percentile,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, classifier.session.get_modelmeta().custom_metadata_map)
    onnx.save(model, path)


def measure(classifier, photos, foods):
    answers = answer_photos(classifier, photos)
    rates = score_answers(answers, foods).rate
    return {"MB": classifier.path.stat().st_size / 1e6, "seconds": answers.seconds.median()} | rates.to_dict()


def main():
    served = Classifier()
    foods = [name for name in served.answers if name not in BACKGROUND]
    photos = list_photos(untar_data(URLs.FOOD), untar_data(NOT_FOOD_URL))
    test = test_photos(photos, served.groups)
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "int8.onnx"
        shutil.copy(served.path, Path(folder) / "float32.onnx")
        calibration = photos[photos.split == "valid"].groupby("label").head(40)
        quantize(served, calibration.photo, small)
        table = pd.DataFrame(
            {path.stem: measure(Classifier(path), test, foods) for path in Path(folder).glob("*.onnx")}
        )
    print(table.to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
