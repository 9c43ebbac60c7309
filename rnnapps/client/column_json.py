"""Arrays as the JSON of TensorFlow Serving's REST interface has them, by columns, and back."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeAlias

import numpy as np

from rnnapps.contract.served import ServedTensor
from rnnapps.types import Array

__all__ = ["Json", "from_json", "is_binary", "text_or_bytes", "to_json"]

Json: TypeAlias = Any
"""What JSON holds."""
BASE64 = "b64"
_BYTES_SUFFIX = "_bytes"


def to_json(array: Array) -> Json:
    """Nested lists; bytes as `{"b64": ...}`, text as text."""
    if array.dtype != object:
        return array.tolist()
    flat = np.empty(array.size, object)
    flat[:] = [_string(item) for item in array.ravel().tolist()]
    return flat.reshape(array.shape).tolist()


def from_json(name: str, value: Json, tensor: ServedTensor) -> Array:
    """An output.

    Args:
        name: of the output; where it ends in `_bytes`, its values are bytes, other strings are text.
        value: as the answer has it.
        tensor: what the signature says of it.

    Raises:
        ValueError: the value is nothing of that kind.
    """
    if tensor.dtype == "string":
        shape = _shape(value, len(tensor.shape))
        flat = [text_or_bytes(name, _decoded(item)) for item in _leaves(value, shape)]
        array = np.empty(len(flat), object)
        array[:] = flat
        return _filled(array.reshape(shape), tensor)
    return _filled(np.asarray(value, np.dtype(tensor.dtype)), tensor)


def is_binary(name: str) -> bool:
    """Whether an output's strings are bytes, and no text."""
    return name.endswith(_BYTES_SUFFIX)


def text_or_bytes(name: str, item: str | bytes) -> str | bytes:
    """A string of an output, as its name says; what should be text and is none stays bytes."""
    if is_binary(name):
        return item.encode() if isinstance(item, str) else item
    try:
        return item.decode() if isinstance(item, bytes) else item
    except UnicodeDecodeError:
        return item


def _string(item: str | bytes) -> Json:
    return {BASE64: base64.b64encode(item).decode()} if isinstance(item, bytes) else item


def _decoded(item: Json) -> str | bytes:
    if isinstance(item, dict) and set(item) == {BASE64}:
        try:
            return base64.b64decode(item[BASE64], validate=True)
        except (TypeError, binascii.Error) as error:
            raise ValueError(f"no base64 ({error})") from error
    if not isinstance(item, str):
        raise ValueError(f"{type(item).__name__} found, a string expected")
    return item


def _shape(value: Json, rank: int) -> tuple[int, ...]:
    """The size of each dimension of nested lists; of empty ones, only down to there."""
    shape: list[int] = []
    while len(shape) < rank and isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _leaves(value: Json, shape: tuple[int, ...]) -> list[Json]:
    """What stands in nested lists of that shape, in order."""
    level = [value]
    for size in shape:
        if any(not isinstance(item, list) or len(item) != size for item in level):
            raise ValueError("lists of different lengths")
        level = [inner for item in level for inner in item]
    return level


def _filled(array: Array, tensor: ServedTensor) -> Array:
    """The array with all of its dimensions: empty lists do not tell those below them."""
    if not array.size and array.ndim < len(tensor.shape):
        array = array.reshape(*array.shape, *(size or 0 for size in tensor.shape[array.ndim :]))
    fits = len(array.shape) == len(tensor.shape) and all(
        size in (None, found) for size, found in zip(tensor.shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"shape {list(array.shape)} found, {tensor.shape} expected")
    return array
