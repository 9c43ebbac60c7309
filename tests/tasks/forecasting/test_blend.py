"""A network blended with linear forecasts: what they are, their shares, and what becomes of both in use."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import rnnapps
from rnnapps.contract.fitted import Fitted
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.tasks.forecasting.blend.fit import BlendFitter, mixes, network_alone, shares_of
from rnnapps.tasks.forecasting.blend.linear_maps import LinearMap, drift_map, last_value_map, seasonal_maps
from rnnapps.tasks.forecasting.blend.shares import choose_shares, least_squares_shares
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.layers.linear_blend import linear_forecast
from rnnapps.tasks.forecasting.naive_forecasts import (
    LinearForecast,
    drift,
    last_value,
    seasonal_mean,
    seasonal_naive,
)
from rnnapps.tasks.forecasting.pipeline import PIPELINE, Config
from rnnapps.tasks.forecasting.splits import split_source
from rnnapps.tasks.forecasting.windows import ForecastWindows
from rnnapps.verbs.configure import read_configuration
from tests.tasks.command import skip_report

Array = np.ndarray[Any, Any]
STEPS, HORIZON = 11, 5


def forecast(own: LinearMap, history: Array) -> Array:
    """What a map makes of histories with NaN where missing."""
    present = np.isfinite(history)
    tensors = (tf.constant(table, tf.float32) for table in (np.where(present, history, 0.0), present))
    made: Array = linear_forecast(*tensors, *own, whole=tf.ones((HORIZON,))).numpy()
    return made


def histories(seed: int = 0, *, gaps: float = 0.0) -> Array:
    draw = np.random.default_rng(seed)
    table = draw.normal(size=(6, STEPS, 2)).cumsum(axis=1)
    table[draw.random(table.shape) < gaps] = np.nan
    return table


def test_linear_maps_are_the_naive_forecasts() -> None:
    whole = histories()
    pairs = [
        (last_value_map(STEPS, HORIZON), last_value(whole, HORIZON)),
        (drift_map(STEPS, HORIZON), drift(whole, HORIZON)),
        *zip(
            seasonal_maps(STEPS, HORIZON, 4),
            (seasonal_naive(whole, HORIZON, 4), seasonal_mean(whole, HORIZON, 4)),
            strict=True,
        ),
    ]
    for own, expected in pairs:
        np.testing.assert_allclose(forecast(own, whole), expected, rtol=1e-4, atol=1e-5)


def test_a_season_longer_than_the_history_is_the_last_value() -> None:
    for own in seasonal_maps(STEPS, HORIZON, STEPS + HORIZON):
        np.testing.assert_array_equal(forecast(own, histories()), forecast(last_value_map(STEPS, HORIZON), histories()))


def test_a_regression_forecasts_histories_with_gaps_as_it_does_itself() -> None:
    """The bias counts in units of the window, which are 1 for windows of deviation 1."""
    learned = LinearForecast(STEPS, HORIZON).fit(
        [(histories(seed), histories(seed + 9)[:, :HORIZON]) for seed in (1, 2)]
    )
    gaps = histories(3, gaps=0.4)
    gaps[0, :, 0] = np.nan
    gaps[0, 4, 0] = 2.0
    gaps = gaps / np.where(np.nanstd(gaps, axis=1, keepdims=True) > 0, np.nanstd(gaps, axis=1, keepdims=True), 1.0)
    kernel, bias = np.split(learned.weights.astype(np.float32), [STEPS])
    np.testing.assert_allclose(forecast(LinearMap(kernel, bias[0]), gaps), learned.predict(gaps), rtol=1e-3, atol=1e-4)


def test_shares_of_forecasts_whose_errors_are_independent_are_as_their_inverse_variances() -> None:
    np.testing.assert_allclose(least_squares_shares(np.diag([1.0, 4.0])), [0.8, 0.2], rtol=1e-4)
    # Errors of the second are those of the first and more: it has nothing to add.
    np.testing.assert_allclose(least_squares_shares(np.array([[1.0, 1.0], [1.0, 2.0]])), [1.0, 0.0], atol=1e-6)


def test_shares_differ_from_step_to_step_where_that_pays() -> None:
    draw = np.random.default_rng(0)
    sizes = np.array([[1.0, 1.0, 3.0], [3.0, 3.0, 1.0]])
    shares = choose_shares(draw.normal(size=(2, 400, 3, 1)) * sizes[:, None, :, None])
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-6)
    np.testing.assert_allclose(shares[0], [0.9, 0.9, 0.1], atol=0.1)


def test_the_network_stays_alone_where_nothing_is_gained_for_sure() -> None:
    draw = np.random.default_rng(1)
    own = draw.normal(size=(1, 64, 3, 1))
    worse = own + draw.normal(size=(2, 64, 3, 1))
    alone = [[1.0] * 3, [0.0] * 3, [0.0] * 3]
    assert choose_shares(np.concatenate([own, worse])).tolist() == alone
    assert choose_shares(np.concatenate([own, worse])[:, :1]).tolist() == alone  # of one window nothing is known
    assert choose_shares(np.zeros((3, 64, 3, 1))).tolist() == alone


def test_the_last_value_mostly_stays_where_more_than_it_seems_to_be_known() -> None:
    """Of a walk: forecasts that add a little noise of their own are better on few windows by luck alone."""
    stayed = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        walk = draw.normal(size=(1, 64, 2, 1))
        near = walk + 0.05 * draw.normal(size=(3, 64, 2, 1))
        shares = choose_shares(np.concatenate([walk + draw.normal(size=walk.shape), walk, near]))
        stayed += shares[1].tolist() == [1.0, 1.0]
    assert stayed >= 16
    known = choose_shares(np.concatenate([walk + draw.normal(size=walk.shape), walk, 0.5 * walk]))
    assert known[2].min() > 0.9


def test_shares_are_chosen_on_other_windows_than_they_are_fitted_to() -> None:
    """Thirty forecasts of nothing: some mix of them fits any few windows, and none is worth anything."""
    draw = np.random.default_rng(2)
    shared = draw.normal(size=(1, 40, 2, 1))
    shares = choose_shares(np.concatenate([shared, shared + 3 * draw.normal(size=(30, 40, 2, 1))]))
    assert shares[0].min() > 0.9


SMALL = ForecastModelConfig(units=4, history_steps=12, horizon_steps=3, quantiles=(0.1, 0.5, 0.9), calendar="none")


def walk(rows: int = 400) -> Array:
    """A random walk, of which nothing is known but the last value."""
    table: Array = np.random.default_rng(0).normal(size=(rows, 1)).cumsum(axis=0)
    return table


@pytest.fixture(scope="module")
def model() -> tuple[keras.Model, ForecastWindows, BlendFitter]:
    """An untrained network for a random walk."""
    splits = split_source(SeriesDataConfig(), walk())
    config = Config(model=SMALL)
    features = PIPELINE.fit_preprocessor(config, splits)
    keras.utils.set_random_seed(0)
    network = PIPELINE.build_model(config, features)
    train, validation = (
        ForecastWindows(part, features, SMALL) for part in (splits.parts.train, splits.parts.validation)
    )
    return network, validation, BlendFitter(train, validation)


def test_a_network_that_knows_nothing_of_a_walk_forecasts_the_last_value(
    model: tuple[keras.Model, ForecastWindows, BlendFitter],
) -> None:
    network, windows, fitter = model
    assert not mixes(network)
    (before,) = windows.scored(network)
    fitter.fit(network)
    (after,) = windows.scored(network)
    shares = shares_of(network)
    np.testing.assert_allclose(sum(shares.values()), 1.0, rtol=1e-6)
    assert mixes(network) and shares["network"].max() < 0.2
    naive = last_value(after.history, 3)
    error, naive_error, own_error = (
        float(np.mean((mean - after.actual) ** 2)) for mean in (after.mean, naive, before.mean)
    )
    assert error < 1.02 * naive_error < own_error
    # Quantiles move with the mean.
    np.testing.assert_allclose(
        after.quantiles - after.mean[..., None], before.quantiles - before.mean[..., None], atol=1e-4
    )
    with network_alone(network):
        (alone,) = windows.scored(network)
    np.testing.assert_array_equal(alone.mean, before.mean)
    (again,) = windows.scored(network)
    np.testing.assert_array_equal(again.mean, after.mean)


def test_training_does_not_see_the_blend(model: tuple[keras.Model, ForecastWindows, BlendFitter]) -> None:
    network, windows, fitter = model
    batch = next(iter(windows.training(batch_size=4, seed=0, start_step=0)))["inputs"]
    fitter.fit(network)
    learned = network(batch, training=True)["mean"].numpy()
    with network_alone(network):
        np.testing.assert_allclose(network(batch, training=False)["mean"].numpy(), learned, atol=1e-6)
    assert not {weight.path for weight in network.trainable_variables} & {
        f"blend/{name}" for name in ("shares", "kernel")
    }


def test_counts_stay_counts(model: tuple[keras.Model, ForecastWindows, BlendFitter]) -> None:
    """A falling line leads a drift below zero, where no mean of counts can be."""
    config = Config(model=dataclasses.replace(SMALL, distribution="negative_binomial"))
    splits = split_source(SeriesDataConfig(), np.arange(120.0)[::-1, None].round())
    network = PIPELINE.build_model(config, PIPELINE.fit_preprocessor(config, splits))
    layer = network.get_layer("blend")
    layer.shares.assign(np.eye(layer.parts)[:, 4:5].repeat(3, axis=1))
    layer.kernel.assign(drift_map(12, 3).kernel)
    history = np.arange(12.0)[::-1][None, :, None]
    outputs = network({"history": history, "present": np.ones_like(history)})
    np.testing.assert_allclose(outputs["mean"][0, :, 0], 1e-4)
    assert (outputs["quantiles"].numpy() >= 0).all()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run on a random walk, a few steps of a network that cannot beat the last value."""
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        return rnnapps.train(
            "forecasting",
            {"train": walk(300), "test": walk(400)[300:]},
            run=tmp_path_factory.mktemp("walk") / "run",
            model=dataclasses.asdict(SMALL),
            steps=6,
            evaluate_every=3,
            batch_size=8,
            tensorboard=False,
            compile="graph",
        )


