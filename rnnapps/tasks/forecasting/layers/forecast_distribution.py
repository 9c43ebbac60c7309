"""From a network's numbers to a mean and quantiles, in the units of the window."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor

__all__ = [
    "SMALLEST_SCALE",
    "ConformalShift",
    "ForecastDistribution",
    "negative_binomial_quantile",
    "parameter_count",
    "student_quantile",
]

SMALLEST_SCALE = 1e-4
LEAST_FREEDOM, MOST_FREEDOM = 2.0, 1000.0
BISECTIONS = 32


def parameter_count(distribution: str, quantiles: Sequence[float]) -> int:
    """How many numbers a distribution needs for each forecast value."""
    return {"quantiles": 1 + len(quantiles), "gaussian": 2, "student_t": 3, "negative_binomial": 2}[distribution]


@keras.saving.register_keras_serializable(package="rnnapps")
class ForecastDistribution(keras.layers.Layer):
    """Mean and quantiles of each forecast value, in the units in which centre and spread are given.

    - "quantiles": the mean, and for each quantile its distance from the mean; sorted when not training.
    - "gaussian": mean and deviation.
    - "student_t": location, scale and degrees of freedom, above 2 so that there is a variance.
    - "negative_binomial": mean and dispersion a of counts with variance mean + a * mean^2 (Salinas et al. 2020,
      "DeepAR", section 3.1).

    Args:
        distribution: one of the above.
        quantiles: probabilities.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, distribution: str, quantiles: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.distribution, self.quantiles = distribution, tuple(quantiles)

    def call(self, numbers: Tensor, centre: Tensor, spread: Tensor, training: bool = False) -> dict[str, Tensor]:
        """Reads the network's numbers.

        Args:
            numbers: `(batch, horizon, channels, parameters)`.
            centre: `(batch, 1, channels)`.
            spread: `(batch, 1, channels)`.
            training: leave quantiles unsorted.

        Returns:
            "mean" `(batch, horizon, channels)`, "quantiles" `(batch, horizon, channels, quantiles)`, "spread", and the
            distribution's parameters: "scale", "freedom", "dispersion".
        """
        location = numbers[..., 0] * spread + centre
        outputs = {"mean": location, "spread": spread}
        if self.distribution == "quantiles":
            # The mean learns from the squared error alone: pinball losses reach the distances only.
            distances = numbers[..., 1:] * spread[..., None]
            values = tf.stop_gradient(location)[..., None] + distances
            return {**outputs, "quantiles": values if training else tf.sort(values, axis=-1)}
        positive = tf.math.softplus(numbers[..., 1]) + SMALLEST_SCALE
        if self.distribution == "negative_binomial":
            mean = tf.math.softplus(location) + SMALLEST_SCALE
            quantiles = negative_binomial_quantile(mean, positive, self.quantiles)
            return {"mean": mean, "spread": spread, "dispersion": positive, "quantiles": quantiles}
        scale = positive * spread
        if self.distribution == "gaussian":
            factors = [statistics.NormalDist().inv_cdf(level) for level in self.quantiles]
            quantiles = location[..., None] + scale[..., None] * tf.constant(factors, location.dtype)
            return {**outputs, "scale": scale, "quantiles": quantiles}
        freedom = tf.minimum(LEAST_FREEDOM + 0.01 + tf.math.softplus(numbers[..., 2]), MOST_FREEDOM)
        quantiles = location[..., None] + scale[..., None] * student_quantile(freedom, self.quantiles)
        return {**outputs, "scale": scale, "freedom": freedom, "quantiles": quantiles}

    def compute_output_shape(
        self, numbers_shape: Sequence[int | None], centre_shape: object = None, spread_shape: Sequence[int | None] = ()
    ) -> dict[str, tuple[int | None, ...]]:
        """Shapes of what `call` returns."""
        point = tuple(numbers_shape[:-1])
        shapes = {"mean": point, "spread": tuple(spread_shape), "quantiles": (*point, len(self.quantiles))}
        names = {"gaussian": ("scale",), "student_t": ("scale", "freedom"), "negative_binomial": ("dispersion",)}
        return shapes | dict.fromkeys(names.get(self.distribution, ()), point)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"distribution": self.distribution, "quantiles": list(self.quantiles)}


