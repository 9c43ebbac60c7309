"""The contract of a dense cell whose step takes as long as the time since the step before."""

from __future__ import annotations

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.types import Tensor

__all__ = ["TimedDenseCell", "elapsed_of"]


class TimedDenseCell(DenseCell):
    """Base class of dense cells in continuous time: `update` gets x W + b and the time since the step before.

    `Recurrent` takes that time as `elapsed` `(batch, time)`; it is 1 by default.
    """

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns x W + b `(..., blocks * units)` and the time since the step before `(..., 1)`."""
        return super().project(inputs, training=training), elapsed_of(inputs, elapsed, self.compute_dtype)


def elapsed_of(inputs: Tensor, elapsed: Tensor | None, dtype: str) -> Tensor:
    """The time since the step before `(..., 1)` of inputs `(..., features)`: 1 where it is not given."""
    if elapsed is None:
        return keras.ops.ones((*tuple(keras.ops.shape(inputs))[:-1], 1), dtype=dtype)
    return elapsed
