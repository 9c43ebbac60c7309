"""Windows are gathered from the stored rows, repeat exactly, and never see past their part."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import parse_frequency
from rnnapps.data.series.series import Series, SeriesPart, split_in_time
from rnnapps.data.series.windows import StoredSeries
from rnnapps.errors import DataError
from rnnapps.preprocessing.scaler import Scaler


def counting(name: str, rows: int, first: float = 0.0) -> Series:
    times = np.datetime64("2024-01-01", "ns") + np.arange(rows) * np.timedelta64(3600 * 10**9, "ns")
    values = (first + np.arange(rows, dtype=np.float32))[:, None]
    return Series(name, times, values, ("v",), frequency=parse_frequency("1h"))


def test_windows_are_the_rows_around_their_origin() -> None:
    parts = [SeriesPart(counting("a", 10), 0, 10), SeriesPart(counting("b", 12, 100), 8, 12)]
    stored = StoredSeries(parts, history_steps=3, horizon_steps=2)
    assert stored.origins().tolist() == [[0, origin] for origin in range(3, 9)] + [[1, origin] for origin in (8, 9, 10)]
    (batch,) = stored.ordered(batch_size=100)
    assert batch["values"][0, :, 0].numpy().tolist() == [0, 1, 2, 3, 4]
    assert batch["values"][-1, :, 0].numpy().tolist() == [107, 108, 109, 110, 111]
    assert batch["times"][0].numpy().tolist() == [1704067200 + 3600 * row for row in range(5)]
    assert bool(tf.reduce_all(batch["valid"]))


def test_short_histories_begin_with_rows_that_are_not_valid() -> None:
    part = SeriesPart(counting("a", 4), 0, 4)
    stored = StoredSeries([part], history_steps=3, horizon_steps=1, minimum_history=1)
    (batch,) = stored.ordered(batch_size=10)
    assert batch["valid"].numpy().tolist()[0] == [False, False, True, True]
    np.testing.assert_array_equal(batch["values"][0, :, 0], [np.nan, np.nan, 0, 1])
    with pytest.raises(DataError, match=r"a window of 3 \+ 2 rows does not fit: the longest part ends at row 4"):
        StoredSeries([part], history_steps=3, horizon_steps=2)


@pytest.mark.parametrize("start", [0, 3])
def test_a_batch_depends_on_seed_and_step_alone(start: int) -> None:
    parts = [SeriesPart(counting("a", 50), 0, 50), SeriesPart(counting("b", 40), 0, 40)]
    first, again = (StoredSeries(parts, history_steps=5, horizon_steps=3) for _ in range(2))
    whole = list(first.batches(batch_size=8, seed=7, start_step=0).take(6))
    for step, batch in enumerate(again.batches(batch_size=8, seed=7, start_step=start).take(3), start=start):
        np.testing.assert_array_equal(batch["values"], whole[step]["values"])
    other = next(iter(first.batches(batch_size=8, seed=8, start_step=0)))
    assert not np.array_equal(other["values"], whole[0]["values"])


def test_every_window_is_drawn_about_equally_often() -> None:
    parts = [SeriesPart(counting("a", 10), 0, 10), SeriesPart(counting("b", 30), 0, 30)]
    stored = StoredSeries(parts, history_steps=4, horizon_steps=1)
    drawn = [batch for batch in stored.batches(batch_size=64, seed=1, start_step=0).take(100)]
    pairs = np.concatenate([np.stack([batch["part"], batch["origin"]], 1) for batch in drawn])
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    assert found.tolist() == stored.origins().tolist()
    assert counts.min() > 0.7 * counts.mean()


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    history=st.integers(1, 12),
    horizon=st.integers(0, 8),
    shares=st.tuples(st.floats(0.05, 0.4), st.floats(0.0, 0.4)),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=15, deadline=None)
def test_no_training_window_sees_later_rows(
    lengths: list[int], history: int, horizon: int, shares: tuple[float, float], seed: int
) -> None:
    """Every row behind the training rows is poisoned: no window, and no scale, may change."""
    series = [counting(str(number), length) for number, length in enumerate(lengths)]
    config = SeriesDataConfig(validation_fraction=shares[0], test_fraction=shares[1])
    try:
        parts = split_in_time(series, config).train
        stored = StoredSeries(parts, history_steps=history, horizon_steps=horizon)
    except DataError:
        return
    clean, scaler = _seen(stored, seed), Scaler.fit([part.rows().values for part in parts], ("v",))
    poisoned = [_poisoned(part) for part in parts]
    again = StoredSeries(poisoned, history_steps=history, horizon_steps=horizon)
    np.testing.assert_array_equal(clean, _seen(again, seed))
    assert np.isfinite(clean).all()
    spoilt = Scaler.fit([part.rows().values for part in poisoned], ("v",))
    assert (scaler.centre, scaler.scale) == (spoilt.centre, spoilt.scale)


def _poisoned(part: SeriesPart) -> SeriesPart:
    values = part.series.values.copy()
    values[part.stop :] = np.nan
    return SeriesPart(dataclasses.replace(part.series, values=values), part.start, part.stop)


def _seen(stored: StoredSeries, seed: int) -> np.ndarray:
    drawn = next(iter(stored.batches(batch_size=16, seed=seed, start_step=0)))["values"]
    pairs = tf.constant(stored.origins())
    return np.concatenate([drawn, stored.gather(pairs[:, 0], pairs[:, 1])["values"]])


def test_windows_are_not_materialised() -> None:
    """A data set of a million windows of 1,000 rows takes the memory of its rows alone."""
    stored = StoredSeries([SeriesPart(counting("a", 1_000_000), 0, 1_000_000)], history_steps=900, horizon_steps=100)
    kept = sum(table.numpy().nbytes for table in stored.tables.values())
    assert kept <= 1_000_000 * (4 + 8)
    assert next(iter(stored.batches(batch_size=4, seed=0, start_step=0)))["values"].shape == (4, 1000, 1)
