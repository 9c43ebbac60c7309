"""Given ids in parts: as the whole, and with the same bits beside any other row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.decoding.given_ids import judge_ids, read_in_parts, sum_of_rows

IDS, PART = 5, 4
TABLE = np.random.default_rng(0).normal(size=(IDS, IDS)).astype(np.float32)
LENGTHS = np.array([11, 0, 4, 5], np.int32)
READS, WANTED = (np.random.default_rng(seed).integers(0, IDS, (4, 11)).astype(np.int32) for seed in (1, 2))


def read(ids: list[Any], inside: Any, states: list[Any]) -> tuple[list[Any], list[Any]]:
    """Logits are the sum of the table's rows of all ids so far; further, how many ids there were."""
    valid = tf.sequence_mask(inside, tf.shape(ids[0])[1], tf.float32)[..., None]
    sums = states[0][:, None] + tf.cumsum(tf.gather(TABLE, ids[0]) * valid, axis=1)
    counts = states[1][:, None] + tf.cumsum(valid, axis=1)
    return [sums, counts], [sums[:, -1], counts[:, -1]]


def states(rows: int) -> list[Any]:
    return [tf.zeros((rows, IDS)), tf.zeros((rows, 1))]


def judged(reads: Any, wanted: Any, lengths: Any) -> list[Any]:
    begin = [tf.zeros((tf.shape(reads)[0], size)) for size in (IDS, 1)]
    return judge_ids(read, reads, wanted, lengths, states=begin, part=PART, further=1)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("time", [3, 4, 11])
def test_parts_are_the_whole(time: int, traced: bool) -> None:
    spec = [tf.TensorSpec((None, None), tf.int32)] * 2 + [tf.TensorSpec((None,), tf.int32)]
    run = tf.function(judged, input_signature=spec, autograph=False) if traced else judged
    lengths = np.minimum(LENGTHS, time)
    found, counts = run(tf.constant(READS[:, :time]), tf.constant(WANTED[:, :time]), tf.constant(lengths))
    assert found.shape == (4, time) and counts.shape == (4, time, 1)
    for row, length in enumerate(lengths):
        sums = np.cumsum(TABLE[READS[row, :length]].astype(np.float64), axis=0)
        logs = sums - np.log(np.exp(sums).sum(axis=-1, keepdims=True))
        np.testing.assert_allclose(found[row, :length], logs[np.arange(length), WANTED[row, :length]], atol=1e-5)
        np.testing.assert_array_equal(counts[row, :length, 0], np.arange(1, length + 1))
        assert not found[row, length:].numpy().any() and not counts[row, length:].numpy().any()


def test_the_last_states_are_those_behind_each_row() -> None:
    _, (sums, counts) = read_in_parts(
        read, [tf.constant(READS)], tf.constant(LENGTHS), states(4), part=PART, ranks=(3, 3)
    )
    assert counts[:, 0].numpy().tolist() == LENGTHS.tolist()
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(sums[row], TABLE[READS[row, :length]].sum(axis=0), atol=1e-5)


def test_zeros_behind_a_row_change_no_bit_of_its_sum() -> None:
    values = np.random.default_rng(3).normal(size=(3, 37)).astype(np.float32)
    alone = sum_of_rows(tf.constant(values)).numpy()
    for width in (38, 64, 1000):
        wide = np.zeros((3, width), np.float32)
        wide[:, :37] = values
        np.testing.assert_array_equal(sum_of_rows(tf.constant(wide)), alone)
    np.testing.assert_allclose(alone, values.astype(np.float64).sum(axis=1), rtol=1e-5)
    assert sum_of_rows(tf.zeros((2, 0))).numpy().tolist() == [0, 0]
