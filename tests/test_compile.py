"""Any fastai image classifier compiles to a file that answers as it does; any other learner is told why it can't."""

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import cloudpickle
import pytest
import torch
from conftest import MODEL, PICKLE, ROOT
from fastai.tabular.all import TabularDataLoaders, tabular_learner
from fastai.vision.all import (
    BCEWithLogitsLossFlat,
    Callback,
    CategoryBlock,
    CropPad,
    CrossEntropyLossFlat,
    FlipItem,
    FocalLoss,
    ImageBlock,
    MaskBlock,
    MultiCategoryBlock,
    Normalize,
    PILImage,
    PILImageBW,
    RandomResizedCrop,
    RandTransform,
    RegressionBlock,
    Resize,
    aug_transforms,
    imagenet_stats,
    parent_label,
    resnet18,
    vision_learner,
)
from learners import block_dls, draw_photos, photo_dls, tiny_learner, tiny_network
from PIL import Image, ImageFilter
from torch import nn
from torch.nn import functional as F

from foodvision import Classifier, ModelError
from foodvision.answer.classifier import sha256
from foodvision.cli import main
from foodvision.learn.compile import CompileError, compile_learner
from foodvision.learn.mobile import export_mobile
from foodvision.learn.unpickle import UnknownNames

pytestmark = pytest.mark.learn
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # what is defined here travels as code, as from a notebook


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("drawn") / "photos")


@pytest.fixture(scope="module")
def dls(drawn):
    return photo_dls(drawn)


@pytest.fixture
def learner(dls, tmp_path):
    return tiny_learner(dls, tmp_path)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def export(learner) -> Path:
    learner.export("export.pkl")
    return learner.path / "export.pkl"


def probabilities(learner, photo):
    """The softmax of what the learner's model gives for a photo file."""
    (batch,) = learner.dls.test_dl([photo], num_workers=0).one_batch()
    with torch.no_grad():
        return learner.model.eval()(batch).softmax(dim=1)[0].tolist()


def assert_same_answers(model, learner, drawn):
    classifier = Classifier(model)
    for photo in sorted(drawn.glob("*/*.png"))[:3]:
        answer = list(classifier.predict(photo).probabilities.values())
        assert answer == pytest.approx(probabilities(learner, photo), abs=1e-4)


# A learner at hand


def test_a_live_learner_is_compiled_into_the_current_folder(learner, drawn, capsys):
    path = compile_learner(learner)
    assert path == Path("export.onnx") and sorted(os.listdir()) == ["export.onnx", "export.pkl"]
    assert re.search(
        r"export\.onnx \(.* MB\) answers cat & co, dog\. Compiled from the learner", capsys.readouterr().out
    )
    assert_same_answers(path, learner, drawn)


def test_an_older_pickle_beside_it_is_replaced_so_the_model_is_not_stale(learner):
    Path("export.pkl").write_bytes(b"an older learner")
    assert Classifier(compile_learner(learner)).metadata["pickle_sha256"] == sha256("export.pkl")


def test_a_live_learner_is_left_as_it_was(learner):
    learner.fit(1)
    learner.model.half().train()
    learner.model[0].eval()
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    dls, opt = learner.dls, learner.opt
    compile_learner(learner, verbose=False)
    assert learner.model.training and not learner.model[0].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.model.state_dict().items())
    assert next(learner.model.parameters()).dtype == torch.float16
    assert learner.dls is dls and type(learner.opt) is type(opt)


class OwnLoss:
    def __call__(self, logits, targets):
        return F.cross_entropy(logits, targets)


class OwnCallback(Callback):
    def before_validate(self):
        raise RuntimeError("There is no training here.")


def test_custom_losses_callbacks_and_unpicklable_parts_do_not_matter(dls, tmp_path, drawn, capsys):
    own = OwnCallback()
    own.unpicklable = (number for number in range(3))
    learner = tiny_learner(dls, tmp_path, loss_func=OwnLoss(), cbs=own, opt_func=lambda *args, **options: None)
    path = compile_learner(learner)
    assert "No export.pkl is written" in capsys.readouterr().out
    assert learner.dls is dls and os.listdir() == ["export.onnx"]
    assert_same_answers(path, learner, drawn)
    Path("export.pkl").write_bytes(b"another learner")
    Classifier(path)


# An exported file


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
}


@pytest.mark.parametrize("name", LEARNERS)
def test_each_way_to_resize_gives_the_learners_probabilities(name, drawn, tmp_path):
    learner = tiny_learner(photo_dls(drawn, **LEARNERS[name]()), tmp_path)
    assert_same_answers(compile_learner(export(learner)), learner, drawn)


