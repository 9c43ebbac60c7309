"""The number formats that pass through TensorFlow Serving's REST and gRPC interfaces."""

from __future__ import annotations

import numpy as np

__all__ = ["DT_INVALID", "DT_STRING", "NUMPY_TYPES", "SERVABLE_TYPES", "TYPE_NAMES"]

DT_INVALID = 0
DT_STRING = 7

# Numbers of the enum DataType in tensorflow/core/framework/types.proto.
NUMPY_TYPES: dict[int, np.dtype[np.generic]] = {
    1: np.dtype("float32"),
    2: np.dtype("float64"),
    3: np.dtype("int32"),
    4: np.dtype("uint8"),
    5: np.dtype("int16"),
    6: np.dtype("int8"),
    9: np.dtype("int64"),
    10: np.dtype("bool"),
    22: np.dtype("uint32"),
    23: np.dtype("uint64"),
}

TYPE_NAMES: dict[int, str] = {
    DT_STRING: "string",
    14: "bfloat16",
    19: "float16",
    20: "resource",
    21: "variant",
    **{number: dtype.name for number, dtype in NUMPY_TYPES.items()},
}

# What the REST interface can read and write as JSON.
SERVABLE_TYPES = frozenset({DT_STRING, *NUMPY_TYPES})
