"""Each series has a scale of its own, whatever it is measured in, and a level that float32 cannot hold is taken off."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.scaler import Scaler
from rnnapps.preprocessing.series_scaler import SeriesScaler

ROWS = {
    "small": np.array([[1.0, np.nan], [3, 5], [np.nan, 5]]),
    "big": np.array([[10_000.0, 4], [30_000, 8]]),
    "gone": np.array([[np.nan, 7.0]]),
}


def test_each_series_by_itself_and_all_together() -> None:
    """Of all: (1 + 3 + 10,000 + 30,000) / 4 = 10,001; a series without a channel has that of all."""
    scaler = SeriesScaler.fit(ROWS, "ab")
    every = np.array([1.0, 3, 10_000, 30_000])
    np.testing.assert_allclose(scaler.centre, [[10_001, 5.8], [2, 5], [20_000, 6], [10_001, 7]])
    scales = [[np.std(every), np.std([5, 5, 4, 8, 7])], [1, 0], [10_000, 2], [np.std(every), 0]]
    np.testing.assert_allclose(scaler.scale, scales)
    np.testing.assert_allclose(scaler.unit[:, 1], [np.std([5, 5, 4, 8, 7]), 5, 2, 7])


def test_rows_of_several_series_at_once_are_scaled_and_that_is_undone() -> None:
    scaler = SeriesScaler.fit(ROWS, "ab")
    ids = scaler.ids(tf.constant(["big", "never seen", "small"]))
    assert ids.numpy().tolist() == [2, 0, 1]
    values = tf.constant([[[20_000.0, 6]], [[10_001, np.nan]], [[3, 10]]])
    scaled = tf.function(scaler.apply)(values, ids)
    np.testing.assert_allclose(scaled, [[[0, 0]], [[0, np.nan]], [[1, 1]]], atol=1e-6)
    np.testing.assert_allclose(scaler.invert(scaled, ids), values)
    np.testing.assert_array_equal(scaler.apply_array(ROWS["big"], "big"), [[-1, -1], [1, 1]])


def test_the_level_is_taken_off_before_the_cast() -> None:
    """A meter's readings, whose differences of 0.13 no float32 holds."""
    readings = 123_456_789.25 + 0.13 * np.arange(200.0)[:, None]
    scaler = SeriesScaler.fit({"meter": readings}, ["kwh"])
    scaled = scaler.apply(readings[None], tf.constant([1]))
    back = scaler.invert(scaled, tf.constant([1])).numpy()
    assert np.abs(np.diff(back[0, :, 0]) - 0.13).max() < 1e-5


@pytest.mark.parametrize("power", [-6, 6])
def test_the_size_of_a_series_changes_its_own_scale_alone(power: int) -> None:
    other = SeriesScaler.fit({**ROWS, "small": ROWS["small"] * 10.0**power + 7}, "ab")
    first = SeriesScaler.fit(ROWS, "ab")
    np.testing.assert_array_equal(other.scale[2:, 1], first.scale[2:, 1])
    np.testing.assert_allclose(other.scale[1], first.scale[1] * 10.0**power, rtol=1e-9)


def test_known_series_and_channels_keep_their_numbers() -> None:
    grown = SeriesScaler.fit(ROWS, "ab").grow(
        {"small": np.array([[5.0, 9], [7, 9]]), "new": np.array([[4.0, 8.0]])}, "cb"
    )
    assert (grown.series, grown.channels) == (("small", "big", "gone", "new"), ("c", "b"))
    np.testing.assert_allclose(grown.centre, [[16 / 3, 5.8], [6, 5], [16 / 3, 6], [16 / 3, 7], [4, 8]])


def test_saved_and_loaded_and_files_with_one_scale_for_all(tmp_path: Path) -> None:
    scaler = SeriesScaler.fit(ROWS, "ab", method="robust")
    scaler.save(tmp_path)
    loaded = SeriesScaler.load(tmp_path)
    assert (loaded.series, loaded.channels, loaded.method) == (scaler.series, scaler.channels, "robust")
    np.testing.assert_array_equal(loaded.scale, scaler.scale)
    Scaler("ab", [1, 2], [3, 4]).save(tmp_path)
    np.testing.assert_array_equal(SeriesScaler.load(tmp_path, series=("x", "y")).scale, [[3, 4]] * 3)
    (tmp_path / "scaler.json").write_text(json.dumps({"channels": ["a"], "method": "none"}))
    with pytest.raises(CheckpointError, match=r"scaler\.json: is no scaler \('centre'\); restore the file"):
        SeriesScaler.load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("aa", "x", [[0.0]] * 3, [[1.0]] * 3), "series repeat a name"),
        (("a", "xx", [[0.0, 0]] * 2, [[1.0, 1]] * 2), "channels repeat a name"),
        (("a", "x", [[0.0]], [[1.0]]), "1 series of 1 channels need tables of 2 rows"),
        (("a", "x", [[0.0]] * 2, [[-1.0]] * 2), "scales at least 0"),
        (("a", "x", [[np.nan]] * 2, [[1.0]] * 2), "finite"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, str, list[list[float]], list[list[float]]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SeriesScaler(*arguments)
