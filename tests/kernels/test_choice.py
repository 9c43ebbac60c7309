"""Which kernel runs is a pure function of the shapes, and a layer tells which one it was."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM
from rnnapps.errors import ConfigError
from rnnapps.kernels.choice import (
    KERNELS,
    check_kernel,
    gains_as_one_program,
    in_xla_program,
    kernel_for,
    shards_for,
)
from rnnapps.layers import Recurrent


def test_rule() -> None:
    assert kernel_for(batch=4, time=8, training=True) == "xla"
    assert kernel_for(batch=4, time=8, training=False) == "xla"
    assert kernel_for(batch=4, time=8, training=False, traced=False) == "graph"
    assert kernel_for(batch=None, time=8, training=True) == "graph"
    assert kernel_for(batch=4, time=8, training=True, by_chunks=True) == "graph"
    assert kernel_for(batch=4, time=8, training=True, by_chunks=True, inside_xla=True) == "xla"
    assert kernel_for(batch=4, time=None, training=True) == "graph"
    assert kernel_for(batch=None, time=None, inside_xla=True) == "xla"
    assert kernel_for(batch=4, time=1, training=True) == "reference"


@pytest.mark.parametrize(
    ("steps", "compiled", "expected"), [(3, False, "xla"), (3, True, "xla"), (None, False, "graph")]
)
def test_layer_tells(steps: int | None, compiled: bool, expected: str) -> None:
    layer = Recurrent(GRU(2))
    signature = [tf.TensorSpec((1, steps, 2))]
    tf.function(layer, input_signature=signature, jit_compile=compiled, autograph=False)(tf.zeros((1, 3, 2)))
    assert layer.kernel_used == expected


def test_a_call_outside_of_any_function_compiles_nothing() -> None:
    layer = Recurrent(GRU(2))
    layer(tf.zeros((1, 3, 2)))
    assert layer.kernel_used == "graph"


@pytest.mark.parametrize("kernel", ["graph", "xla", "reference"])
def test_argument_forces(kernel: str) -> None:
    layer = Recurrent(LSTM(2), kernel=kernel)
    outputs = tf.function(layer, autograph=False)(tf.ones((1, 3, 2)))
    assert layer.kernel_used == kernel
    again = Recurrent(layer.cell, kernel="reference")(tf.ones((1, 3, 2)))
    np.testing.assert_allclose(outputs, again, atol=1e-6)


def test_bad_kernels() -> None:
    with pytest.raises(ConfigError, match="expected one of auto, xla"):
        Recurrent(GRU(2), kernel="cudnn")
    with pytest.raises(ConfigError, match="needs a LinearCell"):
        Recurrent(GRU(2), kernel="parallel")


def test_batches_are_cut_so_that_each_core_has_rows_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    small, large = GRU(2), GRU(1024)
    for cell in (small, large):
        cell.build((None, 2))
    assert [shards_for(batch, small) for batch in (None, 1, 16, 31, 32, 48, 64, 66, 80)] == [1, 1, 1, 1, 2, 3, 4, 3, 4]
    assert shards_for(64, large) == 1


def test_small_batches_train_as_one_program() -> None:
    assert [gains_as_one_program(batch) for batch in (None, 1, 31, 32, 256)] == [False, True, True, False, False]


def test_a_matrix_of_two_mega_elements_is_still_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})

    class OneMatrix:
        def __init__(self, *shape: int) -> None:
            self.weights = [tf.TensorSpec(shape)] if shape else []

    assert shards_for(32, OneMatrix(2048, 1024)) == 2
    assert shards_for(32, OneMatrix(2048, 1025)) == 1
    assert shards_for(32, OneMatrix()) == 2


def test_a_plain_loop_needs_a_number_of_steps() -> None:
    layer = Recurrent(GRU(2), kernel="reference")
    run = tf.function(layer, autograph=False)
    with pytest.raises(ConfigError, match='kernel: "reference" needs a fixed number of time steps, got one'):
        run.get_concrete_function(tf.TensorSpec((1, None, 2)))


def test_names_of_kernels() -> None:
    names = ("auto", "xla", "graph", "parallel", "reference")
    assert tuple(check_kernel(name) for name in names) == KERNELS == names


def test_a_trace_knows_whether_xla_compiles_it() -> None:
    """Also from within a function that it calls."""
    found = {}

    def note(name: str) -> tf.Tensor:
        found[name] = in_xla_program()
        return tf.zeros(())

    note("eager")
    for compiled in (False, True):
        tf.function(lambda c=compiled: note(f"traced {c}"), jit_compile=compiled, autograph=False)()
        inner = tf.function(lambda c=compiled: note(f"within {c}"), autograph=False)
        tf.function(inner, jit_compile=compiled, autograph=False)()
    assert found == {
        "eager": False,
        "traced False": False,
        "within False": False,
        "traced True": True,
        "within True": True,
    }
