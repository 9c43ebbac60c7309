"""Batch normalisation over the rows of all workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.training.workers import Workers
from rnnapps.types import Tensor

__all__ = ["joint_moments", "normalised_layers"]


def normalised_layers(network: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The layers of a network whose training takes mean and variance from the rows of the batch."""
    layers = network._flatten_layers()
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


@contextmanager
def joint_moments(network: keras.Model, workers: Workers) -> Iterator[None]:
    """Inside, batch normalisation takes its moments from the rows of all workers, which have as many each.

    Two sums a layer, forwards, and two for their gradients: of the values, and of the squares of what they differ by
    from their mean, as one process computes them.

    Raises:
        ConfigError: inside, where a layer's inputs are masked.
    """
    layers = normalised_layers(network)
    try:
        for layer in layers:
            assert callable(layer._moments)
            layer.__dict__["_moments"] = _moments(layer, workers)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("_moments", None)


def _moments(layer: keras.layers.BatchNormalization, workers: Workers) -> Callable[..., tuple[Tensor, Tensor]]:
    """What stands for the layer's own method of this name."""

    def moments(inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        if mask is not None:
            raise ConfigError(
                f"training.strategy multiworker: {layer.name} normalises masked inputs; train with single"
            )
        axes = [axis for axis in range(inputs.shape.rank) if axis != layer.axis % inputs.shape.rank]
        mean = _mean_over(workers, tf.reduce_mean(inputs, axes, keepdims=True))
        variance = _mean_over(workers, tf.reduce_mean(tf.square(inputs - mean), axes))
        return tf.reshape(mean, tf.shape(variance)), variance

    return moments


def _mean_over(workers: Workers, value: Tensor) -> Tensor:
    """The mean over the workers; its gradient is that of the sum of their losses."""

    @tf.custom_gradient
    def mean(own: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        return workers.sum(own) / workers.count, lambda upstream: workers.sum(upstream) / workers.count

    return mean(value)
