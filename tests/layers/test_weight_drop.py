"""Weight-drop: one mask of the recurrent weights a call, for any cell and kernel, nothing at inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, Cell, EchoState, Elapsed, IndRNN, MinGRU, MultiHead, SimpleRNN
from rnnapps.config import RecurrentConfig
from rnnapps.errors import ConfigError
from rnnapps.kernels.random_mask import drawn_for_part, random_mask
from rnnapps.layers import Bidirectional, Recurrent, recurrent_stack
from rnnapps.types import Array, Nest, Tensor
from tests.conformance.descriptors import ROWS

RATE, SEED = 0.4, 3
INPUTS = np.random.default_rng(0).normal(size=(2, 4, 3))


def mask(shape: Sequence[int], number: int = 0) -> Array:
    """What the recurrent weights are multiplied by, the first or a later one that is drawn after the seed."""
    generator = keras.random.SeedGenerator(SEED)
    seeds = [generator.next() for _ in range(number + 1)]
    return np.asarray(random_mask(shape, 1 - RATE, seeds[-1])) / (1 - RATE)


def outputs_of(weights: dict[str, Array]) -> Array:
    """All outputs of a simple RNN in NumPy."""
    h, steps = np.zeros((2, 5)), []
    for t in range(INPUTS.shape[1]):
        h = np.tanh(INPUTS[:, t] @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"])
        steps.append(h)
    return np.stack(steps, axis=1)


@pytest.mark.parametrize("kernel", ["graph", "xla", "reference"])
def test_outputs_and_gradients_are_those_of_numpy_with_the_mask(kernel: Any) -> None:
    layer = Recurrent(
        SimpleRNN(5, dtype="float64"),
        return_sequences=True,
        weight_drop=RATE,
        seed=SEED,
        kernel=kernel,
        dtype="float64",
    )
    layer.build(INPUTS.shape)
    with tf.GradientTape() as tape:
        outputs = layer(tf.constant(INPUTS), training=True)
        loss = tf.reduce_sum(tf.sin(outputs))
    gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_variables])
    own = {weight.name: weight.numpy().copy() for weight in layer.trainable_variables}
    kept = mask((5, 5))
    dropped = own | {"recurrent_kernel": own["recurrent_kernel"] * kept}
    np.testing.assert_allclose(outputs, outputs_of(dropped), rtol=1e-12)
    assert np.array_equal(np.asarray(gradients[1]) == 0, kept == 0) and 0 < (kept == 0).sum() < 25
    for name, gradient in zip(own, gradients, strict=True):
        for place in [(0,) * own[name].ndim, (-1,) * own[name].ndim]:
            ends = []
            for change in (1e-6, -1e-6):
                moved = {key: values.copy() for key, values in own.items()}
                moved[name][place] += change
                moved["recurrent_kernel"] *= kept
                ends.append(np.sin(outputs_of(moved)).sum())
            np.testing.assert_allclose(np.asarray(gradient)[place], (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-8)


def test_masks_change_with_each_call_and_resume_with_the_generator() -> None:
    layer, twin = (Recurrent(GRU(6), weight_drop=0.5, seed=SEED) for _ in range(2))
    first, second = (np.asarray(layer(INPUTS, training=True)) for _ in range(2))
    assert not np.allclose(first, second)
    twin.build(INPUTS.shape)
    assert any(
        variable is twin.seed_generator.state for variable in twin.variables
    )  # so that states of training have it
    for own, other in zip(twin.variables, layer.variables, strict=True):
        own.assign(other)
    np.testing.assert_array_equal(twin(INPUTS, training=True), layer(INPUTS, training=True))


def test_inference_is_that_of_a_layer_without() -> None:
    layer, plain = Recurrent(LSTM(5), weight_drop=RATE), Recurrent(LSTM(5))
    for each in (layer, plain):
        each.build(INPUTS.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(INPUTS), plain(INPUTS))


def test_all_workers_draw_the_same_weights() -> None:
    with drawn_for_part(1):
        part = random_mask((4, 6), 0.5, tf.constant([3, 1]), of_rows=False)
        assert not np.array_equal(part, random_mask((4, 6), 0.5, tf.constant([3, 1])))
    np.testing.assert_array_equal(part, random_mask((4, 6), 0.5, tf.constant([3, 1])))


ONE = ("recurrent_kernel",)
RECURRENT = {
    **dict.fromkeys(["fast_grnn", "antisymmetric_rnn", "lem", "cfc", "ltc", "mgu", "simple_rnn"], ONE),
    **dict.fromkeys([name for name in ROWS if "gru" in name or "lstm" in name], ONE),
    **dict.fromkeys(["residual", "projection", "zoneout", "elapsed", "mogrifier", "all_wrappers"], ONE),
    **dict.fromkeys(["min_gru", "min_lstm", "m_lstm"], ()),
    "multi_head": (*ONE, *ONE),
    "lmu": (*ONE, "output_encoder"),
}
"""Row of the table of cells -> names of its recurrent weights; none for those that are not named."""


@pytest.mark.parametrize("name", ROWS)
def test_recurrent_weights_of_every_cell(name: str) -> None:
    make, features = ROWS[name]
    cell = make()
    cell.build_for((None, features))
    assert tuple(weight.name for weight in cell.recurrent_weights()) == RECURRENT.get(name, ())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ROWS if RECURRENT.get(name)])
def test_every_cell_computes_and_learns_with_masks_as_a_plain_loop_does(name: str) -> None:
    make, features = ROWS[name]
    inputs, found, weights = np.random.default_rng(1).normal(size=(2, 4, features)).astype(np.float32), [], []
    zoned = name in ("zoneout", "all_wrappers")  # what these draw depends on the order of rows and steps
    for kernel in ("graph",) if zoned else ("graph", "reference"):
        keras.utils.set_random_seed(5)
        layer = Recurrent(make(), return_sequences=True, weight_drop=RATE, seed=SEED, kernel=kernel)
        layer.build(inputs.shape)
        weights = weights or layer.cell.get_weights()
        layer.cell.set_weights(weights)
        with tf.GradientTape() as tape:
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(tf.sin(outputs))
        gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_variables])
        found.append([outputs, *gradients])
        places = {id(weight): n for n, weight in enumerate(layer.trainable_variables)}
        for number, weight in enumerate(layer.cell.recurrent_weights()):
            gradient = np.asarray(gradients[places[id(weight)]])
            assert not gradient[mask(weight.shape, number) == 0].any() and gradient.any()
    for other in found[1:]:
        for actual, expected in zip(other, found[0], strict=True):
            np.testing.assert_allclose(actual, expected, atol=2e-5)


class Doubled(Cell):
    """A user's own: h_t = tanh(x_t + 2 h_{t-1} M)."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.declare_states(units)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.mine = self.add_weight((self.output_size, self.output_size), "orthogonal", name="mine")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        return inputs

    def recur(self, output: Tensor) -> Tensor:
        return 2 * keras.ops.matmul(output, self.mine)

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Nest, ...]:
        return (keras.ops.tanh(projected + recurrent),)


