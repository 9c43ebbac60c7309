"""Normalisation of one step's activations, as the layer-normalised cells use it."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["normalize"]


def normalize(values: Any, epsilon: float = 1e-5) -> Any:
    """Shifts and scales the last axis to mean 0 and variance 1, Ba et al. 2016 (arXiv:1607.06450), equation 3.

    The statistics are computed in float32 or better, so half precision loses nothing in them.

    Args:
        values: `(..., features)`.
        epsilon: added to the variance.
    """
    wide = keras.ops.cast(values, keras.backend.result_type(values.dtype, "float32"))
    centred = wide - keras.ops.mean(wide, axis=-1, keepdims=True)
    variance = keras.ops.mean(centred * centred, axis=-1, keepdims=True)
    return keras.ops.cast(centred * keras.ops.rsqrt(variance + epsilon), values.dtype)
