"""Stores a model's weights in half precision, for downloads: half the size, and the same answers.

Only the bytes of the ONNX file are rewritten. With the `onnx` package this could only be done where models are
compiled, and a second file beside each `export.onnx` could become stale.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .classes import BYTES, FIXED_32, FIXED_64, VARINT

MIN_WEIGHTS = 1024  # of an array; smaller ones stay exact, since they take no room
GRAPH = 7  # field of ModelProto in onnx.proto
NODE, INITIALIZER = 1, 5  # of GraphProto
DIMENSIONS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9  # of TensorProto
INPUT, OUTPUT, OP_TYPE, ATTRIBUTE = 1, 2, 4, 5  # of NodeProto
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_TYPE = 1, 3, 20  # of AttributeProto
FLOAT, FLOAT16 = 1, 10  # TensorProto.DataType
INT = 2  # AttributeProto.AttributeType
HALF = ".half"


class Field(NamedTuple):
    """A field of a protobuf message: its number, its value, and its bytes in the message."""

    number: int
    value: int | bytes
    raw: bytes


def halve_weights(model: bytes) -> bytes:
    """An ONNX model with its weights as float16, each followed by a Cast to float32. Raises ValueError if it isn't one.

    Weights that half precision can't hold, and everything else, stay as they are.
    """
    return b"".join(
        _bytes(GRAPH, _halve_graph(value)) if number == GRAPH and isinstance(value, bytes) else raw
        for number, value, raw in _fields(model)
    )


def _halve_graph(graph: bytes) -> bytes:
    casts, rest = [], []
    for number, value, raw in _fields(graph):
        halved = _halve(value) if number == INITIALIZER and isinstance(value, bytes) else None
        if halved:
            name, tensor = halved
            casts.append(_bytes(NODE, _cast(name)))
            rest.append(_bytes(INITIALIZER, tensor))
        else:
            rest.append(raw)
    return b"".join(casts + rest)  # a node must come after those it needs


def _halve(tensor: bytes) -> tuple[bytes, bytes] | None:
    """The tensor's name, and the tensor in half precision under another; None if it should stay as it is."""
    fields = {field.number: field.value for field in _fields(tensor)}
    name, data = fields.get(NAME), fields.get(RAW_DATA)
    if fields.get(DATA_TYPE) != FLOAT or not isinstance(name, bytes) or not isinstance(data, bytes):
        return None
    weights = np.frombuffer(data, "<f4")
    with np.errstate(over="ignore"):
        half = weights.astype("<f2")
    if weights.size < MIN_WEIGHTS or not np.isfinite(half).all():
        return None
    dimensions = b"".join(field.raw for field in _fields(tensor) if field.number == DIMENSIONS)
    new = [_number(DATA_TYPE, FLOAT16), _bytes(NAME, name + HALF.encode()), _bytes(RAW_DATA, half.tobytes())]
    return name, dimensions + b"".join(new)


def _cast(name: bytes) -> bytes:
    to = _bytes(ATTRIBUTE_NAME, b"to") + _number(ATTRIBUTE_INT, FLOAT) + _number(ATTRIBUTE_TYPE, INT)
    ends = _bytes(INPUT, name + HALF.encode()) + _bytes(OUTPUT, name)
    return ends + _bytes(OP_TYPE, b"Cast") + _bytes(ATTRIBUTE, to)


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
