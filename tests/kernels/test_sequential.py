"""The fused kernel against its naive twin: outputs, final states and all gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, MinGRU, SimpleRNN
from rnnapps.kernels import reference
from rnnapps.kernels.loop import loop
from rnnapps.kernels.passes import Passes, PassInputs
from rnnapps.kernels.sequential import scan
from rnnapps.kernels.step import Step
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
    batches = []
    monkeypatch.setattr("rnnapps.kernels.sequential.shards_for", lambda batch, cell: batches.append(batch) or 2)
    cell = random_cell("layer_norm_lstm")
    problem = random_problem(cell, 6, 5, masked=True)
    assert_same(
        results(cell, problem, kernel="xla", reverse=True), results(cell, problem, kernel="graph", reverse=True)
    )
    assert set(batches) == {6}  # loops that are not compiled are never cut


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


@pytest.mark.parametrize(("kind", "summed"), [(SimpleRNN, True), (Difference, False), (GRU, False), (MinGRU, False)])
def test_what_the_forward_pass_keeps(kind: type, summed: bool) -> None:
    cell = kind(3)
    cell.build((None, 2))
    xs = tf.nest.flatten(cell.project(tf.ones((4, 2, 2))))
    step = Step(cell, cell.project(tf.ones((2, 2))))
    inputs = PassInputs(xs, None, cell.initial_states(2), [weight.value for weight in cell.weights])
    outputs, (final,), saved = Passes(step, reverse=False, compiled=False).forward(inputs)
    assert saved.summed is summed
    assert [tuple(history.shape) for history in saved.histories] == [(5, 2, 3)]
    np.testing.assert_array_equal(saved.histories[0][1:], outputs)
    np.testing.assert_array_equal(final, outputs[-1])


def test_a_cell_of_two_projections_and_a_mask() -> None:
    cell = random_cell("min_lstm")
    problem = random_problem(cell, 2, 4, masked=True)
    projected, options = cell.project(problem["inputs"]), {"mask": problem["mask"], "reverse": True}
    expected, (last,) = reference.scan(cell, projected, problem["states"], **options)
    for training in (False, True):
        actual, (final,) = scan(cell, projected, problem["states"], training=training, **options)
        np.testing.assert_allclose(actual, expected, atol=1e-6)
        np.testing.assert_allclose(final, last, atol=1e-6)


@pytest.mark.parametrize(("options", "loops"), [({}, 2), ({"training": False}, 3), ({"training": True}, 2)])
def test_a_gradient_runs_the_forward_loop_once_unless_told_to_keep_nothing(options: dict, loops: int) -> None:
    cell = random_cell("simple_rnn")

    @tf.function(autograph=False)
    def gradient(inputs: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, _ = scan(cell, cell.project(inputs), cell.initial_states(2), **options)
        return tape.gradient(outputs, inputs)

    graph = gradient.get_concrete_function(tf.TensorSpec((2, 3, 3))).graph
    assert sum(operation.type.endswith("While") for operation in graph.get_operations()) == loops
