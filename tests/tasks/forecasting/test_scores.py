"""Scores of forecasts against their definitions, written out value by value."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.forecasting.scores import ForecastScores, seasonal_scale

LEVELS = (0.1, 0.5, 0.9)


def random_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    actual = draw.normal(size=(11, 4, 2)) * 5
    actual[draw.random(actual.shape) < 0.1] = np.nan
    quantiles = np.sort(draw.normal(size=(11, 4, 2, 3)) * 5, axis=-1)
    return actual, draw.normal(size=(11, 4, 2)), quantiles, draw.integers(0, 2, 11)


def scored(cases: list[tuple[np.ndarray, ...]], seasonal: np.ndarray) -> ForecastScores:
    scores = ForecastScores(4, quantiles=LEVELS, scale=np.array([2.0, 0.5]), seasonal=seasonal)
    for case in cases:
        scores.add(*case)
    return scores


def test_every_metric_is_its_definition() -> None:
    actual, mean, quantiles, part = random_case()
    seasonal = np.array([[1.0, 2.0], [3.0, np.nan]])
    scores = scored([(actual, mean, quantiles, part)], seasonal)
    squared, absolute, scaled, mase, symmetric, pinball, total, covered = [], [], [], [], [], [], 0.0, []
    for window, step, channel in zip(*np.isfinite(actual).nonzero(), strict=True):
        y, f, q = actual[window, step, channel], mean[window, step, channel], quantiles[window, step, channel]
        squared.append((y - f) ** 2)
        absolute.append(abs(y - f))
        scaled.append(((y - f) / (2.0, 0.5)[channel]) ** 2)
        symmetric.append(200 * abs(y - f) / (abs(y) + abs(f)))
        pinball.append(np.mean([max(p * (y - v), (p - 1) * (y - v)) for p, v in zip(LEVELS, q, strict=True)]))
        total += abs(y)
        covered.append(q[0] <= y <= q[2])
        if np.isfinite(seasonal[part[window], channel]):
            mase.append(abs(y - f) / seasonal[part[window], channel])
    found = scores.metrics()
    expected = {
        "mse_scaled": np.mean(scaled),
        "mae": np.mean(absolute),
        "rmse": np.sqrt(np.mean(squared)),
        "mase": np.mean(mase),
        "smape_percent": np.mean(symmetric),
        "weighted_quantile_loss": 2 * np.sum(pinball) / total,
        "coverage_error_of_80_percent": 100 * abs(np.mean(covered) - 0.8),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert scores.coverage == pytest.approx(np.mean(covered))


def test_batches_and_merges_add_up() -> None:
    cases = [random_case(seed) for seed in range(3)]
    seasonal = np.ones((2, 2))
    whole = scored(cases, seasonal)
    apart = scored(cases[:1], seasonal).merged(scored(cases[1:], seasonal))
    assert whole.metrics() == pytest.approx(apart.metrics())
    everything = [np.concatenate(tables) for tables in zip(*cases, strict=True)]
    assert whole.metrics() == pytest.approx(scored([tuple(everything)], seasonal).metrics())
    np.testing.assert_allclose(whole.by_step().mean(), whole.metrics()["mse_scaled"], rtol=0.2)


def test_what_is_not_forecast_is_not_scored() -> None:
    actual, mean, quantiles, part = random_case()
    mean[0] = np.nan
    without = scored([(actual[1:], mean[1:], quantiles[1:], part[1:])], np.ones((2, 2)))
    assert scored([(actual, mean, quantiles, part)], np.ones((2, 2))).metrics() == pytest.approx(without.metrics())


def test_seasonal_scale_by_hand() -> None:
    values = np.array([[1.0, 5], [2, 5], [4, 5], [np.nan, 5], [5, 5]])
    np.testing.assert_array_equal(seasonal_scale(values, 2), [2.0, np.nan])  # |4 - 1|, |5 - 4|; a constant has none
    np.testing.assert_array_equal(seasonal_scale(values, 9), [1.5, np.nan])  # too short for the season: steps of one
