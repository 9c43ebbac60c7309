"""What an endpoint's function may return."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from rnnapps.errors import ExportError

__all__ = ["NAME", "require_servable"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def require_servable(name: str, outputs: object, *, batch: int | None = None) -> None:
    """Raises ExportError unless the outputs of a signature are a dict of dense tensors that lead with the batch.

    Args:
        name: of the signature.
        outputs: what its function returned.
        batch: number of rows, where it is known; else the first dimension must be of any size.
    """
    if not isinstance(outputs, Mapping) or not outputs:
        raise ExportError(f"signature {name!r}: returns {type(outputs).__name__}; return a dict of named tensors")
    for key, value in outputs.items():
        where = f"signature {name!r}, output {key!r}"
        if not isinstance(key, str) or not NAME.fullmatch(key):
            raise ExportError(f"{where}: letters, digits and underscores only, a letter first")
        if isinstance(value, tf.RaggedTensor | tf.SparseTensor):
            kind = "ragged" if isinstance(value, tf.RaggedTensor) else "sparse"
            raise ExportError(f"{where}: is {kind}; return a dense tensor (`to_tensor()`) and its lengths")
        if not tf.is_tensor(value) and not isinstance(value, np.ndarray):
            raise ExportError(f"{where}: is {type(value).__name__}; return a tensor")
        _require_batch(where, tf.TensorShape(value.shape), batch)


def _require_batch(where: str, shape: tf.TensorShape, batch: int | None) -> None:
    """Raises ExportError for an output whose first dimension is not the batch."""
    if shape.rank is None:
        raise ExportError(f"{where}: has an unknown number of dimensions; call set_shape on it")
    if not shape.rank:
        raise ExportError(f"{where}: is a scalar; every input and output leads with the batch dimension")
    if batch is not None and shape[0] != batch:
        raise ExportError(f"{where}: shape {tuple(shape)} for a batch of {batch}; lead with the batch dimension")
    if batch is None and shape[0] is not None and not tf.executing_eagerly():
        raise ExportError(
            f"{where}: has a fixed first dimension of {shape[0]}; it must be the batch dimension, of any size"
        )