@pytest.mark.parametrize("body", [resnet18, "resnet10t"], ids=["torchvision", "timm"])
def test_vision_learners_give_fastais_own_answers(body, dls, drawn, tmp_path):
    learner = vision_learner(dls, body, pretrained=False, path=tmp_path)
    classifier = Classifier(compile_learner(export(learner)))
    photo = drawn / "dog" / "1.png"
    with learner.no_bar():
        label, _, expected = learner.predict(PILImage.create(photo))
    prediction = classifier.predict(photo)
    assert prediction.label == label
    assert list(prediction.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_file_holds_all_that_serving_needs(drawn, tmp_path, capsys):
    normalize = Normalize.from_stats(*imagenet_stats)
    pickle = export(tiny_learner(photo_dls(drawn, Resize((48, 64)), normalize), tmp_path))
    metadata = Classifier(compile_learner(pickle)).session.get_modelmeta().custom_metadata_map
    preprocessing = json.loads(metadata["preprocessing"])
    assert json.loads(metadata["vocab"]) == ["cat & co", "dog"]
    assert preprocessing["steps"][0]["size"] == [64, 48]
    assert preprocessing["mean"] == pytest.approx(imagenet_stats[0])
    assert metadata["pickle_sha256"] == sha256(pickle)
    assert f"answers cat & co, dog. Compiled from {pickle}." in capsys.readouterr().out


def test_a_newer_pickle_is_noticed_and_one_command_fixes_it(learner, capsys):
    model = compile_learner(export(learner))
    nn.init.ones_(learner.model[1].weight)
    pickle = export(learner)
    with pytest.raises(ModelError, match=r"not compiled from the export.pkl .*foodvision compile"):
        Classifier(model)
    assert main(["compile", str(pickle)]) == 0
    assert "answers cat & co, dog" in capsys.readouterr().out
    assert Classifier(model).vocab == ["cat & co", "dog"]


def test_functions_of_a_notebook_are_left_out(drawn, tmp_path):
    """Only training asks for labels and measures."""
    dls = block_dls(drawn, ImageBlock, CategoryBlock, get_y=lambda file: f"{int(file.stem) % 2}")
    learner = tiny_learner(dls, tmp_path, metrics=lambda guesses, truths: 0)
    for protocol in 2, 4:
        learner.export("export.pkl", pickle_protocol=protocol)
        assert Classifier(compile_learner(tmp_path / "export.pkl")).vocab == ["0", "1"]


def test_a_function_that_would_answer_photos_needs_trust(learner):
    learner.model.register_forward_hook(lambda model, pixels, logits: logits)
    pickle = export(learner)
    with pytest.raises(UnknownNames, match=r"a custom function \(<lambda>\)"):
        compile_learner(pickle)
    compile_learner(pickle, trust=True)


class Emboss(RandTransform):
    split_idx = None

    def encodes(self, x: Image.Image):
        return x.filter(ImageFilter.EMBOSS)


def test_a_custom_transform_is_named_with_and_without_trust(drawn, tmp_path):
    pickle = export(tiny_learner(photo_dls(drawn, [Emboss(), Resize(64)]), tmp_path))
    with pytest.raises(UnknownNames, match=r"Emboss.* compile_learner\(learner\)"):
        compile_learner(pickle)
    with pytest.raises(CompileError, match="Emboss"):
        compile_learner(pickle, trust=True)
    assert not pickle.with_suffix(".onnx").exists()


# Losses and softmax


def focal_by_hand(logits, targets):
    return F.cross_entropy(logits, targets)


LOSSES = {
    "torch's cross-entropy": nn.CrossEntropyLoss(),
    "the function": F.cross_entropy,
    "partial": partial(F.cross_entropy, label_smoothing=0.1),
    "fastai's focal loss": FocalLoss(),
    "an own function": focal_by_hand,
    "flat": CrossEntropyLossFlat(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_any_loss_of_a_classifier_will_do(loss, dls, drawn, tmp_path):
    learner = tiny_learner(dls, tmp_path, loss_func=LOSSES[loss])
    assert_same_answers(compile_learner(export(learner)), learner, drawn)


@pytest.mark.parametrize(("end", "logits"), [(nn.Softmax(dim=1), torch.log), (nn.LogSoftmax(dim=1), lambda end: end)])
def test_a_model_that_ends_in_a_softmax_does_not_get_a_second_one(end, logits, dls, drawn, tmp_path):
    network = tiny_network()
    nn.init.normal_(network[1].bias, std=3)
    learner = tiny_learner(dls, tmp_path, nn.Sequential(network, end), loss_func=nn.NLLLoss())
    model = compile_learner(export(learner))
    plain = tiny_learner(dls, tmp_path, network)
    assert_same_answers(model, plain, drawn)


def test_a_learner_whose_loss_judges_each_class_by_itself_is_refused(dls, tmp_path):
    pickle = export(tiny_learner(dls, tmp_path, loss_func=BCEWithLogitsLossFlat()))
    with pytest.raises(CompileError, match="one label for each photo"):
        compile_learner(pickle)
    assert not pickle.with_suffix(".onnx").exists()


# Anything but one RGB photo in and one label out


def _grey(folder):
    dls = block_dls(folder, ImageBlock(PILImageBW), CategoryBlock, get_y=parent_label)
    return dls, tiny_network(channels=1)


def _numbers(folder):
    return block_dls(folder, ImageBlock, RegressionBlock, get_y=lambda file: float(file.stem)), tiny_network(1)


def _several_labels(folder):
    return block_dls(folder, ImageBlock, MultiCategoryBlock, get_y=lambda file: [file.parent.name]), tiny_network()


def _one_hot(folder):
    block = MultiCategoryBlock(encoded=True, vocab=["a", "b"])
    return block_dls(folder, ImageBlock, block, get_y=lambda file: [1, 0]), tiny_network()


def _two_labels(folder):
    getters = [parent_label, lambda file: file.stem]
    return block_dls(folder, ImageBlock, CategoryBlock, CategoryBlock, n_inp=1, get_y=getters), tiny_network(8)


def _two_photos(folder):
    getters = [lambda file: file, lambda file: file]
    blocks = ImageBlock, ImageBlock, CategoryBlock
    return block_dls(folder, *blocks, n_inp=2, get_x=getters, get_y=parent_label), tiny_network()


def _masks(folder):
    return block_dls(folder, ImageBlock, MaskBlock(codes=["x", "y"]), get_y=lambda file: file), tiny_network()


def _clash(folder):
    category = CategoryBlock(vocab=[1, "1"], sort=False)
    return block_dls(folder, ImageBlock, category, get_y=lambda file: 1 if "dog" in str(file) else "1"), tiny_network()


def _too_many_outputs(folder):
    return photo_dls(folder), tiny_network(3)


def _no_size(folder):
    return photo_dls(folder, FlipItem()), tiny_network()


OTHERS = {
    _grey: "in mode 'L', not RGB",
    _numbers: "target is not a category",
    _several_labels: "any number of labels",
    _one_hot: "any number of labels",
    _two_labels: "2 targets for each photo",
    _two_photos: "2 inputs",
    _masks: "target is not a category",
    _clash: "same name as text, '1'",
    _too_many_outputs: r"2 classes but answers a photo with \(3,\)",
    _no_size: "photos at their own size",
}


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.__name__.strip("_"))
def test_another_kind_of_learner_gets_a_sentence(other, drawn, tmp_path):
    dls, network = other(drawn)
    learner = tiny_learner(dls, tmp_path, network, loss_func=CrossEntropyLossFlat())
    for given in learner, export(learner):
        with pytest.raises(CompileError, match=OTHERS[other]) as error:
            compile_learner(given)
        assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_tabular_learner_gets_a_sentence_that_does_not_mention_trust(tmp_path):
    import pandas as pd

    table = pd.DataFrame({"x": [1.0, 2, 3, 4] * 4, "y": ["a", "b"] * 8})
    learner = tabular_learner(TabularDataLoaders.from_df(table, y_names="y", cont_names=["x"], bs=4), path=tmp_path)
    for given in learner, export(learner):
        with pytest.raises(CompileError, match="one RGB photo"):
            compile_learner(given)


# For phones, and without FoodVision


def test_a_program_for_phones_gives_the_same_probabilities_and_the_rule(learner, drawn):
    learner.decision = {"accept": {"dog": 0.5}, "margin": 0.2}
    pickle = export(learner)
    files = {"foodvision.json": ""}
    program = torch.export.load(export_mobile(pickle), extra_files=files).module()
    assert json.loads(files["foodvision.json"])["decision"] == learner.decision
    photo = drawn / "dog" / "1.png"
    pixels = Classifier(compile_learner(pickle)).pixels(Image.open(photo))
    assert program(torch.tensor(pixels)[None])[0].tolist() == pytest.approx(probabilities(learner, photo), abs=1e-4)


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


# The README's recipe


def recipe():
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own classes")[1]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


WITHOUT_WEIGHTS = """
import fastai.vision.all as all
_vision_learner = all.vision_learner
all.vision_learner = lambda *args, **options: _vision_learner(*args, pretrained=False, **options)
"""


@pytest.mark.slow
@pytest.mark.parametrize("place", ["an empty folder", "a copy of the repository"])
def test_the_readmes_recipe_run_literally_gives_a_model_for_your_own_classes(place, tmp_path):
    """Weights are random here, so that it runs offline; that they can be downloaded isn't checked."""
    folder = tmp_path / place
    draw_photos(folder / "photos", ("ramen", "寿司"), count=10)
    if place == "a copy of the repository":
        for name in "export.pkl", "export.onnx", "foodvision.ipynb":
            (folder / name).write_bytes((ROOT / name).read_bytes())
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    script = WITHOUT_WEIGHTS + recipe()
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    assert "answers ramen, 寿司. Compiled from the learner" in run.stdout
    assert Classifier(folder / "export.onnx").vocab == ["ramen", "寿司"]
    assert os.listdir(folder / "photos") and not list((folder / "photos").glob("export.*"))
