"""Naive forecasts against values worked out by hand, and the linear one against plain least squares."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.forecasting.naive_forecasts import LinearForecast, drift, filled_forward, last_value, seasonal_naive

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
