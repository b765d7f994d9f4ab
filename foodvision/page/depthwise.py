"""Rewrites a model's depthwise convolutions on small maps so that browsers calculate them faster.

ONNX Runtime for WebAssembly copies each channel's map once for each weight of the kernel, and multiplies the copies by
that single row of weights. Here a channel has a row of weights for each row of its output, as high as the map (a
Toeplitz matrix): more products, many of them with zero, but fewer copies.
"""

from collections import Counter

import numpy as np

from ..answer.protobuf import read_bytes, read_fields, read_numbers, write_bytes, write_number

MOST_ROWS = 3  # of a map, for each row of the kernel: beyond, the products take longer than the copies
GRAPH = 7  # field of ModelProto in onnx.proto
NODE, INITIALIZER, VALUE_INFO = 1, 5, 13  # of GraphProto
INPUT, OUTPUT, TYPE, ATTRIBUTE = 1, 2, 4, 5  # of NodeProto
NAME, NUMBER, NUMBERS, KIND = 1, 3, 8, 20  # of AttributeProto
SIZE, DATA_TYPE, TENSOR_NAME, RAW_DATA = 1, 2, 8, 9  # of TensorProto
VALUE_NAME, VALUE_TYPE = 1, 2  # of ValueInfoProto
TENSOR_TYPE, SHAPE, DIMENSION, DIMENSION_SIZE = 1, 2, 1, 1  # of TypeProto, its Tensor, TensorShapeProto, its Dimension
LIST_OF_NUMBERS = 7  # AttributeProto.AttributeType
DATA_TYPES = {"float32": 1, "int64": 7}  # TensorProto.DataType


def widen_depthwise(model: bytes) -> bytes:
    """The same model for browsers. It must be as ONNX Runtime writes models, and have the shapes of its maps.

    Whatever isn't a depthwise convolution on a small map of known size stays as it is. Raises ValueError if this isn't
    a model.
    """
    return b"".join(
        write_bytes(GRAPH, _widen_graph(value)) if number == GRAPH and isinstance(value, bytes) else raw
        for number, value, raw in read_fields(model)
    )


def _widen_graph(graph: bytes) -> bytes:
    tensors = {_text(tensor, TENSOR_NAME): tensor for tensor in read_bytes(graph, INITIALIZER)}
    shapes = {_text(info, VALUE_NAME): _shape(info) for info in read_bytes(graph, VALUE_INFO)}
    nodes = read_bytes(graph, NODE)
    uses = Counter(name.decode() for node in nodes for name in read_bytes(node, INPUT))
    parts = [field.raw for field in read_fields(graph) if field.number not in (NODE, INITIALIZER)]
    for node in nodes:
        if _can_widen(node, tensors, shapes, uses):
            node, reshape = _widen(node, tensors, shapes)
            parts += [write_bytes(NODE, node), write_bytes(NODE, reshape)]
        else:
            parts.append(write_bytes(NODE, node))
    return b"".join([*parts, *(write_bytes(INITIALIZER, tensor) for tensor in tensors.values())])


def _can_widen(node: bytes, tensors: dict[str, bytes], shapes: dict[str, list[int]], uses: Counter[str]) -> bool:
    names, settings = _texts(node, INPUT), _settings(node)
    if _text(node, TYPE) not in ("Conv", "FusedConv") or len(names) != 3 or "pads" not in settings:
        return False
    source, *constants = names
    if any(uses[name] > 1 or not _holds_floats(tensors.get(name, b"")) for name in constants):
        return False
    sizes = read_numbers(tensors[constants[0]], SIZE)
    maps = [shapes.get(name, []) for name in (source, _text(node, OUTPUT))]
    return (
        len(sizes) == 4
        and [sizes[1], *settings["group"]] == [1, sizes[0]]
        and settings["strides"] == settings["dilations"] == [1, 1]
        and all(len(shape) == 4 and 0 < shape[2] <= MOST_ROWS * sizes[2] and shape[3] > 0 for shape in maps)
    )


