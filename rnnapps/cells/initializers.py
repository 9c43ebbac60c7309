"""Initial values that several cells share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.types import Tensor

__all__ = ["GateConstants"]


@keras.saving.register_keras_serializable(package="rnnapps")
class GateConstants(keras.initializers.Initializer):
    """Fills a bias made of equal blocks, one a gate, with one constant a block.

    `GateConstants([0, 1, 0, 0])` is the unit forget bias of an LSTM (Jozefowicz et al. 2015).
    """

    def __init__(self, values: Sequence[float]) -> None:
        self.values = [float(value) for value in values]

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the bias `(gates * units,)`."""
        return keras.ops.repeat(keras.ops.convert_to_tensor(self.values, dtype), shape[-1] // len(self.values))

    def get_config(self) -> dict[str, Any]:
        """The constants."""
        return {"values": self.values}
