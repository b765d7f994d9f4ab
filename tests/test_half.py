"""A model's weights in half precision: half the size, and the same answers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import ROOT
from onnx import TensorProto, helper, numpy_helper

from foodvision.answer.half import MIN_WEIGHTS, halve_weights

MODEL = ROOT / "export.onnx"


@pytest.fixture(scope="module")
def halved():
    return halve_weights(MODEL.read_bytes())


def probabilities(model, pixels):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"pixels": pixels})
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def model_of(*weights):
    """A model that adds arrays up."""
    names = [f"w{place}" for place in range(len(weights))]
    total = helper.make_node("Sum", names, ["logits"])
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, weights[0].shape)
    tensors = [numpy_helper.from_array(array, name) for array, name in zip(weights, names, strict=True)]
    graph = helper.make_graph([total], "sum", [], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"vocab": '["寿司"]'})
    return model.SerializeToString()


def types(model):
    return [tensor.data_type for tensor in onnx.load_from_string(model).graph.initializer]


def test_the_model_is_valid_and_half_as_large(halved):
    onnx.checker.check_model(onnx.load_from_string(halved), full_check=True)
    assert len(halved) < 0.52 * MODEL.stat().st_size


def test_its_answers_are_the_same(halved):
    pixels = np.random.default_rng(0).normal(size=(4, 3, *input_size())).astype(np.float32)
    difference = np.abs(probabilities(halved, pixels) - probabilities(MODEL.read_bytes(), pixels))
    assert difference.max() < 0.01


def input_size():
    (pixels,) = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"]).get_inputs()
    return pixels.shape[2:]


def test_its_metadata_is_kept(halved):
    before, after = (onnx.load_from_string(model).metadata_props for model in (MODEL.read_bytes(), halved))
    assert list(before) == list(after)


def test_weights_become_the_nearest_half():
    weights = np.random.default_rng(1).normal(size=MIN_WEIGHTS).astype(np.float32)
    halved = halve_weights(model_of(weights))
    (summed,) = onnxruntime.InferenceSession(halved, providers=["CPUExecutionProvider"]).run(None, {})
    assert types(halved) == [TensorProto.FLOAT16]
    np.testing.assert_array_equal(summed, weights.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize(
    "weights",
    [
        np.ones(MIN_WEIGHTS - 1, np.float32),
        np.full(MIN_WEIGHTS, 1e6, np.float32),
        np.full(MIN_WEIGHTS, np.nan, np.float32),
    ],
    ids=["few", "too large for a half", "not numbers"],
)
def test_weights_that_gain_nothing_or_do_not_fit_stay_as_they_are(weights):
    model = model_of(weights)
    assert halve_weights(model) == model


def test_whole_numbers_stay_as_they_are():
    model = model_of(np.arange(MIN_WEIGHTS, dtype=np.int64))
    assert halve_weights(model) == model


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_file_that_is_cut_short_is_refused(cut):
    with pytest.raises(ValueError, match="not an ONNX model"):
        halve_weights(MODEL.read_bytes()[:-cut])


def test_another_file_is_refused():
    with pytest.raises(ValueError, match="not an ONNX model"):
        halve_weights(b"\xff" * 100)
