"""Scores of forecasts against their definitions, written out value by value."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.forecasting.scores import ForecastScores, seasonal_scale

LEVELS = (0.1, 0.5, 0.9)
SCALES = [[2.0, 0.5], [3.0, 1e-6]]


def random_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    actual = draw.normal(size=(11, 4, 2)) * 5
    actual[draw.random(actual.shape) < 0.1] = np.nan
    quantiles = np.sort(draw.normal(size=(11, 4, 2, 3)) * 5, axis=-1)
    return actual, draw.normal(size=(11, 4, 2)), quantiles, draw.integers(0, 2, 11)


def scored(cases: list[tuple[np.ndarray, ...]], seasonal: np.ndarray) -> ForecastScores:
    scores = ForecastScores(4, quantiles=LEVELS, scale=np.array(SCALES), seasonal=seasonal)
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
        scaled.append(((y - f) / SCALES[part[window]][channel]) ** 2)
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


def small_scores() -> ForecastScores:
    """Two steps, two channels: errors 2, 1 in the first channel, 4 in the second, whose second step is missing."""
    scores = ForecastScores(2, quantiles=(0.25, 0.75), scale=np.array([[2.0, 4.0]]), seasonal=np.array([[4.0, 8.0]]))
    actual = np.array([[[3.0, 0.0], [0.0, np.nan]]])
    mean = np.array([[[1.0, 4.0], [1.0, 0.0]]])
    quantiles = np.array([[[[1.0, 3.0], [1.0, 2.0]], [[-1.0, 0.0], [5.0, 9.0]]]])
    scores.add(actual, mean, quantiles, np.array([0]))
    return scores


def test_scores_of_three_values_by_hand() -> None:
    scores = small_scores()
    # Pinball: 0.25 (3 - 1) = 0.5, 0; 0.75 (1 - 0) = 0.75, 0.25 (2 - 0) = 0.5; 0.25 (0 + 1) = 0.25, 0. Mean by value.
    assert scores.metrics() == pytest.approx(
        {
            "mse_scaled": (1 + 1 / 4 + 1) / 3,
            "mae_scaled": (1 + 1 / 2 + 1) / 3,
            "mae": (2 + 1 + 4) / 3,
            "rmse": np.sqrt((4 + 1 + 16) / 3),
            "mase": (2 / 4 + 1 / 4 + 4 / 8) / 3,
            "smape_percent": 100 * (2 * 2 / 4 + 2 * 1 / 1 + 2 * 4 / 4) / 3,
            "weighted_quantile_loss": 2 * (0.25 + 0.625 + 0.125) / 3,
            "coverage_error_of_50_percent": 100 * (2 / 3 - 0.5),
        }
    )
    assert list(scores.metrics())[-1] == "coverage_error_of_50_percent"
    assert (scores.interval, scores.coverage) == (0.5, pytest.approx(2 / 3))


def test_the_upper_end_belongs_to_the_interval() -> None:
    """The values 3 and 0 lie on its upper end and within it; the value 0 of the second channel lies below."""
    np.testing.assert_array_equal(small_scores().sums["covered"], [[1, 0], [1, 0]])
    np.testing.assert_array_equal(small_scores().sums["width"], [[2, 1], [1, 0]])


def test_scores_by_step_and_by_channel_by_hand() -> None:
    scores = small_scores()
    np.testing.assert_allclose(scores.by_step(), [(1 + 1) / 2, 1 / 4])
    np.testing.assert_allclose(scores.by_channel(), [(1 + 1 / 4) / 2, 1])
    empty = ForecastScores(2, quantiles=(0.5,), scale=np.ones((1, 3)), seasonal=np.ones((1, 3)))
    assert np.isnan(empty.by_step()).tolist() == [True] * 2
    assert np.isnan(empty.by_channel()).tolist() == [True] * 3
    assert np.isnan(empty.coverage)


@pytest.mark.parametrize(("value", "covered"), [(0.9, 0), (1.0, 1), (2.0, 1), (2.1, 0)])
def test_the_lower_end_belongs_to_the_interval_too(value: float, covered: int) -> None:
    scores = ForecastScores(1, quantiles=(0.1, 0.9), scale=np.ones((1, 1)), seasonal=np.ones((1, 1)))
    scores.add(np.full((1, 1, 1), value), np.ones((1, 1, 1)), np.array([[[[1.0, 2.0]]]]), np.array([0]))
    assert scores.sums["covered"].sum() == covered


def test_one_quantile_bounds_no_interval() -> None:
    scores = ForecastScores(1, quantiles=(0.5,), scale=np.ones((1, 1)), seasonal=np.ones((1, 1)))
    scores.add(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), np.zeros((1, 1, 1, 1)), np.array([0]))
    assert list(scores.metrics())[-1] == "weighted_quantile_loss"
    assert scores.metrics()["weighted_quantile_loss"] == 1


def test_a_value_and_a_forecast_of_zero_agree() -> None:
    scores = ForecastScores(1, quantiles=(0.5,), scale=np.ones((1, 1)), seasonal=np.ones((1, 1)))
    scores.add(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), np.zeros((1, 1, 1, 1)), np.array([0]))
    assert scores.metrics()["smape_percent"] == 0


def test_merged_scores_keep_what_they_are_scores_of() -> None:
    both = small_scores().merged(small_scores())
    assert both.metrics() == pytest.approx(small_scores().metrics())
    assert both.sums["count"].sum() == 6
    np.testing.assert_array_equal(both.seasonal, [[4, 8]])


def test_a_history_of_one_season_has_steps_of_one() -> None:
    values = np.array([[1.0], [2.0], [4.0]])
    np.testing.assert_array_equal(seasonal_scale(values, 3), [1.5])
    np.testing.assert_array_equal(seasonal_scale(values, 2), [3.0])


def test_small_seasonal_differences_count() -> None:
    np.testing.assert_allclose(seasonal_scale(np.array([[0.1], [0.2]]), 1), [0.1])
