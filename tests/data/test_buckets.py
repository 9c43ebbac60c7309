"""Length buckets against exhaustive search and counting."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnapps.data.buckets import LengthBuckets

LENGTHS = st.integers(1, 3).flatmap(
    lambda sides: st.integers(1, 40).flatmap(lambda rows: arrays(np.int64, (rows, sides), elements=st.integers(1, 30)))
)


def test_borders_by_hand() -> None:
    lengths = np.array([9, 1, 2, 10, 1, 9])
    buckets = LengthBuckets(lengths, batch_size=2, buckets=2)
    assert buckets.widths.tolist() == [[2], [10]]
    assert LengthBuckets(lengths, batch_size=2, buckets=2, multiple=4).widths.tolist() == [[4], [12]]
    assert LengthBuckets(lengths, batch_size=4, buckets=2).widths.tolist() == [[10]]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(1, 3), st.integers(1, 3))
def test_no_borders_pad_less(lengths: list[int], batch_size: int, most: int) -> None:
    buckets = LengthBuckets(np.array(lengths), batch_size=batch_size, buckets=most)
    ordered = sorted(lengths)
    padded = sum(int(min(width for (width,) in buckets.widths if width >= length)) for length in ordered)
    assert padded == min(_padded(ordered, ends) for ends in _cuts(ordered, batch_size, most))


def _cuts(ordered: list[int], smallest: int, most: int) -> Any:
    examples = len(ordered)
    changes = [end for end in range(1, examples) if ordered[end - 1] < ordered[end]]
    for count in range(most):
        for ends in itertools.combinations(changes, count):
            sizes = np.diff([0, *ends, examples])
            if min(sizes) >= min(smallest, examples):
                yield (*ends, examples)


def _padded(ordered: list[int], ends: tuple[int, ...]) -> int:
    return sum((end - start) * ordered[end - 1] for start, end in zip((0, *ends), ends, strict=False))


@given(LENGTHS, st.integers(1, 8), st.integers(1, 5), st.integers(0, 3))
def test_every_example_is_drawn_equally_often_and_fits(lengths: Any, batch_size: int, most: int, seed: int) -> None:
    buckets = LengthBuckets(lengths, batch_size=batch_size, buckets=most, seed=seed)
    drawn = np.zeros(len(lengths), np.int64)
    steps = 40 * buckets.steps_per_epoch
    for step in range(steps):
        rows, widths = buckets.batch(step)
        assert rows.shape == (batch_size,) and (lengths[rows] <= widths).all()
        np.add.at(drawn, rows, 1)
    expected = steps * batch_size / len(lengths)
    assert (abs(drawn - expected) <= 2 * len(buckets.widths) * batch_size / min(batch_size, len(lengths)) + 2).all()


def test_a_batch_depends_on_seed_and_step_only() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, (100, 2))
    first, again = (LengthBuckets(lengths, batch_size=8, seed=3) for _ in range(2))
    late = [(each["rows"].numpy(), each["widths"].numpy()) for each in again.batches(37).take(3)]
    for step, (rows, widths) in enumerate(late, 37):
        np.testing.assert_array_equal(rows, first.batch(step)[0])
        np.testing.assert_array_equal(widths, first.batch(step)[1])
    other = LengthBuckets(lengths, batch_size=8, seed=4)
    assert any((other.batch(step)[0] != first.batch(step)[0]).any() for step in range(3))


def test_identical_lengths_make_one_width_and_many_sizes_are_thinned_out() -> None:
    assert LengthBuckets(np.full(50, 7), batch_size=4).widths.tolist() == [[7]]
    buckets = LengthBuckets(np.arange(1, 2001), batch_size=10, buckets=4)
    assert len(buckets.widths) == 4 and buckets.widths[-1] == 2000
    np.testing.assert_allclose(buckets.widths[:, 0], [500, 1000, 1500, 2000], atol=10)


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"batch_size": 1, "buckets": 0}])
def test_bad_arguments(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LengthBuckets(np.ones(3), **arguments)
    with pytest.raises(ValueError, match="needs examples"):
        LengthBuckets(np.ones(0), batch_size=1)
