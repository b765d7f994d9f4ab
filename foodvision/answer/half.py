"""Takes the weights out of a model, in half precision, for downloads: half the size, and the same answers.

Only the bytes of the ONNX file are rewritten. With the `onnx` package this could only be done where models are
compiled, and a second file beside each `export.onnx` could become stale.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .classes import BYTES, FIXED_32, FIXED_64, VARINT

MIN_WEIGHTS = 1024  # of an array; smaller ones stay exact, since they take no room
GRAPH = 7  # field of ModelProto in onnx.proto
INITIALIZER = 5  # of GraphProto
DATA_TYPE, RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 2, 9, 13, 14  # of TensorProto
KEY, VALUE = 1, 2  # of StringStringEntryProto
FLOAT = 1  # TensorProto.DataType
EXTERNAL = 1  # TensorProto.DataLocation
WEIGHTS = "weights"


class Field(NamedTuple):
    """A field of a protobuf message: its number, its value, and its bytes in the message."""

    number: int
    value: int | bytes
    raw: bytes


def take_weights(model: bytes) -> tuple[bytes, bytes]:
    """An ONNX model without its weights, and those as float16, one array after the other. Raises ValueError.

    The model says where each array is, in float32, in a file that it calls `WEIGHTS`: twice as far in as in float16.
    Weights that half precision can't hold, and everything else, stay in the model.
    """
    weights = bytearray()
    rest = [
        _bytes(GRAPH, _take_from(value, weights)) if number == GRAPH and isinstance(value, bytes) else raw
        for number, value, raw in _fields(model)
    ]
    return b"".join(rest), bytes(weights)


def _take_from(graph: bytes, weights: bytearray) -> bytes:
    """The graph after its weights have been moved to the end of `weights`."""
    return b"".join(
        _bytes(INITIALIZER, _take(value, weights)) if number == INITIALIZER and isinstance(value, bytes) else raw
        for number, value, raw in _fields(graph)
    )


def _take(tensor: bytes, weights: bytearray) -> bytes:
    fields = {field.number: field.value for field in _fields(tensor)}
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
    kept = b"".join(field.raw for field in _fields(tensor) if field.number != RAW_DATA)
    entries = (_bytes(KEY, key.encode()) + _bytes(VALUE, value.encode()) for key, value in place.items())
    return kept + b"".join(_bytes(EXTERNAL_DATA, entry) for entry in entries) + _number(DATA_LOCATION, EXTERNAL)


def _fields(message: bytes) -> Iterator[Field]:
    at = 0
    while at < len(message):
        start = at
        tag, at = _read_varint(message, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes = b""
        if kind == VARINT:
            value, at = _read_varint(message, at)
        elif kind == BYTES:
            size, at = _read_varint(message, at)
            value, at = message[at : at + size], at + size
        elif kind in (FIXED_32, FIXED_64):
            at += 4 if kind == FIXED_32 else 8
        else:
            raise ValueError("This is not an ONNX model.")
        if at > len(message):
            raise ValueError("This is not an ONNX model, or it is cut short.")
        yield Field(number, value, message[start:at])


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """A number, seven bits per byte, and the place after it."""
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("This is not an ONNX model, or it is cut short.")


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | VARINT) + _varint(value)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
