"""Naive forecasts against values worked out by hand, and the linear one against plain least squares."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.forecasting.naive_forecasts import (
    LinearForecast,
    best_season,
    drift,
    filled_forward,
    last_value,
    seasonal_mean,
    seasonal_naive,
    two_seasons_mean,
    two_seasons_naive,
)

NAN = np.nan
HISTORY = np.array([[1.0, 2, 3, 4, NAN, 6, NAN]])[..., None]


def forecast(values: np.ndarray) -> list[float]:
    return values[0, :, 0].tolist()


def test_last_present_value() -> None:
    assert forecast(last_value(HISTORY, 3)) == [6, 6, 6]
    np.testing.assert_array_equal(filled_forward(HISTORY)[0, :, 0], [1, 2, 3, 4, 4, 6, 6])


def test_seasonal_values_of_the_last_season_or_the_one_before() -> None:
    # Seasons of three end at the last row: (., ., 1), (2, 3, 4), (-, 6, -).
    assert forecast(seasonal_naive(HISTORY, 5, 3)) == [2, 6, 4, 2, 6]
    assert forecast(seasonal_naive(HISTORY, 2, 1)) == [6, 6]
    # A season longer than the history: places never seen take the last value.
    assert forecast(seasonal_naive(HISTORY[:, :3], 5, 5)) == [3, 3, 1, 2, 3]


def test_two_seasons_by_hand() -> None:
    # A long season of 1, 2, 3, 4; the last short season, of two rows, is 5 more than a long season before it.
    history = np.array([[1.0, 2, 3, 4, 1, 2, 3, 4, 6, 7]])[..., None]
    assert forecast(two_seasons_naive(history, 6, (2, 4))) == [3 + 5, 4 + 5, 6, 7, 8, 9]
    # Means 3, 4, 8 / 3 and 11 / 3, and the last two rows are 10 / 3 above theirs.
    expected = [3 + 10 / 3, 4 + 10 / 3, 6, 7, 3 + 10 / 3]
    np.testing.assert_allclose(forecast(two_seasons_mean(history, 5, (2, 4))), expected)
    history[0, [4, 9]] = NAN  # the values of a short season before stand for them: 3 for row 4, and 4 for row 9
    assert forecast(two_seasons_naive(history[:, 2:], 2, (2, 4))) == [3 + 6 - 3, 4 + 4 - 2]
    assert np.isfinite(two_seasons_mean(history, 5, (2, 4))).all()


def test_two_seasons_tell_more_than_either() -> None:
    """Days alike but for their weekends, and a level that wanders: neither day nor week alone tells what comes."""
    draw, hours = np.random.default_rng(0), np.arange(24 * 7 * 8)
    weekend = np.where(hours // 24 % 7 >= 5, -1.5, 0.0)
    level = 0.5 * np.repeat(np.cumsum(draw.normal(size=len(hours) // 24)), 24)
    values = np.sin(2 * np.pi * hours / 24) + weekend + level + 0.1 * draw.normal(size=len(hours))
    ends = np.arange(24 * 21, len(values) - 24, 12)
    history = np.stack([values[end - 24 * 21 : end] for end in ends])[..., None]
    future = np.stack([values[end : end + 24] for end in ends])[..., None]

    def error(found: np.ndarray) -> float:
        return float(np.mean(np.square(found - future)))

    for of_one, of_two in ((seasonal_naive, two_seasons_naive), (seasonal_mean, two_seasons_mean)):
        best = min(error(of_one(history, 24, season)) for season in (24, 168))
        assert error(of_two(history, 24, (24, 168))) < 0.8 * best


def test_drift_goes_on_along_the_line_through_first_and_last() -> None:
    # From 1 at row 0 to 6 at row 5, a step of 1; the last row is one behind.
    assert forecast(drift(HISTORY, 3)) == [8, 9, 10]
    assert forecast(drift(np.array([[[5.0], [NAN]]]), 2)) == [5, 5]


def test_nothing_to_go_on_from_is_no_forecast() -> None:
    empty = np.full((1, 4, 1), NAN)
    for found in (last_value(empty, 2), seasonal_naive(empty, 2, 2), drift(empty, 2)):
        assert np.isnan(found).all()


def test_linear_is_least_squares() -> None:
    draw = np.random.default_rng(0)
    history, weights = draw.normal(size=(200, 6, 2)), draw.normal(size=(6, 3))
    last = history[:, -1:]
    future = np.einsum("wsc,sh->whc", history - last, weights) + last + 0.5
    found = LinearForecast(6, 3, penalty=0.0).fit([(history[:100], future[:100]), (history[100:], future[100:])])
    np.testing.assert_allclose(found.predict(history), future, atol=1e-6)


def test_linear_penalty_is_ridge() -> None:
    draw = np.random.default_rng(1)
    history, future = draw.normal(size=(50, 4, 1)), draw.normal(size=(50, 2, 1))
    found = LinearForecast(4, 2, penalty=0.1).fit([(history, future)])
    inputs = np.concatenate([history[..., 0] - history[:, -1], np.ones((50, 1))], axis=1)
    targets = future[..., 0] - history[:, -1]
    ridge = 0.1 * np.trace(inputs.T @ inputs) / 5 + 1e-12
    expected = np.linalg.inv(inputs.T @ inputs + ridge * np.eye(5)) @ inputs.T @ targets
    np.testing.assert_allclose(found.weights, expected, rtol=1e-9)


def test_linear_ignores_windows_with_missing_targets() -> None:
    draw = np.random.default_rng(2)
    history, future = draw.normal(size=(50, 4, 1)), draw.normal(size=(50, 2, 1))
    spoilt = np.concatenate([future, np.full((50, 2, 1), NAN)])
    both = np.concatenate([history, 9 * history])
    found, clean = (LinearForecast(4, 2).fit([pair]) for pair in ((both, spoilt), (history, future)))
    np.testing.assert_allclose(found.weights, clean.weights)


def test_drift_of_two_windows_and_two_channels() -> None:
    history = np.array([[[0.0, 8.0], [2.0, NAN], [4.0, 4.0]], [[NAN, 1.0], [5.0, 1.0], [6.0, NAN]]])
    expected = [[[6, 2], [8, 0]], [[7, 1], [8, 1]]]
    np.testing.assert_array_equal(drift(history, 2), expected)


def test_seasons_of_two_windows_and_two_channels() -> None:
    history = np.arange(20.0).reshape(2, 5, 2)
    found = seasonal_naive(history, 3, 2)
    np.testing.assert_array_equal(found, np.stack([history[:, 3], history[:, 4], history[:, 3]], axis=1))
    np.testing.assert_array_equal(last_value(history, 2), np.stack([history[:, 4]] * 2, axis=1))


def test_linear_starts_at_the_last_value() -> None:
    """Before it has learned anything; a history that starts late counts as level before its first value."""
    found = LinearForecast(3, 2)
    assert forecast(found.predict(np.array([[[NAN], [2.0], [5.0]]]))) == [5, 5]
    found.weights[:] = [[100.0, 0.0], [1.0, 2.0], [0.0, 0.0], [7.0, 8.0]]
    assert forecast(found.predict(np.array([[[NAN], [2.0], [5.0]]]))) == [5 - 3 + 7, 5 - 6 + 8]
    assert np.isnan(forecast(found.predict(np.full((1, 3, 1), NAN)))).all()


def test_linear_penalty_by_default() -> None:
    assert LinearForecast(3, 2).penalty == 1e-3


def test_linear_of_nothing_predicts_the_last_value() -> None:
    found = LinearForecast(3, 2).fit([(np.full((4, 3, 1), NAN), np.ones((4, 2, 1)))])
    assert forecast(found.predict(np.array([[[1.0], [2.0], [5.0]]]))) == [5, 5]


def test_linear_ignores_windows_with_nothing_to_predict_from() -> None:
    draw = np.random.default_rng(3)
    history, future = draw.normal(size=(50, 4, 1)), draw.normal(size=(50, 2, 1))
    clean = LinearForecast(4, 2).fit([(history[1:], future[1:])])
    history[0] = NAN
    np.testing.assert_allclose(LinearForecast(4, 2).fit([(history, future)]).weights, clean.weights)


def test_seasonal_mean_by_hand() -> None:
    """Seasons of two that end at the last row: 1; 2, 3; 4, -; 6, -; a place that is never there takes the mean."""
    assert forecast(seasonal_mean(HISTORY, 3, 2)) == [(2 + 4 + 6) / 3, (1 + 3) / 2, (2 + 4 + 6) / 3]
    assert forecast(seasonal_mean(HISTORY[:, 2:], 3, 3)) == [(3 + 4 + 6) / 3, (3 + 6) / 2, 4]
    assert np.isnan(forecast(seasonal_mean(np.full((1, 4, 1), NAN), 2, 2))).all()


def test_the_season_is_the_one_that_goes_on() -> None:
    """A week of seven within windows of which the usual season of two knows nothing; weights say what counts."""
    steps = np.arange(40)
    wave = np.stack([np.cos(2 * np.pi * steps / 7), np.cos(2 * np.pi * steps / 5)], axis=1)[None]
    for weight, expected in (((1.0, 0.0), 7), ((0.0, 1.0), 5)):
        found = best_season(wave[:, :20], wave[:, 20:], np.array([[weight]]), 2)
        assert found % expected == 0
    assert best_season(np.full((1, 4, 1), 3.0), np.full((1, 2, 1), 3.0), np.ones((1, 1, 1)), 2) == 2
    assert best_season(np.array([[[1.0], [2.0]]]), np.array([[[1.0]]]), np.ones((1, 1, 1)), 9) == 2


def test_windows_weigh_what_they_are_said_to_weigh() -> None:
    """A window with weight 2 counts as four of weight 1."""
    draw = np.random.default_rng(4)
    history, future = draw.normal(size=(20, 4, 1)), draw.normal(size=(20, 2, 1))
    weighed, repeated = LinearForecast(4, 2), LinearForecast(4, 2)
    weighed.add(history, future, np.where(np.arange(20) < 5, 2.0, 1.0)[:, None, None])
    repeated.add(history, future)
    for _ in range(3):
        repeated.add(history[:5], future[:5])
    np.testing.assert_allclose(weighed.penalised(0.1).weights, repeated.penalised(0.1).weights, rtol=1e-9)
