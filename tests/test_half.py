"""A model's weights in half precision: half the size, and the same answers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import ROOT
from onnx import TensorProto, helper, numpy_helper

from foodvision.answer.half import MIN_WEIGHTS, WEIGHTS, take_weights

MODEL = ROOT / "export.onnx"


@pytest.fixture(scope="module")
def taken():
    return take_weights(MODEL.read_bytes())


def outputs(folder, graph, weights, feeds=None):
    """What a model gives once its weights are in single precision again, as in the browser."""
    (folder / WEIGHTS).write_bytes(np.frombuffer(weights, "<f2").astype("<f4").tobytes())
    (folder / "graph.onnx").write_bytes(graph)
    session = onnxruntime.InferenceSession(folder / "graph.onnx", providers=["CPUExecutionProvider"])
    return session.run(["logits"], feeds or {})[0]


def probabilities(logits):
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


def test_the_model_is_valid_and_half_as_large(taken, tmp_path):
    graph, weights = taken
    assert len(graph) + len(weights) < 0.52 * MODEL.stat().st_size
    outputs(tmp_path, graph, weights, {"pixels": np.zeros((1, 3, *input_size()), np.float32)})
    onnx.checker.check_model(tmp_path / "graph.onnx", full_check=True)


def test_its_answers_are_the_same(taken, tmp_path):
    feeds = {"pixels": np.random.default_rng(0).normal(size=(4, 3, *input_size())).astype(np.float32)}
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    exact = session.run(["logits"], feeds)[0]
    difference = np.abs(probabilities(outputs(tmp_path, *taken, feeds)) - probabilities(exact))
    assert difference.max() < 0.01


def input_size():
    (pixels,) = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"]).get_inputs()
    return pixels.shape[2:]


def test_its_metadata_is_kept(taken):
    before, after = (onnx.load_from_string(model).metadata_props for model in (MODEL.read_bytes(), taken[0]))
    assert list(before) == list(after)


def test_weights_become_the_nearest_half(tmp_path):
    arrays = np.random.default_rng(1).normal(size=(2, MIN_WEIGHTS)).astype(np.float32)
    graph, weights = take_weights(model_of(*arrays))
    assert weights == arrays.astype(np.float16).tobytes()
    nearest = arrays.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(outputs(tmp_path, graph, weights), nearest.sum(axis=0))


@pytest.mark.parametrize(
    "weights",
    [
        np.ones(MIN_WEIGHTS - 1, np.float32),
        np.full(MIN_WEIGHTS, 1e6, np.float32),
        np.full(MIN_WEIGHTS, np.nan, np.float32),
        np.arange(MIN_WEIGHTS, dtype=np.int64),
    ],
    ids=["few", "too large for a half", "not numbers", "whole numbers"],
)
def test_weights_that_gain_nothing_or_do_not_fit_stay_where_they_are(weights):
    model = model_of(weights)
    assert take_weights(model) == (model, b"")


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_file_that_is_cut_short_is_refused(cut):
    with pytest.raises(ValueError, match="not an ONNX model"):
        take_weights(MODEL.read_bytes()[:-cut])


def test_another_file_is_refused():
    with pytest.raises(ValueError, match="not an ONNX model"):
        take_weights(b"\xff" * 100)
