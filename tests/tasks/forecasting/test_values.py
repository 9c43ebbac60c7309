"""What series can hold, forecasts hold: nothing below 0, whole quantiles of counts; other rows are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig, Values
from rnnapps.tasks.forecasting.preprocessing import fit_features
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import split_source
from rnnapps.tasks.forecasting.window_units import WindowUnits
from tests.tasks.forecasting.forecasts import wave, write_wave

MEAN, QUANTILES = [[[-2.0], [0.7]]], [[[[-3.0, -1.0, 2.4]], [[0.2, 0.7, 1.2]]]]


def features_of(path: Path, **model: object) -> SeriesFeatures:
    data = SeriesDataConfig(source=str(path))
    return fit_features(
        data, ForecastModelConfig(history_steps=12, horizon_steps=2, **model), split_source(data).parts.train
    )


@pytest.mark.parametrize(
    ("values", "mean", "quantiles"),
    [
        ("any", MEAN, QUANTILES),
        ("nonnegative", [[[0.0], [0.7]]], [[[[0.0, 0.0, 2.4]], [[0.2, 0.7, 1.2]]]]),
        ("counts", [[[0.0], [0.7]]], [[[[0.0, 0.0, 2.0]], [[0.0, 1.0, 1.0]]]]),
    ],
)
def test_forecasts_are_numbers_that_the_series_can_hold(
    values: Values, mean: list[object], quantiles: list[object], tmp_path: Path
) -> None:
    features = features_of(write_wave(tmp_path / "a.csv", wave().round()), values=values)
    features.save(tmp_path)
    units = WindowUnits(tf.constant([[[5.0]]], tf.float64), tf.constant([[[2.0]]], tf.float64))
    given = {"mean": tf.constant(MEAN, tf.float64), "quantiles": tf.constant(QUANTILES, tf.float64)}
    network = {name: tf.cast((value - 5) / 2, tf.float32) for name, value in given.items()}
    for own in (features, SeriesFeatures.load(tmp_path)):
        found = own.in_data_units(network, units)
        np.testing.assert_allclose(found["mean"], mean, atol=1e-6)
        np.testing.assert_allclose(found["quantiles"], quantiles, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "wrong", "message"),
    [
        ("nonnegative", -1.0, "row 8, column 'east': -1.0 is below 0"),
        ("counts", 1.5, "row 8, column 'east': 1.5 is no count"),
    ],
)
def test_other_rows_are_refused(values: Values, wrong: float, message: str, tmp_path: Path) -> None:
    rows = wave().round()
    rows[7, 0] = wrong
    with pytest.raises(DataError, match=message):
        features_of(write_wave(tmp_path / "a.csv", rows), values=values)
    rows[7, 0] = np.nan
    features_of(write_wave(tmp_path / "b.csv", rows), values=values)


def test_holidays_of_rows_without_days_are_refused(tmp_path: Path) -> None:
    path = write_wave(tmp_path / "a.csv", wave())
    assert "holiday" in features_of(path, holidays="DE-BY", calendar="none").covariate_names
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.partition(",")[2] for line in lines))
    with pytest.raises(ConfigError, match=r"model.holidays DE: rows must be a day or less apart, and have times; here"):
        features_of(path, holidays="DE")
