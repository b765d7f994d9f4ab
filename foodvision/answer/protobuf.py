"""Reads and writes the fields of protobuf messages, such as ONNX models, as bytes.

The `onnx` package, which could do this, is only installed where models are compiled.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .classes import BYTES, FIXED_32, FIXED_64, VARINT


class Field(NamedTuple):
    """A field of a protobuf message: its number, its value, and its bytes in the message."""

    number: int
    value: int | bytes
    raw: bytes


def read_fields(message: bytes) -> Iterator[Field]:
    """A message's fields in their order. Raises ValueError if it is no message."""
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


def _write_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
