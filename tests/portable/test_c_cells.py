"""A step of every cell, and of one of a user's own, is the same in C over a thousand steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import CELLS, Cell, DenseCell, Projection, Residual, Zoneout, make_cell
from rnnapps.contract.endpoint import Endpoint
from rnnapps.layers.stack import RecurrentStack
from rnnapps.portable.static import static_graph
from tests.portable.native import endpoint_of, native

STEPS, FEATURES, UNITS = 1000, 3, 16
NORMALISED = {"layer_norm_lstm": 5e-5, **dict.fromkeys(("delta_net", "gated_delta_net", "mamba2", "rwkv7"), 1e-4)}
"""Cells that scale what may be nearly nothing to a size of 1, rounding with it."""
UNDAMPED = {"antisymmetric_rnn": 100, "lmu": 100, "rwkv7": 100}
"""Cells whose past fades never or late, nor does rounding: so many steps are compared."""


class Leaky(DenseCell):
    """A user's own: h = (1 - a) h + a softsign(x W + h U + b), its a learned."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        self.rate = self.add_weight((self.units,), "random_uniform", name="rate")

    def update(self, projected: Any, recurrent: Any, states: Sequence[Any]) -> tuple[Any, ...]:
        share = keras.ops.sigmoid(self.rate)
        return (states[0] + share * (keras.ops.softsign(projected + recurrent) - states[0]),)


WRAPPED = {
    "zoneout": lambda: Zoneout(make_cell("gru", UNITS), 0.2),
    "projection": lambda: Projection(make_cell("lstm", 2 * UNITS), UNITS),
    "residual": lambda: Residual(make_cell("gru", FEATURES)),
    "own": lambda: Leaky(UNITS),
}
EVERY = {**{name: lambda name=name: make_cell(name, UNITS) for name in CELLS}, **WRAPPED}
A_FEW = {name: EVERY[name] for name in ("lstm", "layer_norm_gru", "min_gru", "own")}


def stacks_of(cells: Mapping[str, Callable[[], Cell]]) -> dict[str, RecurrentStack]:
    """One layer of each cell; the weights of none depend on which others there are."""
    stacks = {}
    for name, make in cells.items():
        keras.utils.set_random_seed(0)
        stacks[name] = RecurrentStack([make()])
        stacks[name].build((None, None, FEATURES))
    return stacks


def step_of(stacks: Mapping[str, RecurrentStack]) -> Endpoint:
    """A step of all stacks side by side."""
    shapes = {f"state_{name}_{n}": shape for name, own in stacks.items() for n, shape in enumerate(own.state_shapes)}

    def step(features: Any, **states: Any) -> dict[str, Any]:
        results = {}
        for name, stack in stacks.items():
            before = [states[f"state_{name}_{number}"] for number in range(len(stack.state_shapes))]
            results[name], final = stack(features, states=before)
            results |= {f"next_state_{name}_{number}": state for number, state in enumerate(final)}
        return results

    examples = {name: np.zeros((1, *shape), np.float32) for name, shape in shapes.items()}
    return endpoint_of(step, {"features": np.ones((1, 1, FEATURES), np.float32), **examples})


@pytest.mark.parametrize("cells", [A_FEW, pytest.param(EVERY, marks=pytest.mark.slow)], ids=["few", "every"])
def test_a_thousand_steps_are_those_of_the_layer(cells: dict[str, Callable[[], Cell]], tmp_path: Path) -> None:
    stacks = stacks_of(cells)
    step, _ = native(static_graph("step", step_of(stacks), 1), tmp_path)
    sequence = np.random.default_rng(1).normal(size=(1, STEPS, FEATURES)).astype(np.float32)
    answers = [step(features=sequence[:, place : place + 1]) for place in range(STEPS)]
    for name, stack in stacks.items():
        compared = slice(UNDAMPED.get(name))
        found = np.concatenate([answer[name] for answer in answers], axis=1)[:, compared]
        expected = stack(sequence)[0].numpy()[:, compared]
        # A state normalised to nearly nothing makes rounding visible: then the C step is mostly as far from what 64
        # bits give as TensorFlow's own 32 bits are. The largest errors are no measure: of three draws of weights those
        # of the delta rule were .6 to 2.2 times TensorFlow's, the medians 1.1 to 1.2 times.
        exact = in_64_bits(stack, cells[name])(sequence.astype(np.float64))[0].numpy()[:, compared]
        assert np.median(np.abs(found - exact)) < max(1e-7, 1.5 * np.median(np.abs(expected - exact))), name
        for other in (exact, expected):
            assert np.abs(found - other).max() < NORMALISED.get(name, 1e-5), name


def in_64_bits(stack: RecurrentStack, make: Callable[..., Cell]) -> RecurrentStack:
    """A stack with the same weights that computes with 64 bits."""
    wide = RecurrentStack([make()], dtype="float64")
    wide.build((None, None, FEATURES))
    wide.set_weights(stack.get_weights())
    return wide


def test_weights_of_8_bits_change_little(tmp_path: Path) -> None:
    stack = RecurrentStack([make_cell("gru", 24), make_cell("lstm", 24)])
    stack.build((None, None, FEATURES))
    static = static_graph("step", step_of({"two": stack}), 1)
    steps = [native(static, tmp_path / kind, int8=kind == "small") for kind in ("full", "small")]
    sequence = np.random.default_rng(1).normal(size=(100, 1, 1, FEATURES)).astype(np.float32)
    full, small = (np.stack([step(features=features)["two"] for features in sequence]) for step, _ in steps)
    assert 1e-4 < np.abs(full - small).max() < 0.05
    (_, large_texts), (_, small_texts) = steps
    assert small_texts.figures.tables < 0.32 * large_texts.figures.tables
    # Each layer's products: features or the layer below, and its own output, by all of its gates.
    assert small_texts.figures.products == (FEATURES + 24) * 72 + (24 + 24) * 96


def test_states_are_zero_again_after_a_reset(tmp_path: Path) -> None:
    step, _ = native(static_graph("step", step_of(stacks_of({"lstm": EVERY["lstm"]})), 1), tmp_path)
    features = np.ones((1, 1, FEATURES), np.float32)
    first, second = step(features=features)["lstm"], step(features=features)["lstm"]
    step.reset()
    np.testing.assert_array_equal(step(features=features)["lstm"], first)
    assert np.abs(first - second).max() > 1e-3


def test_filters_of_8_bits_change_little(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    filters, sound = draw.normal(size=(1, 5, 12, 16)).astype(np.float32), draw.normal(size=(1, 1, 20, 12))

    def step(features: Any) -> dict[str, Any]:
        return {"found": tf.nn.relu(tf.nn.conv2d(features, filters, strides=[1, 1, 2, 1], padding="VALID"))}

    static = static_graph("step", endpoint_of(step, {"features": sound.astype(np.float32)}), 1)
    (full, large), (small, texts) = (
        native(static, tmp_path / kind, int8=kind == "small") for kind in ("full", "small")
    )
    exact, rounded = (own(**static.cases[0].inputs)["found"] for own in (full, small))
    assert 1e-3 < np.abs(exact - rounded).max() < 0.01 * np.abs(exact).max()
    assert large.figures.tables == 4 * filters.size and texts.figures.tables == filters.size + 4 * 16
