"""Reads and writes the fields of protobuf messages, such as an ONNX file's, without loading those that aren't wanted.

The protobuf package would copy all weights into the server's memory, twice, and take a thousand times as long.
"""

import os
from collections.abc import Container, Iterator
from typing import BinaryIO, NamedTuple

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5  # wire types
FIXED_BYTES = {FIXED_64: 8, FIXED_32: 4}
MAX_SIZE = 2**31 - 1  # bytes, of any message
MAX_SHIFT = 63  # of the last seven bits in a number of 64
NOT_A_MODEL = "This is not an ONNX model, or it is cut short."


class Field(NamedTuple):
    """A field: its number, its wire type, and its value, which is an integer if the type is VARINT."""

    number: int
    kind: int
    value: int | bytes


def read_fields(file: BinaryIO, wanted: Container[int] | None = None) -> Iterator[Field]:
    """The fields of a message that have a wanted number; without `wanted`, all. Raises ValueError."""
    while (tag := _read_number(file)) is not None:
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value: int | bytes = _read_size(file)
        elif kind == BYTES or kind in FIXED_BYTES:
            size = FIXED_BYTES.get(kind) or _read_size(file)
            if size > MAX_SIZE:
                raise ValueError(NOT_A_MODEL)
            if wanted is not None and number not in wanted:
                file.seek(size, os.SEEK_CUR)
                continue
            value = file.read(size)
            if len(value) < size:
                raise ValueError(NOT_A_MODEL)
        else:
            raise ValueError(NOT_A_MODEL)
        if wanted is None or number in wanted:
            yield Field(number, kind, value)


def write_field(field: Field) -> bytes:
    """A field as it stands in a message."""
    tag = _write_number(field.number << 3 | field.kind)
    if isinstance(field.value, int):
        return tag + _write_number(field.value)
    size = _write_number(len(field.value)) if field.kind == BYTES else b""
    return tag + size + field.value


def _read_size(file: BinaryIO) -> int:
    number = _read_number(file)
    if number is None:
        raise ValueError(NOT_A_MODEL)
    return number


def _read_number(file: BinaryIO) -> int | None:
    """The next number, seven bits per byte; None at the end of the file."""
    value = shift = 0
    while byte := file.read(1):
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
        if shift > MAX_SHIFT:
            raise ValueError(NOT_A_MODEL)
    if shift:
        raise ValueError(NOT_A_MODEL)
    return None


def _write_number(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
