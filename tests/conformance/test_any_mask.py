"""Any mask and any number of steps, in both directions: the fused kernel agrees with its naive twin."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.kernels import reference, sequential
from rnnapps.testing.subject import ScanArguments
from tests.conformance.descriptors import subject

SUBJECT = subject("lstm")
SPECS = [
    tf.TensorSpec((None, None, 3)),
    [tf.TensorSpec((None, 4))] * 2,
    tf.TensorSpec((None, None), tf.bool),
    tf.TensorSpec((None, None, 4)),
    [tf.TensorSpec((None, 4))] * 2,
]


@tf.function(input_signature=SPECS, autograph=False)
def forwards(*arguments):
    return SUBJECT.differentiate(sequential.scan, ScanArguments(*arguments))


@tf.function(input_signature=SPECS, autograph=False)
def backwards(*arguments):
    return SUBJECT.differentiate(sequential.scan, ScanArguments(*arguments), reverse=True)


@given(
    masks=st.integers(1, 9).flatmap(
        lambda time: st.lists(st.lists(st.booleans(), min_size=time, max_size=time), min_size=1, max_size=4)
    ),
    reverse=st.booleans(),
)
def test_any_mask(masks: list[list[bool]], reverse: bool) -> None:
    mask = np.array(masks)
    problem = SUBJECT.problem(time=mask.shape[1], batch=mask.shape[0])
    arguments = problem.arguments(tf.constant(mask))
    expected = SUBJECT.differentiate(reference.scan, arguments, reverse=reverse)
    actual = (backwards if reverse else forwards)(*arguments[: len(SPECS)])
    SUBJECT.compare(actual, expected, f"mask {masks}")
    rows = ~mask.any(axis=1)
    np.testing.assert_array_equal(actual["gradient of inputs"].numpy()[~mask], 0)
    np.testing.assert_array_equal(actual["final state 1"].numpy()[rows], problem.states[1].numpy()[rows])
