"""Every kind of forecaster: shapes, losses, calibration, and the state of the online forecaster."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from rnnapps.cells import CELLS
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import parse_frequency
from rnnapps.data.series.row_clock import RowClock
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.errors import ConfigError
from rnnapps.portable.numbered import numbered
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.tasks.forecasting.calendar import Calendar
from rnnapps.tasks.forecasting.calibration import CalibrationErrors, conformal_shift, recalibrated
from rnnapps.tasks.forecasting.endpoints import forecast_endpoints
from rnnapps.tasks.forecasting.export_config import ForecastExportConfig
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.forecaster import Forecaster
from rnnapps.tasks.forecasting.loss import forecast_loss
from rnnapps.tasks.forecasting.network import forecast_network
from rnnapps.tasks.forecasting.prediction import forecast_series
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.vocabularies import vocabulary_changes
from rnnapps.tasks.forecasting.windows import ForecastWindows
from rnnapps.training.finetune import transfer

SMALL = ForecastModelConfig(units=6, history_steps=8, horizon_steps=4, quantiles=(0.1, 0.5, 0.9))


def series(rows: int = 60, *, name: str = "x", seed: int = 0) -> Series:
    """Two channels with gaps, a known price, a category, static features."""
    draw = np.random.default_rng(seed)
    values = 100 + 20 * np.sin(np.arange(rows)[:, None] / 4 + [0, 1]) + draw.normal(size=(rows, 2))
    values[draw.random(values.shape) < 0.05] = np.nan
    times = np.datetime64("2024-03-30", "ns") + np.arange(rows) * np.timedelta64(3600 * 10**9, "ns")
    return Series(
        name,
        times,
        values,
        ("a", "b"),
        known=draw.normal(size=(rows, 1)).astype(np.float32),
        known_names=("price",),
        categories=draw.integers(-1, 2, (rows, 1)).astype(np.int32),
        category_names=("holiday",),
        category_levels=(("no", "yes"),),
        static=np.array([3.0], np.float32),
        static_names=("area",),
        static_texts=("house",),
        static_text_names=("kind",),
        frequency=parse_frequency("1h"),
        timezone="Europe/Berlin",
    )


def fitted(config: ForecastModelConfig) -> tuple[SeriesFeatures, keras.Model, ForecastWindows]:
    parts = [SeriesPart(series(name="x"), 0, 60), SeriesPart(series(name="y", seed=1), 0, 60)]
    features = SeriesFeatures.fit(
        parts,
        calendar=Calendar.make("Europe/Berlin", ("hour", "weekday")),
        season_steps=0,
        reading={},
        needed_history=config.needed_history,
        method="none" if config.distribution == "negative_binomial" else "standard",
    )
    keras.utils.set_random_seed(0)
    network = forecast_network(
        config, channels=2, covariates=features.covariate_size, static=features.static_size, series=2
    )
    return features, network, ForecastWindows(parts, features, config)


def randomise(network: keras.Model) -> None:
    """Gives weights that start as zero a part in the result."""
    draw = np.random.default_rng(0)
    for weight in network.weights:
        if not np.asarray(weight).any():
            weight.assign(draw.normal(size=weight.shape) * 0.1)


KINDS = [
    {},
    {"decoder": "autoregressive"},
    {"channels": "joint", "segment_steps": 2},
    {"channels": "joint", "decoder": "autoregressive", "segment_steps": 2, "linear": True},
    {"normalization": "difference", "distribution": "student_t", "series_units": 3},
    {"normalization": "none", "distribution": "gaussian", "bidirectional": True, "layers": 2},
    {"distribution": "negative_binomial", "linear": True, "minimum_history_steps": 3},
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())) or "default")
def test_every_kind_learns_and_tells_quantiles_in_order(kind: dict[str, Any]) -> None:
    config = dataclasses.replace(SMALL, **kind)
    _, network, windows = fitted(config)
    batch = next(iter(windows.training(batch_size=4, seed=0, start_step=0)))
    if config.distribution == "negative_binomial":
        batch["targets"]["values"] = tf.round(batch["targets"]["values"])
    with tf.GradientTape() as tape:
        loss = forecast_loss(config, network(batch["inputs"], training=True), batch["targets"])
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_variables])
    assert np.isfinite(loss)
    unused = {weight.path for weight, each in zip(network.trainable_variables, gradients, strict=True) if each is None}
    assert unused == set()
    outputs = network(batch["inputs"], training=False)
    assert outputs["mean"].shape == (4, 4, 2)
    assert outputs["quantiles"].shape == (4, 4, 2, 3)
    assert (np.diff(outputs["quantiles"], axis=-1) >= 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell(cell: str) -> None:
    config = dataclasses.replace(SMALL, cell=cell, decoder="autoregressive")
    _, network, windows = fitted(config)
    batch = next(iter(windows.training(batch_size=2, seed=0, start_step=0)))
    assert np.isfinite(network(batch["inputs"])["mean"]).all()


def test_impossible_models() -> None:
    with pytest.raises(ConfigError, match="autoregressive decoder starts from the states of one direction"):
        forecast_network(dataclasses.replace(SMALL, bidirectional=True, decoder="autoregressive"), channels=1)
    for wrong in ({"segment_steps": 3}, {"quantiles": (0.5, 0.1)}, {"horizon_steps": 0}, {"decoder": "other"}):
        with pytest.raises(ConfigError, match=rf"^model\.{next(iter(wrong))}"):
            dataclasses.replace(SMALL, **wrong)  # type: ignore[arg-type]


def test_likelihoods_are_those_of_scipy() -> None:
    draw = np.random.default_rng(0)
    mean, scale, count = draw.normal(size=5), draw.uniform(0.5, 2, 5), draw.poisson(4, 5).astype(float)
    positive = np.exp(mean)
    size = 1 / scale
    cases = {
        "gaussian": ({"mean": mean, "scale": scale}, count, stats.norm.logpdf(count, mean, scale)),
        "student_t": (
            {"mean": mean, "scale": scale, "freedom": np.full(5, 3.5)},
            count,
            stats.t.logpdf(count, 3.5, mean, scale),
        ),
        "negative_binomial": (
            {"mean": positive, "dispersion": scale},
            count,
            stats.nbinom.logpmf(count, size, size / (size + positive)),
        ),
    }
    for distribution, (outputs, actual, expected) in cases.items():
        config = dataclasses.replace(SMALL, distribution=distribution)
        tensors = {name: tf.constant(value, tf.float32)[None, :, None] for name, value in outputs.items()}
        missing = np.append(actual[:4], np.nan)  # what is missing counts for nothing
        targets = {"values": tf.constant(missing, tf.float32)[None, :, None], "ratio": tf.ones((1, 1, 1))}
        loss = forecast_loss(config, tensors, targets)
        assert float(loss) == pytest.approx(-expected[:4].mean(), rel=1e-4)


def test_conformal_shift_makes_quantiles_hold() -> None:
    draw = np.random.default_rng(0)
    distance = draw.gamma(2.0, size=(1000, 3, 2, 2))
    shift = conformal_shift(distance, (0.1, 0.9))
    below = (distance <= shift[None]).mean(axis=0)
    np.testing.assert_allclose(below[..., 0], 0.1, atol=2e-3)
    np.testing.assert_allclose(below[..., 1], 0.9, atol=2e-3)
    pooled = conformal_shift(distance[:50], (0.1, 0.9))
    assert (pooled[0] == pooled[1]).all()


def test_calibrated_intervals_cover_what_they_claim() -> None:
    _, network, windows = fitted(SMALL)
    errors = CalibrationErrors.measure(network, windows)
    with recalibrated(network, errors, SMALL.quantiles):
        (batch,) = windows.scored(network)
    inside = (batch.actual >= batch.quantiles[..., 0]) & (batch.actual <= batch.quantiles[..., -1])
    assert inside[np.isfinite(batch.actual)].mean() == pytest.approx(0.8, abs=0.03)
    assert not np.asarray(network.get_layer("calibration").shift).any()


@pytest.mark.parametrize("kind", [{}, {"decoder": "autoregressive", "series_units": 2}, {"channels": "joint"}])
def test_rows_one_by_one_or_all_at_once_give_the_forecast_of_the_window(kind: dict[str, Any]) -> None:
    """The online state, the raw request and the training window all mean the same."""
    config = dataclasses.replace(SMALL, **kind)
    features, network, windows = fitted(config)
    randomise(network)
    source, origin = windows.stored.parts[1].series, 30
    window = windows.stored.gather(tf.constant([1], tf.int64), tf.constant([origin], tf.int64))
    inputs, units = features.network_inputs(window, windows.stored.parts, config.history_steps, own_units=True)
    outputs = network({name: value for name, value in inputs.items() if name in network.input})
    expected = units.invert(outputs["mean"])[0]
    forecaster = Forecaster(network, features)
    known = dataclasses.replace(source, values=np.where(np.arange(60)[:, None] < origin, source.values, np.nan))
    np.testing.assert_allclose(forecast_series(forecaster, known).mean, expected, rtol=2e-5)
    state = forecaster.empty_state(1)
    for start, stop in ((0, 20), (20, 21), (21, 29), (29, 30)):
        rows = _rows(forecaster, source, start, stop)
        state = forecaster.advance(state, rows)
    np.testing.assert_allclose(forecaster.forecast(state, rows)["mean"][0], expected, rtol=2e-5)


def test_numbers_of_words_forecast_as_the_words_do() -> None:
    """Where there are no strings: series, categories and static texts, of which training saw some."""
    features, network, _ = fitted(dataclasses.replace(SMALL, series_units=2))
    randomise(network)
    endpoint = forecast_endpoints(network, features, ForecastExportConfig(), needed_history=2)["step"]
    examples = dict(endpoint.examples)
    examples["categories_history"][0], examples["static_texts"][1] = b"yes", b"unheard of"
    plain = dataclasses.replace(endpoint, examples=examples)
    other = numbered(plain)
    kinds = {name for name, spec in other.input_signature.items() if spec != plain.input_signature[name]}
    assert kinds == {"series", "categories_history", "categories_future", "static_texts"}
    first, second = (
        own.function(**{name: tf.constant(value) for name, value in own.examples.items()}) for own in (plain, other)
    )
    for name, expected in first.items():
        np.testing.assert_array_equal(second[name], expected)
    np.testing.assert_array_equal(other.examples["series"], [1, 2, 0, 0, 0])


def _rows(forecaster: Forecaster, source: Series, start: int, stop: int) -> dict[str, Any]:
    from rnnapps.tasks.forecasting.prediction import _inputs

    return _inputs(forecaster, source.slice(start, stop), source.slice(stop, stop + forecaster.horizon_steps))


def test_level_and_size_of_a_series_do_not_matter() -> None:
    """With instance normalisation the forecast of 10 x - 500 is 10 times that of x, less 500."""
    config = dataclasses.replace(SMALL, linear=True)
    _, network, _ = fitted(config)
    randomise(network)
    draw = np.random.default_rng(0)
    inputs = {name: draw.normal(size=(2, *shape[1:])).astype(np.float32) for name, shape in _shapes(network).items()}
    inputs["present"] = np.ones_like(inputs["present"])
    moved = {**inputs, "history": 10 * inputs["history"] - 500}
    first, second = network(inputs)["mean"], network(moved)["mean"]
    np.testing.assert_allclose(10 * first - 500, second, rtol=1e-3)


def _shapes(network: keras.Model) -> dict[str, Any]:
    return {name: tensor.shape for name, tensor in network.input.items()}


@pytest.mark.parametrize("kind", [{}, {"channels": "joint", "segment_steps": 2}, {"series_units": 2, "linear": True}])
def test_moved_names_keep_their_weights(kind: dict[str, Any]) -> None:
    """A network for the same channels and levels in another order, loaded by name, forecasts the same."""
    config = dataclasses.replace(SMALL, **kind)
    features, network, windows = fitted(config)
    randomise(network)
    window = windows.stored.gather(tf.constant([0], tf.int64), tf.constant([20], tf.int64))
    moved = dataclasses.replace(
        features,
        scaler=SeriesScaler("xy", ("b", "a"), features.scaler.centre[:, ::-1], features.scaler.scale[:, ::-1]),
        categories={"holiday": features.categories["holiday"][::-1]},
    )
    other = forecast_network(
        config, channels=2, covariates=features.covariate_size, static=features.static_size, series=2
    )
    weights = {weight.path: np.asarray(weight) for weight in network.weights}
    report = transfer(other, weights, vocabularies=vocabulary_changes(other, features, moved))
    assert not report.reset and not report.grown
    turned = dict(window, values=window["values"][..., ::-1])
    inputs, _ = moved.network_inputs(turned, windows.stored.parts, config.history_steps, own_units=True)
    kept = {name: value for name, value in inputs.items() if name in other.input}
    expected = network(windows.example(window)["inputs"])
    np.testing.assert_allclose(other(kept)["mean"][..., ::-1], expected["mean"], rtol=1e-4, atol=1e-5)


def test_a_stream_reads_the_hour_that_comes_twice_twice() -> None:
    clock = RowClock(RowRules(SeriesDataConfig(timezone="Europe/Berlin"), ("v",)), "rows")
    time, found = np.datetime64("2024-10-26T22:00", "ns"), []
    for cell in ("01:00", "02:00", "02:00", "03:00"):
        time = clock.read(f"2024-10-27 {cell}", "line 2", time)
        found.append(str(time)[11:16])
    assert found == ["23:00", "00:00", "01:00", "02:00"]