def test_a_model_is_not_worse_than_the_last_value_and_its_network_stands_beside_it(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    evaluation = trained.evaluate()
    errors = {name: row["mse_scaled"] for name, row in evaluation.rows("model")}
    assert errors["model"] < 1.02 * errors["last value"] < errors["network alone"]
    assert set(evaluation.alone) == {"network alone"}
    assert "network alone" not in evaluation.baselines
    assert "last value" in trained.card


def test_predict_stream_and_a_loaded_run_have_the_blend(trained: Any) -> None:
    rows = walk(60)
    predicted = trained.predict(rows)["mean"].to_numpy()
    np.testing.assert_allclose(predicted, rows[-1, 0], atol=1.0)
    *_, last = trained.stream(rows)
    np.testing.assert_allclose(last.mean[:, 0], predicted, rtol=1e-5)
    loaded = rnnapps.load(trained.path)
    np.testing.assert_allclose(loaded.predict(rows)["mean"], predicted, rtol=1e-6)


def test_the_report_tells_the_shares(trained: Any) -> None:
    fitted = Fitted(trained.config, trained.preprocessor, trained.network)
    splits = split_source(trained.config.data, {"train": walk(300), "test": walk(400)[300:]})
    (section,) = (own for own in PIPELINE.report_sections(fitted, splits, ()) if own.title.startswith("Blend"))
    shares = {row[0]: row[1] for row in section.blocks[0].rows}
    assert shares == {name: pytest.approx(share.mean()) for name, share in shares_of(trained.network).items()}


def test_a_run_that_was_begun_before_there_were_blends_stays_without(trained: Any, tmp_path: Path) -> None:
    lines = (trained.path / "config.yaml").read_text().splitlines(keepends=True)
    (tmp_path / "config.yaml").write_text("".join(line for line in lines if "blend:" not in line))
    assert read_configuration(PIPELINE, trained.path)["model.blend"] == "linear"
    assert read_configuration(PIPELINE, tmp_path)["model.blend"] == "none"
    assert "model.blend" not in read_configuration(PIPELINE, tmp_path / "config.yaml")
