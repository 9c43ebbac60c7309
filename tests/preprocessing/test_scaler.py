"""The scaler knows training rows alone, ignores what is missing, and is undone exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.scaler import Scaler

ROWS = [np.array([[1.0, 5, np.nan, 7], [3, 5, np.nan, np.nan]], np.float32), np.array([[8, 5, np.nan, 9]], np.float32)]


def test_standard_is_mean_and_deviation_of_what_is_present() -> None:
    scaler = Scaler.fit(ROWS, "abcd")
    np.testing.assert_allclose(scaler.centre, [4, 5, 0, 8])
    np.testing.assert_allclose(scaler.scale, [np.std([1, 3, 8]), 1, 1, 1])


def test_robust_is_median_and_quartiles() -> None:
    scaler = Scaler.fit([np.arange(101.0)[:, None]], "a", method="robust")
    assert (scaler.centre[0], scaler.scale[0]) == (50, 0.7413 * 50)
    assert Scaler.fit(ROWS, "abcd", method="none").scale.tolist() == [1, 1, 1, 1]


def test_small_changes_at_a_large_level_are_no_constant() -> None:
    column = 1e6 + np.array([0.0, 0.5, 1.0, 0.5])[:, None]
    assert Scaler.fit([column], "a").scale[0] == pytest.approx(np.std(column))


def test_graph_and_array_agree_and_undo_each_other() -> None:
    scaler = Scaler.fit(ROWS, "abcd")
    scaled = tf.function(scaler.apply)(tf.constant(ROWS[0]))
    np.testing.assert_allclose(scaled, scaler.apply_array(ROWS[0]), rtol=1e-6)
    assert np.isnan(scaled[0, 2])
    np.testing.assert_allclose(scaler.invert(scaled), ROWS[0], rtol=1e-6)
    np.testing.assert_allclose(scaler.invert_array(scaler.apply_array(ROWS[0])), ROWS[0], rtol=1e-6)


def test_new_channels_are_matched_by_name() -> None:
    scaler = Scaler.fit(ROWS, "abcd")
    grown = scaler.grow([np.array([[10.0, 100], [30, 100]])], ("new", "a"))
    assert grown.channels == ("new", "a")
    np.testing.assert_allclose(grown.centre, [20, 4])
    np.testing.assert_allclose(grown.scale, [10, np.std([1, 3, 8])])


def test_saved_and_loaded(tmp_path: Path) -> None:
    scaler = Scaler.fit(ROWS, "abcd", method="robust")
    scaler.save(tmp_path)
    loaded = Scaler.load(tmp_path)
    assert (loaded.channels, loaded.method) == (scaler.channels, "robust")
    np.testing.assert_array_equal(loaded.scale, scaler.scale)
    (tmp_path / "scaler.json").write_text('{"channels": ["a"], "centre": [0], "scale": [0], "method": "none"}')
    with pytest.raises(CheckpointError, match=r"scaler\.json: is no scaler \(centres and scales must be finite"):
        Scaler.load(tmp_path)


@pytest.mark.parametrize(
    "arguments", [("aa", [0, 0], [1, 1]), ("ab", [0], [1]), ("a", [0], [-1]), ("a", [np.nan], [1])]
)
def test_wrong_numbers(arguments: tuple[str, list[float], list[float]]) -> None:
    with pytest.raises(ValueError):
        Scaler(*arguments)
