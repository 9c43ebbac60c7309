"""Activations of gates that stand side by side."""

from __future__ import annotations

from collections.abc import Callable

import keras

from rnnapps.types import Tensor, Tensors

__all__ = ["activated_blocks"]


def activated_blocks(activation: Callable[[Tensor], Tensor], values: Tensor, blocks: int) -> Tensors:
    """Cuts `(..., blocks * units)` into blocks `(..., units)`, each activated.

    The sigmoid runs over the whole row, a part of it for nothing: XLA computes slices of it several times, and slower.
    Another activation may look at a whole block, as softmax does.
    """
    if activation is keras.activations.sigmoid:
        return list(keras.ops.split(keras.ops.sigmoid(values), blocks, axis=-1))
    return [activation(block) for block in keras.ops.split(values, blocks, axis=-1)]
