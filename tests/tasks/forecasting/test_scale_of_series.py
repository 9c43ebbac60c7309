"""What a series is measured in changes its forecast by exactly that, in training, in forecasts and in the export."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.tasks.forecasting.endpoints import forecast_endpoints
from rnnapps.tasks.forecasting.export_config import ForecastExportConfig
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.loss import forecast_loss
from rnnapps.tasks.forecasting.network import forecast_network
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.windows import ForecastWindows

Array = np.ndarray[Any, Any]
HISTORY, HORIZON, ROWS = 8, 4, 40
CONFIG = ForecastModelConfig(
    units=4, history_steps=HISTORY, horizon_steps=HORIZON, quantiles=(0.1, 0.5, 0.9), linear=True
)
MODES = ("instance", "difference", "none")


def two_sizes(factor: float = 1.0, offset: float = 0.0) -> dict[str, Array]:
    """A small series, multiplied and moved, beside a big one; with gaps."""
    draw, steps = np.random.default_rng(0), np.arange(ROWS)
    small = 27 + 2 * np.sin(steps / 3) + 0.1 * draw.normal(size=ROWS)
    big = 30_000 + 9_000 * np.cos(steps / 4) + 100 * draw.normal(size=ROWS)
    small[7] = big[11] = np.nan
    return {"small": small * factor + offset, "big": big}


def features_of(values: dict[str, Array]) -> tuple[SeriesFeatures, list[SeriesPart]]:
    parts = [SeriesPart(Series(name, None, column[:, None], ("v",)), 0, ROWS) for name, column in values.items()]
    return SeriesFeatures.fit(parts, calendar=None, season_steps=0, reading={}, needed_history=HISTORY), parts


@functools.cache
def served(mode: str) -> Any:
    """The function of the signature that is served, of a network with random weights."""
    keras.utils.set_random_seed(1)
    features, _ = features_of(two_sizes())
    network = forecast_network(dataclasses.replace(CONFIG, normalization=mode), channels=1, series=2)  # type: ignore[arg-type]
    draw = np.random.default_rng(0)
    for weight in network.weights:
        if not np.asarray(weight).any():
            weight.assign(draw.normal(size=weight.shape) * 0.1)
    endpoint = forecast_endpoints(network, features, ForecastExportConfig(), needed_history=HISTORY)["serving_default"]
    return tf.function(endpoint.function, autograph=False)


def forecast(mode: str, values: Array, *, name: str = "small") -> dict[str, Array]:
    request = {
        "history": tf.constant(values[None, -HISTORY:, None]),
        "lengths": tf.constant([HISTORY]),
        "series": tf.constant([name]),
    }
    return {key: tensor.numpy()[0] for key, tensor in served(mode)(**request).items()}


@settings(max_examples=25, deadline=None)
@given(
    power=st.integers(-6, 6),
    offset=st.floats(-1e4, 1e4),
    mode=st.sampled_from(MODES[:2]),
    name=st.sampled_from(["small", "never seen"]),
)
def test_size_and_level_of_a_history_are_those_of_its_forecast(power: int, offset: float, mode: str, name: str) -> None:
    """The network normalises windows, so this holds for series that training saw and for others, in any units."""
    values, factor = two_sizes()["small"], 10.0**power
    before, after = forecast(mode, values, name=name), forecast(mode, values * factor + offset, name=name)
    rounding = 1e-12 * abs(offset) + 3e-6 * factor * np.ptp(before["mean"])
    for key, expected in before.items():
        np.testing.assert_allclose(after[key], expected * factor + offset, rtol=1e-9, atol=100 * rounding)


@settings(max_examples=25, deadline=None)
@given(power=st.integers(-6, 6), offset=st.floats(-1e4, 1e4), mode=st.sampled_from(MODES), loss=st.booleans())
def test_training_sees_the_same_whatever_a_series_is_measured_in(
    power: int, offset: float, mode: str, loss: bool
) -> None:
    """Inputs, targets and weights of both series stay what they are: so do gradients, best step and forecasts."""
    config = dataclasses.replace(CONFIG, normalization=mode, loss_units="window" if loss else "channel")  # type: ignore[arg-type]
    examples = []
    for values in (two_sizes(), two_sizes(10.0**power, offset)):
        features, parts = features_of(values)
        windows = ForecastWindows(parts, features, config)
        pairs = windows.stored.origins(stride=3)
        examples.append(windows.example(windows.stored.gather(tf.constant(pairs[:, 0]), tf.constant(pairs[:, 1]))))
    lost = 1e-16 * abs(offset) / 10.0**power
    for one, other in zip(*map(tf.nest.flatten, examples), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 + 10 * lost)
    targets = examples[0]["targets"]
    outputs = {"mean": tf.zeros_like(targets["values"]), "quantiles": tf.zeros((*targets["values"].shape, 3))}
    losses = [float(forecast_loss(config, outputs, example["targets"])) for example in examples]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4 + 10 * lost)


@pytest.mark.parametrize("mode", MODES)
def test_a_series_measured_otherwise_is_forecast_by_its_own_scale(mode: str) -> None:
    """With `none` the scale of a known series is that of its training rows; of an unknown one, its history's."""
    values = two_sizes()["small"]
    known, other = (forecast(mode, values, name=name)["mean"] for name in ("small", "never seen"))
    moved = forecast(mode, values * 1e5 - 7, name="never seen")["mean"]
    np.testing.assert_allclose(moved, other * 1e5 - 7, rtol=1e-5)
    assert np.allclose(known, other) == (mode != "none")


def test_a_constant_goes_on_and_a_series_that_varies_may_do_so_again() -> None:
    """The deviation of a window of zeros is that of its series' training rows; of what training never saw, nothing."""
    for mode in MODES[:2]:
        unknown = forecast(mode, np.full(HISTORY, 5.0), name="never seen")
        assert (unknown["mean"] == 5).all() and (unknown["quantiles"] == 5).all()
        spread = np.ptp(forecast(mode, np.full(HISTORY, 27.0))["quantiles"])
        assert 0.01 < spread < 100


def test_a_level_that_single_precision_cannot_hold_survives() -> None:
    """An eight-digit meter: its differences of 0.13 are 1/64 of what float32 tells apart there."""
    readings = 0.13 * np.arange(HISTORY)
    plain, moved = (forecast("difference", readings + level)["mean"] for level in (0.0, 123_456_789.25))
    np.testing.assert_allclose(moved - 123_456_789.25, plain, atol=1e-5)
    assert moved.dtype == np.float64


def test_numbers_beyond_all_reason_are_missing() -> None:
    values = two_sizes()["small"]
    spoilt, gap = values.copy(), values.copy()
    spoilt[-2], gap[-2] = 1e300, np.nan
    for found, expected in zip(*(forecast("instance", one).values() for one in (spoilt, gap)), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).all()
