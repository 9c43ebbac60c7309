"""The scaler knows training rows alone, ignores what is missing, and is undone exactly."""

from __future__ import annotations

import json
import math
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


def test_the_floor_of_a_scale() -> None:
    """Deviations up to a millionth of a millionth of the level are rounding: such a channel counts as constant."""
    for level, deviation, expected in [
        (1000.0, 0.9e-9, 1.0),
        (-1000.0, 0.9e-9, 1.0),
        (1000.0, 1.2e-9, 1.2e-9),
        (1000e-9, 1.2e-18, 1.2e-18),
        (0.0, 1e-23, 1e-23),
        (0.0, 0.9e-24, 0.9e-24),
    ]:
        column = np.array([level - deviation, level + deviation])[:, None]
        assert Scaler.fit([column], "a").scale[0] == pytest.approx(expected, rel=0.2)


def test_a_channel_whose_quartiles_agree_counts_as_constant() -> None:
    column = np.array([2.0, 5, 5, 5, 5, 5, 99])[:, None]
    scaler = Scaler.fit([column[:4], column[4:]], "a", method="robust")
    assert (scaler.centre[0], scaler.scale[0]) == (5, 1)


def test_a_channel_that_is_never_present() -> None:
    missing = np.full((3, 1), np.nan)
    for method in ("standard", "robust"):
        scaler = Scaler.fit([missing], "a", method=method)
        assert (scaler.centre[0], scaler.scale[0], scaler.method) == (0, 1, method)


def test_standard_by_default_and_by_hand() -> None:
    """(1 + 3 + 8) / 3 = 4; sqrt((9 + 1 + 16) / 3)."""
    scaler = Scaler.fit([np.array([[1.0], [3.0], [8.0], [np.inf]])], "a")
    assert (scaler.centre[0], scaler.method) == (4, "standard")
    assert scaler.scale[0] == pytest.approx(math.sqrt(26 / 3))
    assert scaler.apply_array(np.array([[12.5]]))[0, 0] == pytest.approx(8.5 / math.sqrt(26 / 3))
    assert Scaler("a", [1], [2]).method == "standard"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("aa", [0, 0], [1, 1], "none"), "channels repeat a name"),
        (("ab", [0], [1, 1], "none"), "2 channels need as many centres and scales"),
        (("ab", [0, 0], [1], "none"), "2 channels need as many centres and scales"),
        (("a", [np.inf], [1], "none"), "finite"),
        (("a", [0], [np.inf], "none"), "finite"),
        (("a", [0], [0], "none"), "scales above 0"),
        (("a", [0], [1], "best"), "method must be one of standard, robust, none, not best"),
    ],
)
def test_each_wrong_argument(arguments: tuple[str, list[float], list[float], str], message: str) -> None:
    channels, centre, scale, method = arguments
    with pytest.raises(ValueError, match=message):
        Scaler(channels, centre, scale, method=method)  # type: ignore[arg-type]


def test_files_of_several_scalers_and_what_they_hold(tmp_path: Path) -> None:
    Scaler("ab", [1, 2], [3, 4]).save(tmp_path)
    Scaler("c", [5], [6], method="none").save(tmp_path, name="other")
    stored = json.loads((tmp_path / "scaler.json").read_text())
    assert stored == {"method": "standard", "channels": ["a", "b"], "centre": [1.0, 2.0], "scale": [3.0, 4.0]}
    assert Scaler.load(tmp_path, name="other").channels == ("c",)
    assert Scaler.load(tmp_path).channels == ("a", "b")
    (tmp_path / "scaler.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"scaler\.json: is no scaler \('channels'\); restore the file"):
        Scaler.load(tmp_path)
    (tmp_path / "scaler.json").write_text("[]")
    with pytest.raises(CheckpointError):
        Scaler.load(tmp_path)


def test_a_graph_of_doubles_is_scaled_in_doubles() -> None:
    """1e9 + 1 has no float32: the difference must be taken before the cast."""
    scaled = Scaler("a", [1e9], [2.0]).apply(tf.constant([[1e9 + 1]], tf.float64))
    assert (scaled.dtype, float(scaled[0, 0])) == (tf.float32, 0.5)
    assert float(Scaler("a", [1e9], [2.0]).invert(tf.constant([[0.5]], tf.float64))[0, 0]) == 1e9 + 1


def test_sums_of_single_precision_rows_are_taken_in_double() -> None:
    """2 ** 24 + 1 has no float32."""
    column = np.array([[2.0**24], [1.0], [1.0], [0.0]], np.float32)
    assert Scaler.fit([column], "a").centre[0] == (2**24 + 2) / 4
    column = np.array([[4096.0], [-4096.0], [1.0], [-1.0]], np.float32)
    assert Scaler.fit([column], "a").scale[0] == math.sqrt((2 * 2**24 + 2) / 4)


def test_new_channels_are_fitted_as_the_known_ones_were() -> None:
    grown = Scaler("a", [1], [2], method="robust").grow([np.array([[0.0], [1], [50]])], "b")
    assert (grown.centre[0], grown.method) == (1, "robust")
