"""Initial values that several cells share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.types import Initializer, Tensor

__all__ = ["GateConstants", "OneGateConstant"]


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


@keras.saving.register_keras_serializable(package="rnnapps")
class OneGateConstant(keras.initializers.Initializer):
    """Fills a bias made of equal blocks, one a gate, by another initialiser, but one block with a constant.

    Args:
        initializer: fills the other blocks.
        blocks: number of blocks.
        place: which one is constant, from 0.
        value: the constant.
    """

    def __init__(self, initializer: Initializer, *, blocks: int, place: int, value: float) -> None:
        self.initializer = keras.initializers.get(initializer)
        self.blocks, self.place, self.value = blocks, place, float(value)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the bias `(..., blocks * units)`."""
        parts = keras.ops.split(self.initializer(shape, dtype=dtype), self.blocks, axis=-1)
        parts[self.place] = keras.ops.full_like(parts[self.place], self.value)
        return keras.ops.concatenate(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        inner = keras.initializers.serialize(self.initializer)
        return {"initializer": inner, "blocks": self.blocks, "place": self.place, "value": self.value}
