"""Exports of ordinary learners, and of other versions, are read without trust; a call hidden in one is refused."""

import os
import sys
import zipfile
from functools import partial

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import timm
import timm.optim
import torch
from conftest import MODEL, PICKLE
from fastai.callback.all import (
    ActivationStats,
    BnFreeze,
    CSVLogger,
    EarlyStoppingCallback,
    GradientClip,
    MixUp,
    ParamScheduler,
    SaveModelCallback,
    ShortEpochCallback,
    TerminateOnNaNCallback,
    combined_cos,
)
from fastai.vision.all import (
    Callback,
    CategoryBlock,
    F1Score,
    FocalLoss,
    ImageBlock,
    ImageDataLoaders,
    OptimWrapper,
    Perplexity,
    Resize,
    accuracy,
    noop,
    parent_label,
    ranger,
    top_k_accuracy,
    xresnet18,
)
from learners import block_dls, draw_photos, photo_dls, tiny_learner, tiny_network
from torch import nn

from foodvision import Classifier
from foodvision.cli import main
from foodvision.learn.compile import compile_learner
from foodvision.learn.describe import CompileError, describe_learner
from foodvision.learn.left_out import UnknownNames
from foodvision.learn.load import read_learner
from foodvision.learn.served import answer_noise, ready

pytestmark = pytest.mark.learn
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # what is defined here travels as code, as from a notebook


# Ordinary learners need no trust


@pytest.fixture(scope="module")
def dls(tmp_path_factory):
    return photo_dls(draw_photos(tmp_path_factory.mktemp("drawn") / "photos"))


class OwnLoss(nn.Module):
    def forward(self, logits, targets):
        return nn.functional.cross_entropy(logits, targets)


class OwnCallback(Callback):
    def after_epoch(self):
        print("Done.")


class OwnOptimizer(torch.optim.AdamW):
    pass


TRAINING_PARTS = {
    "callbacks": lambda: {
        "cbs": [SaveModelCallback(comp=np.less), BnFreeze(), TerminateOnNaNCallback(), ActivationStats(with_hist=True)]
    },
    "more callbacks": lambda: {
        "cbs": [MixUp(), CSVLogger(), GradientClip(), EarlyStoppingCallback(), ShortEpochCallback()]
    },
    "a schedule": lambda: {"cbs": ParamScheduler({"lr": combined_cos(0.25, 1e-4, 1e-3, 1e-5)})},
    "metrics": lambda: {"metrics": [accuracy, Perplexity(), F1Score(average="macro"), partial(top_k_accuracy, k=2)]},
    "an optimizer of torch": lambda: {"opt_func": partial(OptimWrapper, opt=torch.optim.AdamW)},
    "an optimizer of timm": lambda: {"opt_func": partial(OptimWrapper, opt=timm.optim.Lion)},
    "optimizers of fastai": lambda: {"opt_func": ranger},
    "a loss of torch": lambda: {"loss_func": nn.CrossEntropyLoss(weight=torch.ones(2))},
    "a loss of fastai": lambda: {"loss_func": FocalLoss()},
    "its own loss": lambda: {"loss_func": OwnLoss()},
    "its own callback": lambda: {"cbs": OwnCallback()},
    "its own optimizer": lambda: {"opt_func": partial(OptimWrapper, opt=OwnOptimizer)},
}


@pytest.mark.parametrize("part", TRAINING_PARTS)
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_only_training_uses_is_left_out(part, protocol, dls, tmp_path):
    tiny_learner(dls, tmp_path, **TRAINING_PARTS[part]()).export("export.pkl", pickle_protocol=protocol)
    learner, _ = read_learner(tmp_path / "export.pkl")
    assert_answers(learner, ["cat & co", "dog"])


def assert_answers(learner, vocab):
    assert describe_learner(learner)["vocab"] == vocab
    with ready(learner.model):
        expected, _ = answer_noise(learner, len(vocab))
    assert expected.sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_folders_named_other_food_and_not_food_become_background(tmp_path):
    learner = tiny_learner(photo_dls(draw_photos(tmp_path / "photos", ("not_food", "ramen"))), tmp_path)
    described = describe_learner(learner)
    assert (described["background"], described["titles"]) == ({"not_food": "I don't see food here."}, {})
    learner.background, learner.titles = {"ramen": "Not {foods}."}, {"not_food": "an empty table"}
    described = describe_learner(learner)
    assert (described["background"], described["titles"]) == ({"ramen": "Not {foods}."}, {"not_food": "an empty table"})


def test_a_model_of_background_classes_alone_has_none(tmp_path):
    learner = tiny_learner(photo_dls(draw_photos(tmp_path / "photos", ("not_food", "other_food"))), tmp_path)
    assert describe_learner(learner)["background"] == {}


