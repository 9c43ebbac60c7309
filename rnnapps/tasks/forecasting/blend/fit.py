"""Fits the blend of a network with linear forecasts to held-out windows."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rnnapps.layers.side_by_side import members_of
from rnnapps.tasks.forecasting.baselines import best_seasons, linear_regressions
from rnnapps.tasks.forecasting.blend.linear_maps import PARTS, LinearMap, drift_map, last_value_map, seasonal_maps
from rnnapps.tasks.forecasting.blend.shares import choose_shares
from rnnapps.tasks.forecasting.calibration import MOST_WINDOWS, CalibrationErrors
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.layers.linear_blend import LinearBlend, linear_forecast
from rnnapps.tasks.forecasting.loss import error_unit
from rnnapps.tasks.forecasting.network import BLEND
from rnnapps.tasks.forecasting.windows import ROWS, ForecastWindows, Histories
from rnnapps.types import Array, NamedTensors

__all__ = ["BlendFitter", "mixes", "network_alone", "shares_of"]

MOST_VALUES = 4_000_000
"""Of values to forecast in held-out windows, for the shares."""


class _Linear(NamedTuple):
    """The linear forecasts that a network is mixed with.

    Attributes:
        maps: in the order of `PARTS`, without the network.
        errors: of each on held-out windows `(parts, windows, horizon, channels)`, weighed; 0 where nothing is known.
    """

    maps: Sequence[LinearMap]
    errors: Array


class BlendFitter:
    """Finds the shares of a network's blend, again and again as it learns.

    The linear forecasts are learned from training windows, and what they leave open is chosen on validation windows, as
    that of the baselines; so are the shares.

    Args:
        train: windows of the training rows.
        validation: windows of the validation rows.
    """

    def __init__(self, train: ForecastWindows, validation: ForecastWindows) -> None:
        self._train, self._validation = train, validation
        config = validation.config
        most = max(min(MOST_WINDOWS, MOST_VALUES // (config.horizon_steps * len(validation.error_units[0]))), 1)
        self._stride = validation.stride(most)

    def fit(self, network: keras.Model) -> float:
        """Puts the shares that suit the network's weights of this moment into its layer.

        Returns:
            The mean squared error of the network alone, in units of the series.
        """
        with network_alone(network):
            measured = CalibrationErrors.measure(network, self._validation, stride=self._stride)
        layer, linear = network.get_layer(BLEND), self._linear
        own = _weighed(self._validation.config, measured.targets - measured.outputs["mean"], measured.ratio)
        shares = choose_shares(np.concatenate([own[None], linear.errors])).astype(np.float32)
        layer.shares.assign(shares)
        layer.kernel.assign(sum(each.kernel * share for each, share in zip(linear.maps, shares[1:], strict=True)))
        layer.bias.assign(sum(each.bias * share for each, share in zip(linear.maps, shares[1:], strict=True)))
        return measured.squared_error()

    @functools.cached_property
    def _linear(self) -> _Linear:
        """The linear forecasts, and their errors; learned once, at the first evaluation."""
        held_out = list(self._validation.histories(stride=self._stride))
        config = self._validation.config
        size, horizon = config.history_steps, config.horizon_steps
        season = _season(held_out)
        maps = [last_value_map(size, horizon), *seasonal_maps(size, horizon, season), drift_map(size, horizon)]
        for regression in linear_regressions(self._train, held_out).values():
            kernel, bias = np.split(regression.weights.astype(np.float32), [size])
            maps.append(LinearMap(kernel, bias[0]))
        batches = list(self._validation.stored.ordered(batch_size=ROWS, stride=self._stride))
        errors = [self._errors(maps, self._validation.example(batch)) for batch in batches]
        return _Linear(maps, np.concatenate(errors, axis=1))

    def _errors(self, maps: Sequence[LinearMap], example: NamedTensors) -> Array:
        """Weighed errors of linear forecasts on a batch of windows."""
        inputs, targets = example["inputs"], example["targets"]
        whole = tf.ones((self._validation.config.horizon_steps,))
        made = [linear_forecast(inputs["history"], inputs["present"], *own, whole=whole).numpy() for own in maps]
        errors = targets["values"].numpy() - np.stack(made)
        return _weighed(self._validation.config, errors, targets["ratio"].numpy())


@contextlib.contextmanager
def network_alone(network: keras.Model) -> Iterator[None]:
    """Lets a network forecast without what it is blended with, for a while; its calibration stays."""
    layers = _blends(network)
    kept = [(weight, np.asarray(weight)) for layer in layers for weight in layer.weights]
    for layer in layers:
        layer.reset()
    try:
        yield
    finally:
        for weight, value in kept:
            weight.assign(value)


def shares_of(network: keras.Model) -> dict[str, Array]:
    """The share of each part of a network's forecasts by step of the horizon `(horizon,)`; none without a blend.

    Of an ensemble the mean of its members' shares.
    """
    found = [np.asarray(layer.shares) for layer in _blends(network)]
    return dict(zip(PARTS, np.mean(found, axis=0), strict=True)) if found else {}


def _blends(network: keras.Model) -> list[LinearBlend]:
    """The layer of a network that is blended, or those of an ensemble's members."""
    layers = (layer for own in members_of(network) or [network] for layer in own.layers)
    return [layer for layer in layers if isinstance(layer, LinearBlend)]


def mixes(network: keras.Model) -> bool:
    """Whether a network's forecasts are not its own alone."""
    return any(bool(share.any()) for name, share in shares_of(network).items() if name != PARTS[0])


def _weighed(config: ForecastModelConfig, errors: Array, ratio: Array) -> Array:
    """Errors as the loss weighs them, 0 where there is nothing to forecast."""
    weighed: Array = np.nan_to_num(errors * np.asarray(error_unit(config, ratio)), nan=0.0, posinf=0.0, neginf=0.0)
    return weighed


def _season(held_out: Sequence[Histories]) -> int:
    """The length of season that does best on windows of all series, whatever their frequencies."""
    lengths, counts = np.unique(np.concatenate([own.season for own in held_out]), return_counts=True)
    usual = int(lengths[counts.argmax()])
    (season,) = best_seasons([own._replace(season=np.full_like(own.season, usual)) for own in held_out]).values()
    return season