def test_a_cell_of_ones_own_needs_to_say_nothing() -> None:
    layer = Recurrent(Doubled(3), weight_drop=RATE, seed=SEED)
    found = layer(INPUTS[:, :2].astype(np.float32), training=True)
    matrix = layer.cell.mine.numpy() * mask((3, 3))
    np.testing.assert_allclose(found, np.tanh(INPUTS[:, 1] + 2 * np.tanh(INPUTS[:, 0]) @ matrix), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Recurrent(MinGRU(3), weight_drop=0.2), "weight_drop 0.2: MinGRU has no recurrent matrix"),
        (lambda: Recurrent(EchoState(3), weight_drop=0.2), "weight_drop 0.2: EchoState has no recurrent matrix"),
        (lambda: Recurrent(Elapsed(IndRNN(3)), weight_drop=0.2), "weight_drop 0.2: Elapsed has no recurrent matrix"),
        (lambda: Recurrent(GRU(3), weight_drop=1.0), "weight_drop: expected a share from 0 to below 1, got 1.0"),
        (lambda: Recurrent(GRU(3), weight_drop=-0.1), "weight_drop: expected a share from 0 to below 1, got -0.1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make: Callable[[], Recurrent], line: str) -> None:
    with pytest.raises(ConfigError, match=line) as error:
        make().build(INPUTS.shape)
    assert "\n" not in str(error.value)


def test_settings_reach_all_layers_and_directions() -> None:
    stack = recurrent_stack(RecurrentConfig(cell="gru", units=3, layers=2, bidirectional=True, weight_drop=0.3))
    layers = [layer for pair in stack.recurrent_layers for layer in (pair.forward, pair.backward)]
    assert [layer.weight_drop for layer in layers] == [0.3] * 4
    again = type(stack).from_config(stack.get_config())
    assert again.weight_drop == 0.3 and isinstance(again.recurrent_layers[0], Bidirectional)
    assert Recurrent.from_config(Recurrent(MultiHead(LSTM(2), 2), weight_drop=0.1).get_config()).weight_drop == 0.1
    with pytest.raises(ConfigError, match=r"model\.weight_drop must be at least 0 and below 1, not 1"):
        RecurrentConfig(weight_drop=1)
