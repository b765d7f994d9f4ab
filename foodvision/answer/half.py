"""Takes the weights out of a model, in half precision, for downloads: half the size, and the same answers.

Only the bytes of the ONNX file are rewritten. With the `onnx` package this could only be done where models are
compiled, and a second file beside each `export.onnx` could become stale.
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np

from .protobuf import BYTES, VARINT, Field, read_fields, write_field

MIN_WEIGHTS = 1024  # of an array; smaller ones stay exact, since they take no room
GRAPH = 7  # field of ModelProto in onnx.proto
INITIALIZER = 5  # of GraphProto
DATA_TYPE, RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 2, 9, 13, 14  # of TensorProto
KEY, VALUE = 1, 2  # of StringStringEntryProto
FLOAT = 1  # TensorProto.DataType
EXTERNAL = 1  # TensorProto.DataLocation
WEIGHTS = "weights"


def take_weights(model: bytes) -> tuple[bytes, bytes]:
    """An ONNX model without its weights, and those as float16, one array after the other. Raises ValueError.

    The model says where each array is, in float32, in a file that it calls `WEIGHTS`: twice as far in as in float16.
    Weights that half precision can't hold, and everything else, stay in the model.
    """
    weights = bytearray()
    rest = _replaced(model, GRAPH, lambda graph: _replaced(graph, INITIALIZER, lambda tensor: _take(tensor, weights)))
    return rest, bytes(weights)


def _replaced(message: bytes, number: int, replace: Callable[[bytes], bytes]) -> bytes:
    """The message with `replace` applied to each of its fields with this number."""
    return b"".join(
        _bytes(number, replace(field.value))
        if field.number == number and isinstance(field.value, bytes)
        else write_field(field)
        for field in read_fields(BytesIO(message))
    )


def _take(tensor: bytes, weights: bytearray) -> bytes:
    """The tensor after its weights have been moved to the end of `weights`."""
    fields = list(read_fields(BytesIO(tensor)))
    values = {field.number: field.value for field in fields}
    data = values.get(RAW_DATA)
    if values.get(DATA_TYPE) != FLOAT or not isinstance(data, bytes):
        return tensor
    exact = np.frombuffer(data, "<f4")
    with np.errstate(over="ignore"):
        half = exact.astype("<f2")
    if exact.size < MIN_WEIGHTS or not np.isfinite(half).all():
        return tensor
    place = {"location": WEIGHTS, "offset": str(2 * len(weights)), "length": str(exact.nbytes)}
    weights += half.tobytes()
    kept = [write_field(field) for field in fields if field.number != RAW_DATA]
    entries = [_bytes(KEY, key.encode()) + _bytes(VALUE, value.encode()) for key, value in place.items()]
    moved = [*(_bytes(EXTERNAL_DATA, entry) for entry in entries), write_field(Field(DATA_LOCATION, VARINT, EXTERNAL))]
    return b"".join([*kept, *moved])


def _bytes(number: int, content: bytes) -> bytes:
    return write_field(Field(number, BYTES, content))
