"""Depthwise convolutions on small maps are rewritten for browsers, and give the same answers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from foodvision.page.depthwise import widen_depthwise
from foodvision.page.device import optimise

CHANNELS = 6


def model_of(kernel, size=(7, 9), per_group=1, times=1, **settings):
    """A convolution by group, as often as is said with the same weights, between two that mix channels."""
    random = np.random.default_rng(0)
    shapes = {"before": (CHANNELS, 3, 1, 1), "kernels": (CHANNELS, per_group, *kernel), "bias": (CHANNELS,)}
    shapes["after"] = (4, CHANNELS, 1, 1)
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays |= {"least": np.float32(0), "most": np.float32(2)}
    nodes = [helper.make_node("Conv", ["pixels", "before"], ["maps 0"])]
    for time in range(times):
        names, group = [f"maps {time}", "kernels", "bias"], CHANNELS // per_group
        nodes.append(helper.make_node("Conv", names, [f"deep {time}"], group=group, **settings))
        nodes.append(helper.make_node("Clip", [f"deep {time}", "least", "most"], [f"maps {time + 1}"]))
    nodes.append(helper.make_node("Conv", [f"maps {times}", "after"], ["logits"]))
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["photos", 3, *size])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "net", [pixels], [logits], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model).SerializeToString()


def outputs(model):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[2:]
    photos = np.random.default_rng(1).normal(size=(3, 3, *size)).astype(np.float32)
    return session.run(["logits"], {"pixels": photos})[0]


def kernel_size(model):
    (kernels,) = (tensor for tensor in onnx.load_from_string(model).graph.initializer if tensor.name == "kernels")
    return tuple(kernels.dims[2:])


@pytest.mark.parametrize(
    ("kernel", "size", "settings"),
    [
        ((3, 3), (7, 9), {"pads": [1, 1, 1, 1]}),
        ((5, 5), (14, 14), {"pads": [2, 2, 2, 2]}),
        ((3, 5), (6, 8), {"pads": [2, 1, 0, 3]}),
        ((3, 1), (4, 4), {"pads": [3, 0, 3, 0]}),
        ((3, 3), (5, 5), {"pads": [0, 0, 0, 0]}),
    ],
    ids=["3 x 3", "5 x 5", "uneven padding", "more padding than map", "no padding"],
)
def test_answers_are_the_same_with_kernels_as_high_as_the_map(kernel, size, settings):
    model = model_of(kernel, size, **settings)
    widened = optimise(model)
    assert kernel_size(widened) == (size[0], kernel[1])
    np.testing.assert_allclose(outputs(widened), outputs(model), atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"size": (16, 9), "pads": [2, 2, 2, 2]},
        {"strides": [2, 2]},
        {"dilations": [1, 2]},
        {"per_group": 2},
        {"per_group": CHANNELS},
        {"times": 2, "pads": [2, 2, 2, 2]},
        {"size": ("height", "width")},
    ],
    ids=["large map", "stride", "dilation", "groups of two", "one group", "shared weights", "unknown size"],
)
def test_other_convolutions_stay_as_they_are(options):
    assert kernel_size(optimise(model_of((5, 5), **options))) == (5, 5)


def test_a_file_that_is_no_model_is_refused():
    with pytest.raises(ValueError, match="not an ONNX model"):
        widen_depthwise(b"\xff" * 100)