TABLES = {
    "integers": (lambda file: int(file.stem) % 2, ["0", "1"]),
    "numbers of numpy": (lambda file: np.int64(len(file.parent.name)), ["3", "8"]),
    "texts of numpy": (lambda file: np.str_(file.parent.name), ["cat & co", "dog"]),
    "truth": (lambda file: file.parent.name == "dog", ["False", "True"]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_labels_in_a_table_may_have_any_type(kind, dls, tmp_path):
    label, vocab = TABLES[kind]
    files = [*dls.train_ds.items, *dls.valid_ds.items]
    table = pd.DataFrame({"file": [str(file) for file in files], "label": [label(file) for file in files]})
    table_dls = ImageDataLoaders.from_df(table, path="/", item_tfms=Resize(32), bs=4, num_workers=0)
    tiny_learner(table_dls, tmp_path, outputs=len(vocab)).export("export.pkl")
    assert_answers(read_learner(tmp_path / "export.pkl")[0], vocab)


def test_an_unknown_class_is_one_more_class(dls, tmp_path):
    files = dls.train_ds.items[0].parent.parent
    added = block_dls(files, ImageBlock, CategoryBlock(add_na=True), get_y=parent_label)
    tiny_learner(added, tmp_path, outputs=3).export("export.pkl")
    assert_answers(read_learner(tmp_path / "export.pkl")[0], ["#na#", "cat & co", "dog"])


BODIES = ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "convnext_atto", "efficientnet_b0"]


@pytest.mark.parametrize("body", ["xresnet with self-attention", *BODIES])
def test_bodies_of_fastai_and_timm_need_no_trust(body, dls, tmp_path):
    size, model = (32, xresnet18(n_out=2, sa=True)) if body not in BODIES else (224, None)
    model = model or timm.create_model(body, num_classes=2)
    photos = dls.train_ds.items[0].parent.parent
    tiny_learner(photo_dls(photos, Resize(size)), tmp_path, model).export("export.pkl")
    learner, _ = read_learner(tmp_path / "export.pkl")
    assert_answers(learner, ["cat & co", "dog"])
    parts = model.state_dict()
    assert all(torch.equal(weight, parts[name]) for name, weight in learner.model.state_dict().items())


def test_what_a_model_calls_its_parts_is_not_taken_for_the_learners_settings(tmp_path):
    """fastai's learners hand attributes that they lack on to their model, and torchvision's ResNets have `groups`."""
    model = tiny_network(2)
    for name in ("groups", "titles", "background", "decision", "calibration"):
        setattr(model, name, 1)
    learner = tiny_learner(photo_dls(draw_photos(tmp_path / "photos", ("cat", "dog"))), tmp_path, model)
    compiled = Classifier(compile_learner(learner, tmp_path / "export.onnx"))
    assert compiled.answers == ["cat", "dog"] and compiled.metadata["calibration"] is None


# Exports of other versions

NAMES = {
    "numpy 1": ("numpy._core.multiarray", "numpy.core.multiarray"),
    "Windows": ("pathlib\nPosixPath", "pathlib\nWindowsPath"),
    "Python 3.13": ("pathlib\nPosixPath", "pathlib._local\nPosixPath"),
    "timm 0.6": ("timm.layers.", "timm.models.layers."),
    "fastai 2.7": ("fasttransform.transform", "fastcore.transform"),
    "fastai 1": ("fastai.learner\nLearner", "fastai.basic_train\nLearner"),
}


def rename(version, pickle, target):
    """The pickle as another version would have written it: other names, which end in line breaks."""
    now, then = (name.encode() for name in NAMES[version])
    with zipfile.ZipFile(pickle) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("data.pkl"):
                assert now in content
                content = content.replace(now, then)
            new.writestr(name, content)
    return target


@pytest.mark.parametrize("version", ["Windows", "Python 3.13"])
def test_exports_of_other_systems_load(version, tmp_path):
    learner, _ = read_learner(rename(version, PICKLE, tmp_path / "export.pkl"))
    assert_answers(learner, Classifier(MODEL).vocab)


def test_exports_with_older_numpys_numbers_load(tmp_path):
    learner = tiny_learner(photo_dls(draw_photos(tmp_path / "photos", ("cat", "dog"))), tmp_path)
    learner.decision = {"margin": np.float64(0.25)}
    learner.export("now.pkl")
    learner, _ = read_learner(rename("numpy 1", tmp_path / "now.pkl", tmp_path / "export.pkl"))
    assert learner.decision == {"margin": 0.25}
    assert_answers(learner, ["cat", "dog"])


def test_an_export_of_older_timm_loads(dls, tmp_path):
    tiny_learner(dls, tmp_path, timm.create_model("resnet10t", num_classes=2)).export("export.pkl")
    learner, _ = read_learner(rename("timm 0.6", tmp_path / "export.pkl", tmp_path / "old.pkl"))
    assert_answers(learner, ["cat & co", "dog"])


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize(("version", "said"), [("fastai 2.7", "older than 2.8"), ("fastai 1", "exported by fastai 1,")])
def test_an_export_from_an_older_fastai_says_which_version_to_use(version, said, trust, tmp_path):
    path = rename(version, PICKLE, tmp_path / "export.pkl")
    with pytest.raises(CompileError, match=rf"{said}.*fastai 2\.8") as error:
        read_learner(path, trust)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_file_that_fastai_1_wrote_with_older_torch_is_recognised(tmp_path):
    state = b"\x80\x02}q\x00X\x03\x00\x00\x00clsq\x01cfastai.basic_train\nLearner\nq\x02s."
    (tmp_path / "export.pkl").write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + state)
    with pytest.raises(CompileError, match=r"exported by fastai 1,.*fastai 2\.8"):
        read_learner(tmp_path / "export.pkl")


# Attacks inside an ordinary learner


class Smuggler:
    """Pickled, it is a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)

    def __call__(self, *arguments, **keywords):
        pass


@pytest.mark.parametrize("place", ["cbs", "metrics", "opt_func", "loss_func", "own"])
def test_a_call_inside_a_training_part_is_refused(place, dls, tmp_path):
    made = tmp_path / "made"
    learner = tiny_learner(dls, tmp_path)
    setattr(learner, place, Smuggler(made))
    learner.create_opt = noop
    learner.export("export.pkl")
    with pytest.raises(UnknownNames, match="system"):
        read_learner(tmp_path / "export.pkl")
    assert not made.exists()


@pytest.mark.parametrize("command", [["compile"], ["export", "--to", "torch"]])
def test_a_folder_without_a_pickle_does_not_get_foodvisions_own(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1 and not any(tmp_path.iterdir())
    assert capsys.readouterr().err.startswith("export.pkl: There is no such file.")
