"""TensorProto messages to arrays and back, without Python TensorFlow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnapps.export.arrays import as_array
from rnnapps.export.dtypes import DT_STRING, NUMPY_TYPES
from rnnapps.types import Array

if TYPE_CHECKING:
    from tensorflow.core.framework.tensor_pb2 import TensorProto

__all__ = ["fill_proto", "from_proto"]

_NUMBERS = {dtype: number for number, dtype in NUMPY_TYPES.items()}
_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
}
"""Where a TensorProto lists values of a type; all others go into `int_val`."""


def from_proto(tensor: TensorProto) -> Array:
    """The values of a TensorProto, which may be packed bytes or a list whose last value repeats.

    Raises:
        KeyError: its type is none that is served.
        ValueError: its values do not fit its shape.
    """
    shape = tuple(dimension.size for dimension in tensor.tensor_shape.dim)
    if tensor.dtype == DT_STRING:
        return as_array(np.asarray(list(tensor.string_val), dtype=object)).reshape(shape)
    dtype = NUMPY_TYPES[tensor.dtype]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    listed = getattr(tensor, _FIELDS.get(dtype.name, "int_val"))
    values, size = np.fromiter(listed, dtype, len(listed)) if listed else np.zeros(1, dtype), math.prod(shape)
    if len(values) == size:
        return values.reshape(shape)
    if len(values) > max(size, 1):
        raise ValueError(f"{len(values)} values found for the shape {list(shape)}")
    return np.pad(values, (0, max(0, size - len(values))), mode="edge")[:size].reshape(shape)


def fill_proto(tensor: TensorProto, array: Array) -> None:
    """Puts an array into an empty TensorProto, its values listed one by one, as TensorFlow Serving does."""
    if array.dtype == object:
        tensor.dtype = DT_STRING
        tensor.string_val.extend(array.ravel().tolist())
    else:
        tensor.dtype = _NUMBERS[array.dtype]
        getattr(tensor, _FIELDS.get(array.dtype.name, "int_val")).extend(array.ravel().tolist())
    for size in array.shape:
        tensor.tensor_shape.dim.add().size = size
