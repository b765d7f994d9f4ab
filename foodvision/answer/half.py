"""Takes the weights out of a model, in half precision, for downloads: half the size, and the same answers.

Only the bytes of the ONNX file are rewritten. With the `onnx` package this could only be done where models are
compiled, and a second file beside each `export.onnx` could become stale.
"""

import numpy as np

from .protobuf import read_fields, write_bytes, write_number

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
    rest = [
        write_bytes(GRAPH, _take_from(value, weights)) if number == GRAPH and isinstance(value, bytes) else raw
        for number, value, raw in read_fields(model)
    ]
    return b"".join(rest), bytes(weights)


def _take_from(graph: bytes, weights: bytearray) -> bytes:
    """The graph after its weights have been moved to the end of `weights`."""
    return b"".join(
        write_bytes(INITIALIZER, _take(value, weights)) if number == INITIALIZER and isinstance(value, bytes) else raw
        for number, value, raw in read_fields(graph)
    )


def _take(tensor: bytes, weights: bytearray) -> bytes:
    fields = {field.number: field.value for field in read_fields(tensor)}
    data = fields.get(RAW_DATA)
    if fields.get(DATA_TYPE) != FLOAT or not isinstance(data, bytes):
        return tensor
    exact = np.frombuffer(data, "<f4")
    with np.errstate(over="ignore"):
        half = exact.astype("<f2")
    if exact.size < MIN_WEIGHTS or not np.isfinite(half).all():
        return tensor
    place = {"location": WEIGHTS, "offset": str(2 * len(weights)), "length": str(exact.nbytes)}
    weights += half.tobytes()
    kept = b"".join(field.raw for field in read_fields(tensor) if field.number != RAW_DATA)
    entries = (write_bytes(KEY, key.encode()) + write_bytes(VALUE, value.encode()) for key, value in place.items())
    return (
        kept + b"".join(write_bytes(EXTERNAL_DATA, entry) for entry in entries) + write_number(DATA_LOCATION, EXTERNAL)
    )
