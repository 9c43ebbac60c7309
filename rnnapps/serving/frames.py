"""What the server and the processes of its models say to each other: frames of msgpack, which holds data only."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np

from rnnapps.types import Array

__all__ = ["HEADER_BYTES", "body_bytes", "decode", "encode"]

_HEADER = struct.Struct("<Q")
HEADER_BYTES = _HEADER.size
_NUMBERS, _STRINGS = 1, 2


def encode(message: Mapping[str, Any]) -> bytes:
    """A frame: its length in 8 bytes, then the message, in which arrays may stand anywhere."""
    body: bytes = msgpack.packb(message, default=_pack_array)
    return _HEADER.pack(len(body)) + body


def body_bytes(header: bytes) -> int:
    """The length of the message behind a header."""
    length: int = _HEADER.unpack(header)[0]
    return length


def decode(body: bytes) -> dict[str, Any]:
    """The message of a frame; raises ValueError for what is none."""
    message: dict[str, Any] = msgpack.unpackb(body, ext_hook=_unpack_array, strict_map_key=True)
    return message


def _pack_array(value: object) -> msgpack.ExtType:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} cannot be sent")
    if value.dtype == object:
        return msgpack.ExtType(_STRINGS, msgpack.packb([value.shape, value.ravel().tolist()]))
    return msgpack.ExtType(_NUMBERS, msgpack.packb([value.shape, value.dtype.str, value.tobytes()]))


def _unpack_array(code: int, content: bytes) -> Array:
    parts = msgpack.unpackb(content)
    if code == _NUMBERS:
        shape, dtype, values = parts
        return np.frombuffer(values, np.dtype(dtype)).reshape(shape)
    if code != _STRINGS:
        raise ValueError(f"extension {code} is unknown")
    shape, strings = parts
    array = np.empty(len(strings), dtype=object)
    array[:] = strings
    return array.reshape(shape)
