"""Any fastai image classifier compiles to a file that answers as the learner does."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from fastai.vision.all import (
    BCEWithLogitsLossFlat,
    CropPad,
    ImageDataLoaders,
    Normalize,
    PILImage,
    RandomResizedCrop,
    RandTransform,
    Resize,
    aug_transforms,
    get_image_files,
    imagenet_stats,
    resnet18,
    vision_learner,
)
from PIL import Image, ImageFilter

from foodvision import Classifier, ModelError
from foodvision.answer.classifier import MODEL, sha256
from foodvision.learn.compile import PICKLE, CompileError, compile_learner
from foodvision.learn.mobile import export_mobile
from foodvision.learn.unpickle import UnknownNames

pytestmark = pytest.mark.learn


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder of noise, eight pictures of each of two classes, none square."""
    folder, random = tmp_path_factory.mktemp("drawn"), np.random.default_rng(1)
    for name in ("cat & co", "dog"):
        (folder / name).mkdir()
        for number in range(8):
            pixels = random.integers(0, 256, (90 + 3 * number, 120, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def exported(drawn, tmp_path):
    def export(item_tfms, batch_tfms=None, body=resnet18, **options):
        dls = ImageDataLoaders.from_folder(
            drawn, valid_pct=0.25, seed=1, item_tfms=item_tfms, batch_tfms=batch_tfms, bs=4, num_workers=0
        )
        learner = vision_learner(dls, body, pretrained=False, path=tmp_path, **options)
        with learner.no_bar(), learner.no_logging():
            learner.fit(1)
        learner.export("export.pkl")
        return learner, tmp_path / "export.pkl"

    return export


LEARNERS = {
    "cropped": partial(dict, item_tfms=Resize(64)),
    "padded, not square": partial(dict, item_tfms=Resize((48, 64), method="pad", pad_mode="reflection")),
    "squished": partial(dict, item_tfms=Resize(64, method="squish")),
    "padded with black": partial(dict, item_tfms=[CropPad(150), Resize(64)]),
    "cut out at random": partial(dict, item_tfms=RandomResizedCrop(64, min_scale=0.5), batch_tfms=aug_transforms()),
    "presized, as fastbook does": partial(
        dict, item_tfms=Resize(96), batch_tfms=aug_transforms(size=40, min_scale=0.75)
    ),
    "presized and normalised": partial(
        dict, item_tfms=Resize(96), batch_tfms=[*aug_transforms(size=56), Normalize.from_stats(*imagenet_stats)]
    ),
    "a body of timm": partial(dict, item_tfms=Resize(64), body="resnet10t"),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_the_compiled_learner_gives_the_same_probabilities(name, exported, drawn):
    learner, pickle = exported(**LEARNERS[name]())
    classifier = Classifier(compile_learner(pickle))
    assert classifier.vocab == ["cat & co", "dog"]
    for photo in sorted(drawn.glob("*/*.png"))[:4]:
        with learner.no_bar():
            label, _, expected = learner.predict(PILImage.create(photo))
        prediction = classifier.predict(photo)
        assert prediction.label == label
        assert list(prediction.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_file_tells_all_that_serving_needs(exported):
    _, pickle = exported(Resize((48, 64)), Normalize.from_stats(*imagenet_stats))
    metadata = Classifier(compile_learner(pickle)).session.get_modelmeta().custom_metadata_map
    preprocessing = json.loads(metadata["preprocessing"])
    assert json.loads(metadata["vocab"]) == ["cat & co", "dog"]
    assert preprocessing["steps"][0]["size"] == [64, 48]
    assert preprocessing["mean"] == pytest.approx(imagenet_stats[0])
    assert metadata["pickle_sha256"] == sha256(pickle)


def test_a_newer_pickle_is_noticed_and_one_command_mends_it(exported):
    _, pickle = exported(Resize(64))
    model = compile_learner(pickle)
    exported(Resize(64))
    with pytest.raises(ModelError, match=r"not compiled from the export.pkl .* foodvision.learn.compile"):
        Classifier(model)
    subprocess.run([sys.executable, "-m", "foodvision", "compile", pickle], check=True, capture_output=True)
    assert Classifier(model).vocab == ["cat & co", "dog"]


def test_a_learner_without_one_label_a_photo_is_refused(exported):
    learner, pickle = exported(Resize(64))
    learner.loss_func = BCEWithLogitsLossFlat()
    learner.export("export.pkl")
    with pytest.raises(CompileError, match="one label for each photo"):
        compile_learner(pickle)
    assert not pickle.with_suffix(".onnx").exists()


class Emboss(RandTransform):
    split_idx = None

    def encodes(self, x: Image.Image):
        return x.filter(ImageFilter.EMBOSS)


def test_a_transform_that_is_not_known_is_named(exported):
    _, pickle = exported([Emboss(), Resize(64)])
    with pytest.raises(CompileError, match="Emboss"):
        compile_learner(pickle, trust=True)


def test_a_class_of_its_own_needs_trust(exported):
    _, pickle = exported([Emboss(), Resize(64)])
    with pytest.raises(UnknownNames, match="Emboss"):
        compile_learner(pickle)
    assert not pickle.with_suffix(".onnx").exists()


def test_functions_of_a_notebook_are_left_out(drawn, tmp_path):
    """Only training asks for labels and measures."""
    dls = ImageDataLoaders.from_name_func(
        drawn, get_image_files(drawn), lambda name: f"{int(name[0]) % 2}", item_tfms=Resize(64), bs=4, num_workers=0
    )
    learner = vision_learner(dls, resnet18, pretrained=False, path=tmp_path, metrics=lambda guesses, truths: 0)
    for protocol in 2, 4:
        learner.export("export.pkl", pickle_protocol=protocol)
        assert Classifier(compile_learner(tmp_path / "export.pkl")).vocab == ["0", "1"]


def test_a_function_that_would_answer_photos_needs_trust(exported):
    learner, pickle = exported(Resize(64))
    learner.model.register_forward_hook(lambda model, pixels, logits: logits)
    learner.export("export.pkl")
    with pytest.raises(UnknownNames, match=r"a function of its own \(<lambda>\)"):
        compile_learner(pickle)
    compile_learner(pickle, trust=True)


def test_a_program_for_phones_gives_the_same_probabilities_and_the_rule(exported, drawn):
    learner, pickle = exported(Resize(64))
    learner.decision = {"accept": {"dog": 0.5}, "margin": 0.2}
    learner.export(pickle.name)
    files = {"foodvision.json": ""}
    program = torch.export.load(export_mobile(pickle), extra_files=files).module()
    assert json.loads(files["foodvision.json"])["decision"] == learner.decision
    photo = drawn / "dog" / "1.png"
    pixels = Classifier(compile_learner(pickle)).pixels(Image.open(photo))
    with learner.no_bar():
        *_, expected = learner.predict(PILImage.create(photo))
    assert program(torch.tensor(pixels)[None])[0].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_our_pickle_loads_with_plain_fastai_in_a_fresh_process(tmp_path):
    """Without this package in reach: `None` in `sys.modules` makes every import of it fail."""
    script = (
        "import sys; sys.modules['foodvision'] = None\n"
        "from fastai.learner import load_learner\n"
        f"print(*load_learner({str(PICKLE)!r}).dls.vocab)"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == Classifier(MODEL).vocab
