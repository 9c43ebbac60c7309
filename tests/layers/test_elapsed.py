"""Time between steps: it fades the states of any cell, in either direction, and over steps that are left out."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps import Bidirectional, Recurrent, RecurrentStack, cells
from rnnapps.cells import Elapsed
from rnnapps.errors import ConfigError

ROWS, STEPS, FEATURES, UNITS = 2, 5, 3, 4
GAPS = np.array([[1, 0.5, 3, 0, 2], [0.25, 8, 1, 1, 0.5]], np.float32)


def inputs() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32)


class Adds(cells.Cell):
    """h_t = h_{t-1} + x_t."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.declare_states(1)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def project(self, inputs: Any, training: bool = False) -> Any:
        return inputs

    def recur(self, output: Any) -> Any:
        return ()

    def update(self, projected: Any, recurrent: Any, states: Any) -> Any:
        return (states[0] + projected,)


def test_values_by_hand_with_steps_left_out_in_both_directions() -> None:
    sequence = tf.ones([1, 4, 1])
    gaps, mask = tf.constant([[7.0, 1.0, 2.0, 4.0]]), tf.constant([[True, True, False, True]])
    forwards = Recurrent(Elapsed(Adds(), half_life=1.0))
    np.testing.assert_allclose(forwards(sequence, elapsed=gaps), [[1 + 2**-4 * (1 + 2**-2 * (1 + 2**-1))]], rtol=1e-6)
    masked = forwards(sequence, elapsed=gaps, mask=mask)
    np.testing.assert_allclose(masked, [[1 + 2**-6 * (1 + 2**-1)]], rtol=1e-6)
    backwards = Recurrent(Elapsed(Adds(), half_life=1.0), reverse=True)
    masked = backwards(sequence, elapsed=gaps, mask=mask)
    np.testing.assert_allclose(masked, [[1 + 2**-1 * (1 + 2**-6)]], rtol=1e-6)
    started = forwards(sequence[:, :1], initial_state=tf.constant([[128.0]]), elapsed=gaps[:, :1])
    np.testing.assert_allclose(started, [[2.0]], rtol=1e-6)


def by_hand(cell: cells.Cell, rates: np.ndarray) -> np.ndarray:
    """The last output of an LSTM or mLSTM whose states but logarithms fade, one step after the other."""
    states, output = cell.initial_states(ROWS), None
    for step in range(STEPS):
        faded, begin = [], 0
        for place, state in enumerate(states):
            if place in cell.log_states:
                faded.append(state)
                continue
            rate = rates[begin : begin + state.shape[1]]
            left = np.exp(-GAPS[:, step, None] * rate)
            faded.append(state * left.reshape(*left.shape, *[1] * (len(state.shape) - 2)))
            begin += state.shape[1]
        output, states = cell(inputs()[:, step], faded)
    return np.asarray(output)


@pytest.mark.parametrize("name", ["lstm", "m_lstm", "s_lstm", "min_gru"])
def test_every_state_but_logarithms_fades(name: str) -> None:
    keras.utils.set_random_seed(1)
    cell = Elapsed(cells.make_cell(name, UNITS))
    layer = Recurrent(cell)
    layer.build((None, None, FEATURES))
    rates = np.linspace(0.05, 1.0, cell.fading_rate.shape[0], dtype=np.float32)
    cell.fading_rate.assign(rates)
    np.testing.assert_allclose(layer(inputs(), elapsed=GAPS), by_hand(cell.cell, rates), atol=1e-5)


def test_without_gaps_each_step_is_1_after_the_one_before() -> None:
    layer = Recurrent(Elapsed(cells.GRU(UNITS), half_life=2.0))
    np.testing.assert_allclose(layer(inputs()), layer(inputs(), elapsed=np.ones_like(GAPS)), atol=1e-6)
    assert np.abs(layer(inputs()) - layer(inputs(), elapsed=GAPS)).max() > 0.01
    assert math.isclose(float(layer.cell.fading_rate[0]), math.log(2) / 2, rel_tol=1e-6)


def test_kernels_pieces_stacks_and_directions_agree() -> None:
    keras.utils.set_random_seed(2)
    stack = RecurrentStack([Elapsed(cells.LSTM(UNITS), half_life=1.0), cells.GRU(UNITS)])
    outputs, _ = stack(inputs(), elapsed=GAPS)
    first, states = stack(inputs()[:, :2], elapsed=GAPS[:, :2])
    second, _ = stack(inputs()[:, 2:], states=states, elapsed=GAPS[:, 2:])
    np.testing.assert_allclose(tf.concat([first, second], axis=1), outputs, atol=1e-6)
    plain = Recurrent(stack.cells[0], return_sequences=True, kernel="reference")(inputs(), elapsed=GAPS)
    np.testing.assert_allclose(stack.recurrent_layers[1](plain)[0], outputs, atol=1e-5)
    both = Bidirectional(Recurrent(Elapsed(cells.GRU(UNITS))))
    joined = both(inputs(), elapsed=GAPS)
    np.testing.assert_allclose(joined[:, UNITS:], both.backward(inputs(), elapsed=GAPS), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Recurrent(cells.GRU(3))(inputs(), elapsed=GAPS), r"GRU reads no elapsed time; cells.Elapsed\(GRU"),
        (lambda: Recurrent(Elapsed(cells.GRU(3)))(inputs(), elapsed=GAPS[:, :2]), r"expected elapsed \(batch, time\)"),
        (lambda: Elapsed(cells.GRU(3), half_life=0), "expected a half_life above 0, got 0"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(call: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
