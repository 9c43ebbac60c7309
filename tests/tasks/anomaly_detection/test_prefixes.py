"""What came of all rows up to each, against one row after another."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.anomaly_detection.prefixes import running_max, running_recurrence


@pytest.mark.parametrize("steps", [0, 1, 2, 7, 32, 33])
@pytest.mark.parametrize("size", [None, "known"])
def test_prefixes_are_those_of_row_after_row(steps: int, size: str | None) -> None:
    draw = np.random.default_rng(steps)
    factors, summands = draw.random((2, 3, steps, 4)).astype(np.float32)
    start = draw.normal(size=(3, 4)).astype(np.float32)
    numbers = draw.integers(-9, 9, (3, steps, 4)).astype(np.int32)
    shape = (3, None if size is None else steps, 4)
    floats = tf.TensorSpec(shape, tf.float32)
    recur = tf.function(running_recurrence, input_signature=[floats, floats, tf.TensorSpec((3, 4))], autograph=False)
    most = tf.function(running_max, input_signature=[tf.TensorSpec(shape, tf.int32)], autograph=False)
    expected, state = np.zeros((3, steps, 4)), start.astype(float)
    for step in range(steps):
        state = factors[:, step] * state + summands[:, step]
        expected[:, step] = state
    np.testing.assert_allclose(recur(factors, summands, start), expected, atol=1e-6)
    np.testing.assert_array_equal(most(numbers), np.maximum.accumulate(numbers, axis=1))
