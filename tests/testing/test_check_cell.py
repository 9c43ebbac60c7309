"""check_cell accepts the documented user cell, and names what is wrong with broken ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from rnnapps.cells import Cell
from rnnapps.errors import ConfigError
from rnnapps.testing import CELL_PROPERTIES, Subject, check_cell

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LeakyRNN, AttentiveRNN = example("my_cell").LeakyRNN, example("my_attention_cell").AttentiveRNN


def test_example_passes() -> None:
    check_cell(LeakyRNN(4))


@pytest.mark.slow
@pytest.mark.parametrize(("file", "name"), [("my_linear_cell", "GatedAverage"), ("my_matrix_cell", "RetentionCell")])
def test_examples_of_other_kinds_pass(file: str, name: str) -> None:
    check_cell(getattr(example(file), name)(4))


@pytest.mark.slow
def test_an_example_that_reads_constants_passes() -> None:
    valid = np.arange(6) < np.array([[6], [2], [4], [1], [5]])
    memory = (np.random.default_rng(1).normal(size=(5, 6, 2)).astype("float32"), valid)
    check_cell(AttentiveRNN(4), memory=memory)


@pytest.mark.parametrize(
    ("cell", "memory", "message"),
    [
        (AttentiveRNN(4), None, "AttentiveRNN reads constants: give an example of them, memory=..., of 5 rows"),
        (
            AttentiveRNN(4),
            (np.ones((2, 7, 3)), np.ones((5, 7))),
            r"expected tensors of 5 rows at least, got the shape \(2, 7, 3\)",
        ),
        (LeakyRNN(4), np.ones((5, 3)), "LeakyRNN takes no constants; leave memory out"),
    ],
    ids=["none", "rows", "not read"],
)
def test_a_memory_that_does_not_fit(cell: Cell, memory: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_cell(cell, memory=memory)


class ForgetsAnArgument(LeakyRNN):
    def __init__(self, units, *, rate=0.1, **kwargs):
        super().__init__(units, **kwargs)
        self.rate = rate


class ChangesUnits(LeakyRNN):
    def get_config(self):
        return super().get_config() | {"units": 7}


class SquaresInRecur(LeakyRNN):
    def recur(self, output):
        return super().recur(output * output)


class MixesRows(LeakyRNN):
    def update(self, projected, recurrent, states):
        (h,) = super().update(projected, recurrent, states)
        return (h - keras.ops.mean(h, axis=0, keepdims=True),)


class LosesAState(LeakyRNN):
    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.declare_states(units, units)


class OverridesCall(LeakyRNN):
    def call(self, inputs, states, training=False):
        output, states = super().call(inputs, states, training)
        return output + 1, states


class HasADeadWeight(LeakyRNN):
    def build(self, input_shape):
        super().build(input_shape)
        self.unused = self.add_weight((3,), "zeros", name="unused")


class RunsNumPy(LeakyRNN):
    def update(self, projected, recurrent, states):
        (h,) = super().update(projected, recurrent, states)
        return (h + np.random.default_rng().normal(),)


@pytest.mark.parametrize(
    ("cell", "broken", "message"),
    [
        (ForgetsAnArgument(4), "config", "__init__ takes 'rate' but get_config does not return it"),
        (ChangesUnits(4), "config", r"states of \[7\], not \[4\]"),
        (SquaresInRecur(4), "linear_recurrence", "move the rest into update"),
        (MixesRows(4), "rows", "reduce over the last axis only"),
        (LosesAState(4), "declarations", "expected one state for each of"),
        (OverridesCall(4), "call", "do not override it"),
        (HasADeadWeight(4), "weights", "unused has no gradient"),
        (RunsNumPy(4), "parity", "must be pure functions"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, LeakyRNN) else None,
)
def test_broken_cells_are_told_what_to_fix(cell, broken: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        CELL_PROPERTIES[broken](Subject(cell))
