"""Averages of weights over the updates: what is evaluated, kept and exported, while training goes on beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf

from rnnapps.types import Size

__all__ = ["WeightAverages"]

WARM_UP = 10


class WeightAverages:
    """Exponential averages of trainable weights.

        average <- d average + (1 - d) weight,    d = min(decay, (1 + n) / (10 + n)) at update n

    Early averages forget quickly, so that what an untrained network began with does not linger.

    Weights and averages change places in `shown`, where a network is looked at: validated, sampled from, saved. A
    checkpoint therefore holds the averages as the network's own weights, for whoever opens it, and beside them, as
    `trained`, what the next update starts from.

    Source: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging"; the exponential form with
    the short memory at first is that of `tf.train.ExponentialMovingAverage`.

    Args:
        weights: the trainable weights of the network.
        decay: share of an average that an update leaves, 0 to below 1; 0 for no averages.
    """

    def __init__(self, weights: Sequence[keras.Variable], decay: float) -> None:
        self.decay = decay
        self.weights = list(weights) if decay else []
        self.spare = [
            keras.Variable(tf.identity(weight.value), dtype=weight.dtype, trainable=False, name=f"average_{number}")
            for number, weight in enumerate(self.weights)
        ]

    @property
    def trained(self) -> list[keras.Variable]:
        """Inside `shown`, what training goes on from; a checkpoint needs it."""
        return self.spare

    def update(self, updates: Size) -> None:
        """Moves the averages on, in graph, after so many updates of the weights."""
        for average, weight in zip(self.spare, self.weights, strict=True):
            count = tf.cast(updates, weight.dtype)
            decay = tf.minimum(tf.cast(self.decay, weight.dtype), (1 + count) / (WARM_UP + count))
            average.assign(weight.value + decay * (average.value - weight.value))

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """The network has the averages as its weights, for a while."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for average, weight in zip(self.spare, self.weights, strict=True):
            kept = tf.identity(weight.value)
            weight.assign(average.value)
            average.assign(kept)
