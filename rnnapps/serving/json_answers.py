"""Arrays to the body of a REST answer of TensorFlow Serving, by rows or by columns.

A number is written with the fewest digits that give the same float32 or float64 again.
"""

from __future__ import annotations

import base64
from typing import Literal

import numpy as np
import orjson

from rnnapps.serving.json_requests import BASE64, Json
from rnnapps.types import Array, Arrays

__all__ = ["answer_body", "error_body", "to_json"]

_BYTES_SUFFIX = "_bytes"


def answer_body(outputs: Arrays, layout: Literal["row", "column"]) -> bytes:
    """The answer; of a signature with one output, its values stand without the name."""
    values = {name: to_json(name, array) for name, array in sorted(outputs.items())}
    if layout == "column":
        columns = values if len(values) > 1 else next(iter(values.values()))
        return _dumped({"outputs": columns})
    if len(values) == 1:
        return _dumped({"predictions": next(iter(values.values()))})
    rows = zip(*(_rows(value) for value in values.values()), strict=True)
    return _dumped({"predictions": [dict(zip(values, row, strict=True)) for row in rows]})


def error_body(message: str) -> bytes:
    """The answer to what cannot be answered."""
    return orjson.dumps({"error": message.encode(errors="replace").decode()})


def to_json(name: str, array: Array) -> Json:
    """What stands for an array in JSON: itself if it holds numbers, else nested lists of text or of base64."""
    if array.dtype != object:
        return np.ascontiguousarray(array)
    encode = _base64 if name.endswith(_BYTES_SUFFIX) else _text
    flat = np.empty(array.size, dtype=object)
    flat[:] = [encode(item) for item in array.ravel().tolist()]
    return flat.reshape(array.shape).tolist()


def _rows(value: Json) -> Json:
    """The rows of an array or list; those of one number each as numbers."""
    return value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind != "f" else value


def _text(item: bytes) -> Json:
    """Text, or the bytes as they are where they are none."""
    try:
        return item.decode()
    except UnicodeDecodeError:
        return _base64(item)


def _base64(item: bytes) -> Json:
    return {BASE64: base64.b64encode(item).decode()}


def _dumped(values: Json) -> bytes:
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
