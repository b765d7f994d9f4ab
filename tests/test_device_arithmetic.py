"""The browser prepares photos and decides as Python does: the scripts' results, from Node, beside Python's."""

import base64
import json
import shutil
import subprocess

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from foodvision.answer.area import area_read
from foodvision.answer.classifier import softmax
from foodvision.answer.heat import heat_of
from foodvision.answer.prediction import CONFIDENCE, DISHES, MARGIN, Prediction, add_up, decide, most_likely
from foodvision.answer.preprocessing import prepare, to_pixels
from foodvision.page.device import describe, join_model

NODE = shutil.which("node")
NEAREST, LANCZOS, BILINEAR, BICUBIC, BOX, HAMMING = range(6)  # of Image.Resampling
STATISTICS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
SIZES = [(640, 480), (481, 641), (512, 512), (224, 224), (97, 31), (20, 300), (1, 7), (225, 223)]


def step(do, size=(224, 224), resample=BILINEAR, pad_mode="reflection"):
    return {"do": do, "size": list(size), "resample": resample, "pad_mode": pad_mode}


STEPS = {
    "crop": [step("crop")],
    "crop to a rectangle": [step("crop", (160, 96))],
    "pad with reflections": [step("pad")],
    "pad with black": [step("pad", pad_mode="zeros")],
    "pad with the border": [step("pad", (64, 128), pad_mode="border")],
    "squish": [step("squish", (192, 160))],
    "crop the middle": [step("center_crop", (50, 41), pad_mode="zeros")],
    "resize, then crop the middle": [step("squish", (256, 256), BICUBIC), step("center_crop")],
    "Lanczos": [step("crop", resample=LANCZOS)],
    "bicubic": [step("pad", resample=BICUBIC)],
    "box": [step("squish", resample=BOX)],
    "Hamming": [step("crop", resample=HAMMING)],
    "nearest": [step("squish", resample=NEAREST)],
}


