"""The fused kernel against its naive twin: outputs, final states and all gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import SimpleRNN
from rnnapps.kernels.loop import loop
from rnnapps.kernels.sequential import scan
from tests.kernels.problems import random_cell, random_problem, results


def assert_same(actual: list, expected: list) -> None:
    for number, (a, b) in enumerate(zip(actual, expected, strict=True)):
        np.testing.assert_allclose(a, b, atol=2e-5, rtol=2e-5, err_msg=f"tensor {number}")


@pytest.mark.parametrize(("time", "masked"), [(2, False), (63, True), (64, False)])
def test_lengths_and_masks(time: int, masked: bool) -> None:
    cell = random_cell("lstm")
    problem = random_problem(cell, 2, time, masked=masked)
    assert_same(results(cell, problem, kernel="graph"), results(cell, problem, kernel="reference"))


@pytest.mark.parametrize("every", [1, 3, 20])
@pytest.mark.parametrize("reverse", [False, True])
def test_recomputation_changes_nothing(every: int, reverse: bool) -> None:
    cell = random_cell("gru_reset_before")  # its update owns a weight matrix
    problem = random_problem(cell, 2, 7, masked=every == 3)
    expected = results(cell, problem, kernel="graph", reverse=reverse)
    assert_same(results(cell, problem, kernel="graph", reverse=reverse, recompute_every=every), expected)


def test_all_ways_to_compile_agree() -> None:
    cell = random_cell("peephole_lstm")
    problem = random_problem(cell, 3, 5, masked=True)
    expected = results(cell, problem, kernel="reference")
    assert_same(results(cell, problem, kernel="xla"), expected)
    assert_same(results(cell, problem, kernel="auto", compiled=True), expected)
    assert_same(results(cell, problem, kernel="graph", compiled=True, recompute_every=2), expected)


def test_batch_and_time_may_vary() -> None:
    cell = random_cell("gru")

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, 3))])
    def run(inputs: tf.Tensor) -> tuple:
        states = cell.initial_states(tf.shape(inputs)[0])
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, _ = scan(cell, cell.project(inputs), states, recompute_every=4)
        return outputs, tape.gradient(outputs, inputs)

    for batch, time in ((1, 1), (3, 9), (2, 8)):
        inputs = random_problem(cell, batch, time, masked=False)["inputs"]
        outputs, gradient = run(inputs)
        states = cell.initial_states(batch)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            expected = []
            for t in range(time):
                output, states = cell(inputs[:, t], states)
                expected.append(output)
            expected = tf.stack(expected, axis=1)
        np.testing.assert_allclose(outputs, expected, atol=1e-6)
        np.testing.assert_allclose(gradient, tape.gradient(expected, inputs), atol=1e-6)


def test_a_shared_gradient_is_stacked_once() -> None:
    """An LSTM adds its projected and recurrent inputs: one gradient serves both."""

    def body(t: tf.Tensor, states: list, now: list) -> tuple:
        new = states[0] + 1.0
        return [new], [new, new, 2 * new]

    @tf.function(autograph=False)
    def run() -> tuple:
        return loop(body, 3, [tf.zeros((1, 2))], backwards=False)

    final, _, (first, again, doubled) = run()
    np.testing.assert_array_equal(final[0], [[3, 3]])
    np.testing.assert_array_equal(first[:, 0, 0], [1, 2, 3])
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(doubled, 2 * first)
    operations = run.get_concrete_function().graph.get_operations()
    assert sum(operation.type == "TensorListReserve" for operation in operations) == 2


def test_parts_of_a_batch_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnapps.kernels.sequential.shards_for", lambda batch, cell: 2)
    cell = random_cell("layer_norm_lstm")
    problem = random_problem(cell, 4, 5, masked=True)
    assert_same(
        results(cell, problem, kernel="xla", reverse=True), results(cell, problem, kernel="graph", reverse=True)
    )


class Difference(SimpleRNN):
    """Depends on its projected and its recurrent input, not only on their sum; both gradients are alike but a sign."""

    def update(self, projected: tf.Tensor, recurrent: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple:
        return (tf.tanh(projected - recurrent),)


@pytest.mark.parametrize("kind", [SimpleRNN, Difference])
def test_only_what_enters_as_a_sum_is_kept_as_one(kind: type) -> None:
    cell = kind(3)
    cell.build((None, 3))
    problem = random_problem(cell, 2, 6, masked=True)
    assert_same(results(cell, problem, kernel="graph"), results(cell, problem, kernel="reference"))


def test_a_gradient_without_training_runs_forward_again() -> None:
    cell = random_cell("lstm")
    inputs = random_problem(cell, 2, 6, masked=False)["inputs"]

    def gradient(training: bool) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, _ = scan(cell, cell.project(inputs), cell.initial_states(2), training=training, recompute_every=4)
        return tape.gradient(outputs, inputs)

    np.testing.assert_allclose(gradient(False), gradient(True), atol=1e-6)
