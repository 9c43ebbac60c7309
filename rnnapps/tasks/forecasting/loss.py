"""What a forecaster learns from: squared error and pinball loss, or the likelihood of a distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf

from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.types import NamedTensors, Tensor

__all__ = ["error_unit", "forecast_loss", "loss_unit", "pinball"]


LEAST_RATIO = 0.01
"""In window units, a window that varies by less than this share of what its series does counts as if by it."""


def forecast_loss(config: ForecastModelConfig, outputs: NamedTensors, targets: NamedTensors) -> Tensor:
    """Mean loss of the values that are present.

    - "quantiles": squared error of the mean plus the mean pinball loss of the quantiles (Koenker & Bassett 1978), in
      units of the deviation of each series and channel, or of each window's.
    - otherwise the negative log likelihood in nats, of values in the network's units.

    Args:
        config: distribution, quantiles and units of the loss.
        outputs: the network's.
        targets: {"values": `(batch, horizon, channels)` in the network's units, NaN where missing, "ratio": what these
            are in units of the series `(batch, 1, channels)`}.

    Returns:
        A scalar; 0 where nothing is present.
    """
    present = tf.math.is_finite(targets["values"])
    actual = tf.where(present, targets["values"], outputs["mean"])
    if config.distribution == "quantiles":
        unit = error_unit(config, targets["ratio"])
        losses = tf.square((outputs["mean"] - actual) * unit)
        losses += pinball(outputs["quantiles"], actual, config.quantiles) * unit
    else:
        losses = -_LIKELIHOODS[config.distribution](outputs, actual)
    weights = tf.cast(present, losses.dtype)
    return tf.reduce_sum(losses * weights) / tf.maximum(tf.reduce_sum(weights), 1.0)


def error_unit(config: ForecastModelConfig, ratio: Tensor) -> Tensor:
    """What an error in the network's units counts.

    Args:
        config: units of the loss.
        ratio: what the network's unit is in units of the series.
    """
    return ratio / tf.maximum(ratio, LEAST_RATIO) if config.loss_units == "window" else ratio


def pinball(quantiles: Tensor, actual: Tensor, levels: Sequence[float]) -> Tensor:
    """Mean over the quantiles `(..., levels)` of max(p (y - q), (p - 1)(y - q)); returns `(...)`."""
    distance = actual[..., None] - quantiles
    shares = tf.constant(list(levels), distance.dtype)
    return tf.reduce_mean(tf.maximum(shares * distance, (shares - 1) * distance), axis=-1)


def loss_unit(config: ForecastModelConfig) -> str:
    """What the loss is measured in, as names of metrics have it."""
    return "loss" if config.distribution == "quantiles" else "nats_per_value"


def _gaussian(outputs: NamedTensors, actual: Tensor) -> Tensor:
    """Of each value log N(y; m, s) = -(y - m)^2 / (2 s^2) - log s - log(2 pi) / 2."""
    distance = (actual - outputs["mean"]) / outputs["scale"]
    return -0.5 * tf.square(distance) - tf.math.log(outputs["scale"]) - 0.5 * math.log(2 * math.pi)


def _student_t(outputs: NamedTensors, actual: Tensor) -> Tensor:
    """Of each value log t = c(n) - log s - (n + 1) / 2 log(1 + z^2 / n), n degrees of freedom, z = (y - m) / s."""
    freedom, scale = outputs["freedom"], outputs["scale"]
    distance = (actual - outputs["mean"]) / scale
    constant = tf.math.lgamma((freedom + 1) / 2) - tf.math.lgamma(freedom / 2) - 0.5 * tf.math.log(math.pi * freedom)
    return constant - tf.math.log(scale) - (freedom + 1) / 2 * tf.math.log1p(tf.square(distance) / freedom)


def _negative_binomial(outputs: NamedTensors, actual: Tensor) -> Tensor:
    """Of each count the logarithm of G(y + r) / (G(r) y!) (r / (r + m))^r (m / (r + m))^y with r = 1 / dispersion."""
    mean, size = outputs["mean"], 1 / outputs["dispersion"]
    ways = tf.math.lgamma(actual + size) - tf.math.lgamma(size) - tf.math.lgamma(actual + 1)
    return ways + size * tf.math.log(size / (size + mean)) + actual * tf.math.log(mean / (size + mean))


_LIKELIHOODS = {"gaussian": _gaussian, "student_t": _student_t, "negative_binomial": _negative_binomial}
