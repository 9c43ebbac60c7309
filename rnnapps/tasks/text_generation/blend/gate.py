"""How much a blend believes each context of n-grams."""

from __future__ import annotations

from typing import Any

import keras

from rnnapps.tasks.text_generation.blend.evidence import FEATURES
from rnnapps.types import Tensor

__all__ = ["GATE", "BlendGate"]

GATE = "blend"
"""Name of the layer."""


class BlendGate(keras.layers.Layer):
    """Owns the weights of a blend, and hands the network's scores on as they are.

    They are no part of the network's own training: they are fitted to held-out text after it, and saved with it.

    Args:
        order: length of the longest n-grams.
        **kwargs: of the Keras layer.

    Attributes:
        kernel: float32 `(contexts, features)`, from the context of one symbol on.
    """

    def __init__(self, order: int, **kwargs: Any) -> None:
        super().__init__(name=GATE, dtype="float32", **kwargs)
        self.order = order

    def build(self, scores_shape: Any) -> None:
        """Makes the weights; at first hardly any context is believed."""
        self.kernel = self.add_weight(
            name="kernel", shape=(self.order - 1, len(FEATURES)), initializer=_doubtful, trainable=False
        )

    def call(self, scores: Tensor) -> Tensor:
        """The scores themselves."""
        return scores


def _doubtful(shape: Any, dtype: Any = None) -> Tensor:
    """A bias of -4 for every context: it is believed by 2 %."""
    return keras.ops.concatenate(
        [keras.ops.full((shape[0], 1), -4.0, dtype), keras.ops.zeros((shape[0], shape[1] - 1), dtype)], 1
    )
