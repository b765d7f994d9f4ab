"""Reads and writes the fields of protobuf messages, such as ONNX models, as bytes.

The `onnx` package, which could do this, is only installed where models are compiled. The protobuf package would copy
all weights into the server's memory, twice, and take a thousand times as long.
"""

from collections.abc import Container, Iterator
from mmap import mmap
from typing import NamedTuple

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5  # wire types


class Field(NamedTuple):
    """A field of a protobuf message: its number, its value, and its bytes in the message."""

    number: int
    value: int | bytes
    raw: bytes


def read_fields(message: bytes | mmap, wanted: Container[int] | None = None) -> Iterator[Field]:
    """A message's fields in their order, or only those with a wanted number. Raises ValueError if it is no message.

    Of a mapped file, only the fields that are wanted are read into memory.
    """
    at = 0
    while at < len(message):
        start = at
        tag, at = _read_varint(message, at)
        number, kind = tag >> 3, tag & 7
        size = whole = 0
        if kind == VARINT:
            whole, at = _read_varint(message, at)
        elif kind == BYTES:
            size, at = _read_varint(message, at)
        elif kind in (FIXED_32, FIXED_64):
            size = 4 if kind == FIXED_32 else 8
        else:
            raise ValueError("This is not an ONNX model.")
        at += size
        if at > len(message):
            raise ValueError("This is not an ONNX model, or it is cut short.")
        if wanted is None or number in wanted:
            yield Field(number, whole if kind == VARINT else message[at - size : at], message[start:at])


def read_bytes(message: bytes, number: int) -> list[bytes]:
    """The values of a repeated field that holds texts, arrays or messages."""
    return [field.value for field in read_fields(message) if field.number == number and isinstance(field.value, bytes)]


def read_numbers(message: bytes, number: int) -> list[int]:
    """The values of a repeated field that holds whole numbers."""
    return [field.value for field in read_fields(message) if field.number == number and isinstance(field.value, int)]


def write_number(number: int, value: int) -> bytes:
    """A field that holds a whole number, which isn't negative."""
    return _write_varint(number << 3 | VARINT) + _write_varint(value)


def write_bytes(number: int, value: bytes) -> bytes:
    """A field that holds a text, an array or a message."""
    return _write_varint(number << 3 | BYTES) + _write_varint(len(value)) + value


def _read_varint(message: bytes | mmap, at: int) -> tuple[int, int]:
    """A number, seven bits per byte, and the place after it."""
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("This is not an ONNX model, or it is cut short.")


def _write_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