def _widen(node: bytes, tensors: dict[str, bytes], shapes: dict[str, list[int]]) -> tuple[bytes, bytes]:
    """A convolution that gives each row of a channel as a channel, and the node that puts them together."""
    source, weight, bias = _texts(node, INPUT)
    output = _text(node, OUTPUT)
    rows, target = f"{output} in rows", f"shape of {output}"
    above, left, _, right = _settings(node)["pads"]
    kernels = _array(tensors[weight])
    _, channels, height, width = shapes[output]
    wide = _in_rows(kernels, shapes[source][2], height, above)
    tensors[weight] = _tensor(weight, wide)
    tensors[bias] = _tensor(bias, _array(tensors[bias]).repeat(height))
    tensors[target] = _tensor(target, np.array([0, channels, height, width]))  # 0 for as many photos as there are
    changed = {"kernel_shape": list(wide.shape[2:]), "pads": [0, left, 0, right]}
    kept = [field.raw for field in read_fields(node) if field.number not in (OUTPUT, ATTRIBUTE)]
    kept += [write_bytes(ATTRIBUTE, it) for it in read_bytes(node, ATTRIBUTE) if _text(it, NAME) not in changed]
    attributes = (write_bytes(ATTRIBUTE, _attribute(name, numbers)) for name, numbers in changed.items())
    reshape = [(INPUT, rows), (INPUT, target), (OUTPUT, output), (TYPE, "Reshape")]
    return (
        b"".join([*kept, write_bytes(OUTPUT, rows.encode()), *attributes]),
        b"".join(write_bytes(number, text.encode()) for number, text in reshape),
    )


def _in_rows(kernels: np.ndarray, had: int, gives: int, above: int) -> np.ndarray:
    """Kernels (channels, 1, height, width) as (channels * gives, 1, had, width): one for each row of the output.

    The map has `had` rows, with `above` rows of zeros above them.
    """
    channels, _, height, width = kernels.shape
    wide = np.zeros((channels, gives, had, width), kernels.dtype)
    for row in range(gives):
        top = row - above
        first, end = max(top, 0), min(top + height, had)
        wide[:, row, first:end] = kernels[:, 0, first - top : end - top]
    return wide.reshape(-1, 1, had, width)


def _texts(message: bytes, number: int) -> list[str]:
    return [text.decode() for text in read_bytes(message, number)]


def _text(message: bytes, number: int) -> str:
    return "".join(_texts(message, number))


def _settings(node: bytes) -> dict[str, list[int]]:
    """A node's attributes that are whole numbers."""
    attributes = read_bytes(node, ATTRIBUTE)
    numbers = {_text(it, NAME): read_numbers(it, NUMBERS) or read_numbers(it, NUMBER) for it in attributes}
    return {"group": [1], "strides": [1, 1], "dilations": [1, 1]} | numbers


def _shape(info: bytes) -> list[int]:
    """Of a tensor; 0 where it isn't known."""
    messages = read_bytes(info, VALUE_TYPE)
    for number in (TENSOR_TYPE, SHAPE, DIMENSION):
        messages = [inner for message in messages for inner in read_bytes(message, number)]
    return [sum(read_numbers(dimension, DIMENSION_SIZE)) for dimension in messages]


def _attribute(name: str, numbers: list[int]) -> bytes:
    parts = [write_bytes(NAME, name.encode()), *(write_number(NUMBERS, number) for number in numbers)]
    return b"".join([*parts, write_number(KIND, LIST_OF_NUMBERS)])


def _holds_floats(tensor: bytes) -> bool:
    return read_numbers(tensor, DATA_TYPE) == [DATA_TYPES["float32"]] and len(read_bytes(tensor, RAW_DATA)) == 1


def _array(tensor: bytes) -> np.ndarray:
    (data,) = read_bytes(tensor, RAW_DATA)
    return np.frombuffer(data, "<f4").reshape(read_numbers(tensor, SIZE))


def _tensor(name: str, array: np.ndarray) -> bytes:
    sizes = [write_number(SIZE, size) for size in array.shape]
    kind = write_number(DATA_TYPE, DATA_TYPES[array.dtype.name])
    return b"".join([*sizes, kind, write_bytes(TENSOR_NAME, name.encode()), write_bytes(RAW_DATA, array.tobytes())])
