"""A recurrence small enough for a pencil: h_t = x_t + 2 h_{t-1}, its outputs and gradients in every kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import LSTM, SimpleRNN
from rnnapps.errors import ConfigError
from rnnapps.kernels import reference, sequential
from rnnapps.kernels.loop import end, length, loop
from rnnapps.kernels.sealed import Sealed
from rnnapps.kernels.step import Step, autocast, turned

X = [1.0, 2.0, 3.0]
# Valid steps, direction -> states after each step in the order of the inputs, and dL/dx for L = the sum of all of them.
# Forwards from h_0 = 1: 1 + 2 = 3, 2 + 6 = 8, 3 + 16 = 19; x_1 counts 1 + 2 + 4 times.
CASES: list[tuple[list[bool] | None, bool, list[float], list[float]]] = [
    (None, False, [3, 8, 19], [7, 3, 1]),
    (None, True, [25, 12, 5], [1, 3, 7]),
    ([True, False, True], False, [3, 3, 9], [4, 0, 1]),  # step 2 repeats h_1: x_1 counts 1 + 1 + 2 times
    ([True, False, True], True, [11, 5, 5], [1, 0, 4]),
    ([False, False, False], True, [1, 1, 1], [0, 0, 0]),
]
KERNELS: dict[str, Callable[..., Any]] = {
    "reference": reference.scan,
    "sequential": sequential.scan,
    "sequential, nothing kept": lambda *a, **k: sequential.scan(*a, training=False, **k),
    "recomputing": lambda *a, **k: sequential.scan(*a, recompute_every=2, **k),
}
# Slower to trace: two cases, that differ in both respects.
CHOSEN = [(kernel, *case) for kernel in KERNELS for case in (CASES[1:3] if kernel == "recomputing" else CASES)]


@pytest.fixture
def cell() -> SimpleRNN:
    cell = SimpleRNN(1, activation="linear")
    cell.build((None, None, 1))
    cell.set_weights([np.array([[1.0]]), np.array([[2.0]]), np.array([0.0])])
    return cell


@pytest.mark.parametrize(("kernel", "valid", "reverse", "states", "d_x"), CHOSEN)
def test_outputs_and_gradients(
    cell: SimpleRNN, kernel: str, valid: list[bool] | None, reverse: bool, states: list[float], d_x: list[float]
) -> None:
    x, start = tf.constant([X])[..., None], tf.constant([[1.0]])
    mask = None if valid is None else tf.constant([valid])
    with tf.GradientTape() as tape:
        tape.watch([x, start])
        outputs, (final,) = KERNELS[kernel](cell, cell.project(x), [start], mask=mask, reverse=reverse)
    assert outputs[0, :, 0].numpy().tolist() == states
    assert float(final[0, 0]) == states[0 if reverse else -1]
    weight, bias = cell.recurrent_kernel.value, cell.bias.value
    gradients = tape.gradient(outputs, [x, start, weight, bias], unconnected_gradients="zero")
    assert gradients[0][0, :, 0].numpy().tolist() == d_x
    running = list(range(3))[::-1] if reverse else list(range(3))
    counts = [d_x[t] for t in running]
    # A state enters the next valid step by a factor of 2, and is repeated by a masked one.
    before = [1.0, *(states[t] for t in running[:-1])]
    taken = [valid is None or valid[t] for t in running]
    assert float(gradients[2][0, 0]) == sum(c * h for c, h, step in zip(counts, before, taken, strict=True) if step)
    assert float(gradients[3][0]) == sum(d_x)
    d_start = 0.0
    for repeated in reversed(range(4)):  # the first `repeated` steps are masked
        if not any(taken[:repeated]):
            d_start = repeated + (2 * counts[repeated] if repeated < 3 else 0)
            break
    assert float(gradients[1][0, 0]) == d_start


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_gradient_of_the_final_state_alone(cell: SimpleRNN, kernel: str) -> None:
    """It is h_3 = x_3 + 2 x_2 + 4 x_1 + 8 h_0."""
    x, start = tf.constant([X])[..., None], tf.constant([[1.0]])
    with tf.GradientTape() as tape:
        tape.watch([x, start])
        _, (final,) = KERNELS[kernel](cell, cell.project(x), [start])
    d_x, d_start = tape.gradient(final, [x, start])
    assert d_x[0, :, 0].numpy().tolist() == [4, 2, 1]
    assert float(d_start[0, 0]) == 8


@pytest.mark.parametrize("reverse", [False, True])
def test_time_first_spares_the_transpositions_only(cell: SimpleRNN, reverse: bool) -> None:
    x = tf.constant([X, [4.0, 5, 6]])[..., None]
    mask, start = tf.constant([[True, False, True], [True, True, False]]), [tf.constant([[1.0], [2.0]])]
    expected, (last,) = sequential.scan(cell, cell.project(x), start, mask=mask, reverse=reverse)
    projected = cell.project(tf.transpose(x, [1, 0, 2]))
    actual, (final,) = sequential.scan(
        cell, projected, start, mask=tf.transpose(mask), reverse=reverse, time_major=True
    )
    np.testing.assert_array_equal(tf.transpose(actual, [1, 0, 2]), expected)
    np.testing.assert_array_equal(final, last)


@pytest.mark.parametrize(("backwards", "compiled"), [(a, b) for a in (False, True) for b in (False, True)])
def test_a_loop_reads_yields_and_keeps_its_history(backwards: bool, compiled: bool) -> None:
    """State 10 s + read: its digits say in which order the steps ran."""

    def body(t: Any, states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
        return [10 * states[0] + now[0]], [now[0], tf.cast(t, tf.float32)]

    reads = tf.constant([1.0, 2, 3])

    def run(start: Any, reads: Any, keep_history: bool = True) -> Any:
        return loop(body, 3, [start], [reads], backwards=backwards, keep_history=keep_history)

    final, histories, (read, place) = Sealed(run, compiled=compiled)(tf.constant(9.0), reads)
    assert float(final[0]) == (9321 if backwards else 9123)
    assert histories[0].numpy().tolist() == ([9321, 932, 93, 9] if backwards else [9, 91, 912, 9123])
    assert read.numpy().tolist() == [1, 2, 3]
    assert place.numpy().tolist() == [0, 1, 2]
    assert run(tf.constant(9.0), reads, keep_history=False)[1] == []


def test_a_loop_of_no_steps_returns_its_start() -> None:
    def body(t: Any, states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
        return [states[0] + now[0]], [now[0]]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None,))])
    def run(reads: Any) -> Any:
        return loop(body, length(reads), [tf.constant(5.0)], [reads], backwards=False, keep_history=True)

    final, histories, yields = run(tf.zeros((0,)))
    assert (float(final[0]), histories[0].numpy().tolist(), yields[0].numpy().tolist()) == (5, [5], [])
    final, histories, yields = run(tf.constant([1.0, 2.0]))
    assert (float(final[0]), histories[0].numpy().tolist(), yields[0].numpy().tolist()) == (8, [5, 6, 8], [1, 2])


def test_a_compiled_loop_is_a_program_of_its_own() -> None:
    def body(t: Any, states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
        return [states[0] + 1], [states[0]]

    def must_compile(compiled: bool) -> bool:
        sealed = Sealed(lambda start: loop(body, 2, [start], backwards=False), compiled=compiled)
        run = tf.function(lambda: sealed(tf.zeros(1)), autograph=False)
        functions = run.get_concrete_function().graph.as_graph_def().library.function
        return any("_XlaMustCompile" in function.attr for function in functions)

    assert [must_compile(False), must_compile(True)] == [False, True]


def test_forward_mode_through_a_compiled_loop_in_a_function() -> None:
    """start * factor^3 by the factor, which the body uses from its surroundings, and then by the factor once more."""

    def run(start: Any, factor: Any) -> Any:
        return loop(lambda _, states, now: ([states[0] * factor], []), 3, [start], backwards=False)[0][0]

    @tf.function(autograph=False)
    def derivatives(factor: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(factor)
            with tf.autodiff.ForwardAccumulator(factor, tf.constant(10.0)) as accumulator:
                result = Sealed(run, compiled=True)(tf.constant(5.0), factor)
            tangent = accumulator.jvp(result)
        return result, tangent, tape.gradient(tangent, factor)

    # 5 * 8; 10 times 5 * 3 * 4; 10 times 5 * 6 * 2
    assert [float(value) for value in derivatives(tf.constant(2.0))] == [40, 600, 600]


def test_forward_mode_in_a_function_says_that_a_varying_number_of_steps_cannot_be() -> None:
    def run(start: Any, reads: Any) -> Any:
        return loop(lambda _, states, now: ([states[0] + now[0]], []), length(reads), [start], [reads], backwards=False)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None,))])
    def derivative(reads: Any) -> Any:
        with tf.autodiff.ForwardAccumulator(reads, tf.ones_like(reads)):
            return Sealed(run, compiled=False)(tf.constant(0.0), reads)[0]

    with pytest.raises(ConfigError, match=r"forward mode: .* fixed number of time steps"):
        derivative(tf.ones(3))


def test_ends_of_sequences_also_of_empty_and_of_bool_ones() -> None:
    values, flags = tf.constant([[1.0], [2.0], [3.0]]), tf.constant([True, False])
    assert (end(values).numpy().tolist(), end(values, last=True).numpy().tolist()) == ([1], [3])
    assert (bool(end(flags)), bool(end(flags, last=True))) == (True, False)
    assert end(values[:0]).numpy().tolist() == [0]
    assert not bool(end(flags[:0], last=True))


def test_matrices_are_turned_where_many_rows_meet_them() -> None:
    weights = [tf.reshape(tf.range(6.0), (2, 3)), tf.range(3.0), tf.zeros((2, 3, 4))]
    shapes = {rows: [tuple(weight.shape) for weight in turned(weights, rows)] for rows in (None, 1, 7, 8)}
    assert shapes[None] == shapes[8] == [(3, 2), (3,), (2, 3, 4)]
    assert shapes[1] == shapes[7] == [(2, 3), (3,), (2, 3, 4)]
    np.testing.assert_array_equal(turned(turned(weights, 8), 8)[0], weights[0])


def test_a_step_computes_with_the_weights_it_is_given() -> None:
    cell = SimpleRNN(1, activation="linear")
    cell.build((None, 1))
    x, output = tf.constant([[3.0]]), tf.constant([[5.0]])
    step, weights = Step(cell, x), [tf.constant([[7.0]]), tf.constant([[2.0]]), tf.constant([100.0])]
    (recurrent,) = step.recur(output, weights)
    assert float(recurrent[0, 0]) == 10
    assert float(step.update([x], [recurrent], [output], weights)[0][0, 0]) == 13
    assert float(step.recur_gradient(output, weights, [tf.constant([[4.0]])])[0, 0]) == 8
    d_kernel, d_recurrent, d_bias = step.recur_weight_gradients(output, weights, [tf.constant([[4.0]])])
    assert (float(d_kernel[0, 0]), float(d_recurrent[0, 0]), float(d_bias[0])) == (0, 20, 0)


def test_a_step_knows_which_weights_its_update_reads() -> None:
    """The peepholes of this cell are a vector, its second matrix multiplies within the update."""

    class Own(SimpleRNN):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.peephole = self.add_weight((1,), "ones", name="peephole")
            self.matrix = self.add_weight((1, 1), "ones", name="matrix")

        def update(self, projected: Any, recurrent: Any, states: Any) -> Any:
            return (projected + recurrent + states[0] * self.peephole + tf.matmul(states[0], self.matrix),)

    cell = Own(1)
    cell.build((None, 1))
    x, weights = tf.constant([[3.0], [1.0]]), [weight.value for weight in cell.weights]
    step = Step(cell, x)
    recurrents = step.recur(x, weights)
    step.update([x], recurrents, [x], weights)
    names = [weight.name for weight in cell.weights]
    vectors, matrices = step.update_weights(weights)
    assert ([names[n] for n in vectors], [names[n] for n in matrices]) == (["peephole"], ["matrix"])
    d_x, d_recurrents, d_states, d_weights, _ = step.update_gradient(
        [x], recurrents, [tf.identity(x)], weights, d_new=[tf.ones_like(x)], wanted=[*vectors, *matrices]
    )
    assert d_x[0].numpy().tolist() == d_recurrents[0].numpy().tolist() == [[1], [1]]
    assert d_states[0].numpy().tolist() == [[2], [2]]
    assert [float(tf.reduce_sum(gradient)) for gradient in d_weights] == [4, 4]


def test_weights_show_the_compute_dtype_within_the_scope() -> None:
    cell = LSTM(2, dtype="mixed_bfloat16")
    cell.build((None, 2))
    with autocast(cell):
        assert tf.convert_to_tensor(cell.kernel).dtype == tf.bfloat16
    assert tf.convert_to_tensor(cell.kernel).dtype == tf.float32