def photo(size, seed):
    """Noise, with edges at full contrast so that filters overshoot."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    noise[::3] = 255
    noise[:, ::5] = 0
    return Image.fromarray(noise)


PHOTOS = {
    f"{name}, {width} x {height}": (photo((width, height), seed), steps)
    for name, steps in STEPS.items()
    for seed, (width, height) in enumerate(SIZES)
}


def described(vocab, groups=None, background=(), **decision):
    return {
        "vocab": vocab,
        "groups": groups or {name: [name] for name in vocab},
        "background": list(background),
        "decision": {"confidence": CONFIDENCE, "margin": MARGIN} | decision,
        "dishes": DISHES if groups else 0,
    }


FOODS = ["pizza", "steak", "sushi", "other_food", "not_food"]
DISHES_KNOWN = ["apple_pie", "filet_mignon", "not_food", "pizza", "ramen", "steak", "sushi", *"abcdefgh"]
GROUPS = {
    "pizza": ["pizza"],
    "steak": ["steak", "filet_mignon"],
    "sushi": ["sushi"],
    "other_food": ["apple_pie", "ramen", *"abcdefgh"],
    "not_food": ["not_food"],
}
MODELS = {
    "with background": described(FOODS, background=FOODS[3:]),
    "with dishes": described(DISHES_KNOWN, GROUPS, background=["other_food", "not_food"]),
    "with a strict rule": described(["cat", "dog"], confidence=0.9, margin=0.5),
    "with one class": described(["cat"]),
}
LOGITS = {
    f"{name}, {seed}": (np.random.default_rng(seed).normal(0, spread, len(model["vocab"])), model)
    for name, model in MODELS.items()
    for seed, spread in enumerate([0.1, 0.5, 1, 1, 2, 2, 4, 8, 100])
} | {"equal logits": (np.zeros(5), MODELS["with background"])}
ALL_HALVES = np.arange(2**16, dtype=np.uint16).view(np.float16)
HALVES = ALL_HALVES[np.isfinite(ALL_HALVES)]
HEATS = {"one class": [2], "a group": [0, 3, 4], "all classes": list(range(6)), "an impossible class": [5]}


def heat_case(name):
    """The places of an answer's classes, logits, and maps (classes, rows, columns)."""
    random = np.random.default_rng(len(name))
    logits = random.normal(0, 2, 6)
    logits[5] = -2000
    return HEATS[name], logits, random.normal(0, 1, (6, 4, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def scripts():
    """What the scripts make of all photos, logits and maps."""
    if not NODE:
        pytest.skip("no Node: the arithmetic on the device was not compared with Python's")
    photos = [
        {"rgb": encoded(np.asarray(picture)), "width": picture.width, "height": picture.height, "steps": steps}
        | STATISTICS
        for picture, steps in PHOTOS.values()
    ]
    answers = [{"logits": logits.tolist(), "model": model} for logits, model in LOGITS.values()]
    heats = [
        {
            "classes": classes,
            "logits": logits.tolist(),
            "maps": {"data": maps.flatten().tolist(), "dims": [1, *maps.shape]},
        }
        for classes, logits, maps in map(heat_case, HEATS)
    ]
    packed = base64.b64encode(join_model(b"a graph", HALVES.tobytes())).decode()
    run = subprocess.run(
        [NODE, "tests/js/on_device.js"],
        cwd=ROOT,
        input=json.dumps({"photos": photos, "answers": answers, "heats": heats, "packed": packed}),
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    results = json.loads(run.stdout)
    cases = {"photos": PHOTOS, "answers": LOGITS, "heats": HEATS}
    return {kind: dict(zip(names, results[kind], strict=True)) for kind, names in cases.items()} | {
        "weights": np.frombuffer(base64.b64decode(results["weights"]), np.float32)
    }


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_is_prepared_to_the_bit(scripts, name):
    picture, steps = PHOTOS[name]
    result = scripts["photos"][name]
    expected = prepare(picture, steps)
    assert tuple(result["size"]) == expected.size
    pixels = np.frombuffer(base64.b64decode(result["pixels"]), np.uint8).reshape(*expected.size[::-1], 3)
    if {LANCZOS, HAMMING} & {step["resample"] for step in steps}:  # browsers' sines differ in the last digit
        np.testing.assert_allclose(pixels.astype(int), np.asarray(expected), atol=1)
        return
    np.testing.assert_array_equal(pixels, np.asarray(expected))
    tensor = np.frombuffer(base64.b64decode(result["tensor"]), np.float32).reshape(3, *expected.size[::-1])
    np.testing.assert_array_equal(tensor, to_pixels(picture, steps, **STATISTICS))


@pytest.mark.parametrize("name", PHOTOS)
def test_the_part_of_a_photo_that_the_model_reads_is_the_same(scripts, name):
    picture, steps = PHOTOS[name]
    assert scripts["photos"][name]["area"] == pytest.approx(area_read(picture.size, steps))


@pytest.mark.parametrize("name", HEATS)
def test_what_speaks_for_an_answer_is_the_same(scripts, name):
    classes, logits, maps = heat_case(name)
    expected = 255 * heat_of(classes, softmax(logits[None])[0], maps)
    np.testing.assert_allclose(scripts["heats"][name], expected, atol=1)


def test_weights_in_half_precision_are_read_to_the_bit(scripts):
    np.testing.assert_array_equal(scripts["weights"], HALVES.astype(np.float32))


@pytest.mark.parametrize("name", LOGITS)
def test_the_same_numbers_give_the_same_prediction(scripts, name):
    logits, model = LOGITS[name]
    by_class = dict(zip(model["vocab"], softmax(logits[None])[0].tolist(), strict=True))
    by_answer = add_up(by_class, model["groups"])
    finer = {name: p for name, p in by_class.items() if name not in model["background"]}
    label, unsure = decide(by_answer, **model["decision"])
    dishes = most_likely(finer) if model["dishes"] else {}
    expected = Prediction(label, by_answer, 0, unsure, dishes).to_dict()
    result = scripts["answers"][name]
    assert result.keys() == expected.keys()
    for field in ("probabilities", "dishes"):
        assert list(result.get(field, {})) == list(expected.get(field, {}))
        assert result.pop(field, {}) == pytest.approx(expected.pop(field, {}))
    assert result.pop("probability") == pytest.approx(expected.pop("probability"))
    assert result == expected


def test_the_browser_gets_what_the_model_says_about_itself():
    described = describe(ROOT / "export.onnx")
    assert described["preprocessing"]["steps"][-1]["do"] in ("crop", "pad", "squish", "center_crop")
    assert {"confidence", "margin"} == described["decision"].keys()
    assert {name for names in described["groups"].values() for name in names} == set(described["vocab"])
    assert {"other_food", "not_food"} == set(described["background"])