@keras.saving.register_keras_serializable(package="rnnapps")
class ConformalShift(keras.layers.Layer):
    """Moves quantiles by what held-out windows have shown them to be off by.

    The shift is kept in units of each window's spread, for each step of the horizon and each channel, among the weights
    of the network; training neither sees nor changes it. Source: Romano et al. 2019, "Conformalized Quantile
    Regression", section 4, here for each quantile by itself.

    Args:
        least: quantiles never go below this; for counts.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, *, least: float = -math.inf, **kwargs: Any) -> None:
        kwargs.pop("trainable", None)
        super().__init__(trainable=False, **kwargs)
        self.least = least

    def build(self, quantiles_shape: Sequence[int | None], spread_shape: object = None) -> None:
        """Makes the shift, zero at first."""
        self.shift = self.add_weight(
            name="shift", shape=tuple(quantiles_shape[1:]), initializer="zeros", trainable=False, dtype="float32"
        )

    def call(self, quantiles: Tensor, spread: Tensor, training: bool = False) -> Tensor:
        """Shifts quantiles `(batch, horizon, channels, quantiles)`; spread is `(batch, 1, channels)`."""
        if training:
            return quantiles
        moved = quantiles + tf.convert_to_tensor(self.shift)[None] * spread[..., None]
        ordered = tf.sort(moved, axis=-1)
        return ordered if math.isinf(self.least) else tf.maximum(ordered, tf.cast(self.least, ordered.dtype))

    def compute_output_shape(
        self, quantiles_shape: tuple[int | None, ...], spread_shape: object = None
    ) -> tuple[int | None, ...]:
        """The shape of the quantiles."""
        return quantiles_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        config.pop("trainable", None)
        return config | {"least": self.least}


def student_quantile(freedom: Tensor, levels: Sequence[float]) -> Tensor:
    """Quantiles of Student's t with location 0 and scale 1, read off a table within 0.02 %.

    Args:
        freedom: degrees of freedom `(...)`, from 2 to 1,000.
        levels: probabilities.

    Returns:
        `(..., levels)`.
    """
    table = _student_table(tuple(levels))
    rows = len(table) - 1
    # Quantiles are nearly straight in 1 / freedom, and the table is evenly spaced in it.
    low, high = 1 / MOST_FREEDOM, 1 / LEAST_FREEDOM
    position = tf.clip_by_value((1 / freedom - low) / (high - low) * rows, 0.0, float(rows))
    below = tf.minimum(tf.cast(tf.floor(position), tf.int32), rows - 1)
    share = (position - tf.cast(below, position.dtype))[..., None]
    constant = tf.constant(table, tf.float32)
    return tf.gather(constant, below) * (1 - share) + tf.gather(constant, below + 1) * share


@functools.cache
def _student_table(levels: tuple[float, ...]) -> Array:
    """Quantiles `(rows, levels)` for degrees of freedom whose inverses are evenly spaced."""
    from scipy import stats

    inverse = np.linspace(1 / MOST_FREEDOM, 1 / LEAST_FREEDOM, 400)
    return np.asarray(stats.t.ppf(np.array(levels)[None, :], 1 / inverse[:, None]))


def negative_binomial_quantile(mean: Tensor, dispersion: Tensor, levels: Sequence[float]) -> Tensor:
    """The smallest counts whose probability of not being exceeded reaches each level; without gradient.

    Args:
        mean: `(...)`, above 0.
        dispersion: `(...)`, above 0: the variance is mean + dispersion * mean^2.
        levels: probabilities.

    Returns:
        Whole numbers, float32 `(..., levels)`.
    """
    # With size r = 1 / dispersion and p = r / (r + mean), P(count <= k) = I_p(r, k + 1), the regularised incomplete
    # beta function. All tensors take the shape (..., levels), because betainc does not broadcast.
    mean, dispersion = tf.stop_gradient(mean)[..., None], tf.stop_gradient(dispersion)[..., None]
    wanted = tf.constant(list(levels), mean.dtype) + tf.zeros_like(mean)
    size = 1 / dispersion
    success = size / (size + mean) + tf.zeros_like(wanted)
    size = size + tf.zeros_like(wanted)
    # Bisection keeps P(count <= low) < level <= P(count <= high); 30 deviations above the mean are far enough.
    low = -tf.ones_like(wanted)
    high = tf.math.ceil(mean + 30 * tf.sqrt(mean + dispersion * mean**2) + 30) + tf.zeros_like(wanted)
    for _ in range(BISECTIONS):
        middle = tf.floor((low + high) / 2)
        reached = tf.math.betainc(size, middle + 1, success) >= wanted
        reached = reached & (middle >= 0)
        low, high = tf.where(reached, low, middle), tf.where(reached, middle, high)
    return high
