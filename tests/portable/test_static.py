"""Endpoints as graphs of fixed shapes: what no input changes is a constant, what is no number is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.kernels.choice import kernel_for
from rnnapps.kernels.loop import loop
from rnnapps.kernels.portable_graph import portable_graph
from rnnapps.portable.static import states_of, static_graph
from tests.portable.native import endpoint_of, native


def chunk(values: Any, lengths: Any, name: Any, state_sum: Any) -> dict[str, Any]:
    """Sums of a chunk on top of a state, words about it, and how many places hold more than a half."""
    inside = tf.cast(tf.sequence_mask(lengths, tf.shape(values)[1]), tf.float32)
    sums = state_sum + tf.reduce_sum(values * inside, axis=1, keepdims=True)
    return {
        "sums": sums * (1.0 + tf.reduce_sum(tf.ones([3]))),
        "words": tf.strings.join([name, tf.strings.as_string(sums[:, 0])]),
        "places": tf.reshape(tf.where(values > 0.5)[:, 1], [1, -1]),
        "next_state_sum": sums,
    }


ENDPOINT = Endpoint(
    chunk,
    {
        "values": tf.TensorSpec((None, None), tf.float32),
        "lengths": tf.TensorSpec((None,), tf.int32),
        "name": tf.TensorSpec((None,), tf.string),
        "state_sum": tf.TensorSpec((None, 1), tf.float32),
    },
    {
        "values": np.array([[1, 2, 3]], np.float32),
        "lengths": np.array([2], np.int32),
        "name": np.array([b"a"], object),
        "state_sum": np.array([[10]], np.float32),
    },
)


def test_a_step_takes_numbers_of_fixed_shapes_and_whole_chunks() -> None:
    static = static_graph("step", ENDPOINT, 2)
    assert {name: tensor.shape.as_list() for name, tensor in static.inputs.items()} == {
        "values": [1, 2],
        "state_sum": [1, 1],
    }
    assert set(static.outputs) == {"sums", "next_state_sum"}
    assert static.states == {"state_sum": "next_state_sum"}
    assert set(static.arguments) == {"values"} and set(static.results) == {"sums"}
    (case,) = static.cases
    np.testing.assert_array_equal(case.inputs["values"], [[1, 2]])
    np.testing.assert_array_equal(case.outputs["next_state_sum"], [[13]])
    np.testing.assert_array_equal(case.outputs["sums"], [[52]])


def test_other_signatures_keep_the_lengths_of_their_rows() -> None:
    static = static_graph("tensors", ENDPOINT, 4)
    assert set(static.inputs) == {"values", "lengths", "state_sum"} and not static.states
    (case,) = static.cases
    np.testing.assert_array_equal(case.inputs["values"], [[1, 2, 3, 0]])
    np.testing.assert_array_equal(case.outputs["sums"], [[52]])


def test_what_no_input_changes_is_computed_once() -> None:
    kinds = [operation.type for operation in static_graph("step", ENDPOINT, 2).graph.get_operations()]
    assert sorted(kind for kind in kinds if kind != "Const") == ["AddV2", "Mul", *["Placeholder"] * 2, "Sum"]


def test_masks_of_whole_chunks_are_no_operations() -> None:
    def masked(x: Any, lengths: Any) -> dict[str, Any]:
        inside = tf.sequence_mask(lengths, tf.shape(x)[1])[..., None]
        kept = tf.where(inside, x, 5.0) * tf.cast(inside, tf.float32)
        return {"y": tf.where(~inside, 5.0, tf.exp(kept)), "wide": tf.where(inside, x[..., :1], x) * tf.ones((1, 2, 3))}

    inputs = {
        "x": np.random.default_rng(0).normal(size=(1, 2, 3)).astype(np.float32),
        "lengths": np.array([2], np.int32),
    }
    static = static_graph("step", endpoint_of(masked, inputs), 2)
    kinds = [operation.type for operation in static.graph.get_operations() if operation.type != "Const"]
    # What a mask or ones make wider is computed.
    assert sorted(set(kinds)) == ["Exp", "Placeholder", "SelectV2", "StridedSlice"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            lambda x: {"y": tf.strings.as_string(x)},
            "has no output of numbers of a fixed size, which alone leave TensorFlow",
        ),
        (
            lambda x: {"y": tf.reshape(tf.where(x > 0), [1, -1])},
            "has no output of numbers of a fixed size, which alone",
        ),
        (
            lambda x: {"y": tf.reshape(x, [1, 7])},
            r"cannot be traced for one row \(Cannot reshape a tensor with 2 elements",
        ),
    ],
)
def test_what_cannot_leave_is_told_in_one_line(output: Any, said: str) -> None:
    endpoint = endpoint_of(output, {"x": np.ones((1, 2), np.float32)})
    with pytest.raises(ExportError, match=rf"\Asignature 'tensors': {said}.*\Z") as raised:
        static_graph("tensors", endpoint, 1)
    assert "\n" not in str(raised.value)


def test_a_state_that_no_step_reads_is_left_out() -> None:
    def step(x: Any, state_a: Any, state_b: Any) -> dict[str, Any]:
        return {"y": x + state_a, "next_state_a": state_a + 1, "next_state_b": x}

    endpoint = endpoint_of(step, {name: np.zeros((1, 2), np.float32) for name in ("x", "state_a", "state_b")})
    static = static_graph("step", endpoint, 1)
    assert set(static.inputs) == {"x", "state_a"} and set(static.outputs) == {"y", "next_state_a"}


def test_sizes_of_states_are_those_of_their_examples_and_they_begin_where_the_endpoint_says(tmp_path: Path) -> None:
    def step(x: Any, state_m: Any) -> dict[str, Any]:
        return {"y": tf.reduce_sum(state_m, axis=1) + x[:, 0], "next_state_m": state_m + x[:, :1]}

    endpoint = Endpoint(
        step,
        {"x": tf.TensorSpec((None, None), tf.float32), "state_m": tf.TensorSpec((None, None), tf.float32)},
        {"x": np.ones((1, 4), np.float32), "state_m": np.ones((1, 3), np.float32)},
        zero_states={"state_m": np.array([0, 0.5, 0], np.float32)},
    )
    static = static_graph("step", endpoint, 1)
    assert static.inputs["state_m"].shape == (1, 3) and static.inputs["x"].shape == (1, 1)
    program, _ = native(static, tmp_path)
    assert program(x=np.ones((1, 1), np.float32))["y"] == [1.5]
    np.testing.assert_array_equal(program(x=np.ones((1, 1), np.float32))["next_state_m"], [[2, 2.5, 2]])


def test_settled_inputs_are_constants() -> None:
    def step(x: Any, last: Any) -> dict[str, Any]:
        return {"y": tf.where(last, x, -x)}

    inputs = {"x": np.ones((2, 1), np.float32), "last": np.array([True, False])}
    static = static_graph("step", replace(endpoint_of(step, inputs), settled={"last": False}), 1)
    assert set(static.inputs) == {"x"}
    np.testing.assert_array_equal([case.outputs["y"] for case in static.cases], [[[-1]], [[-1]]])


def test_states_go_by_their_names() -> None:
    inputs, outputs = ["x", "state_a", "b"], ["next_state_a", "b", "y"]
    assert states_of(dict.fromkeys(inputs), dict.fromkeys(outputs)) == {"state_a": "next_state_a", "b": "b"}


@pytest.mark.parametrize("backwards", [False, True])
def test_a_loop_that_is_written_out_is_the_loop(backwards: bool) -> None:
    reads = [tf.random.stateless_normal((5, 2, 3), (1, 2))]

    def body(t: Any, states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
        new = states[0] * 0.5 + now[0] + tf.cast(t, tf.float32)
        return [new], [new * 2, now[0]]

    @tf.function
    def run() -> Any:
        return loop(body, 5, [tf.ones((2, 3))], reads, backwards=backwards, keep_history=True)

    with portable_graph():
        graph = run.get_concrete_function()
    found, expected = graph(), loop(body, 5, [tf.ones((2, 3))], reads, backwards=backwards, keep_history=True)
    assert not {operation.type for operation in graph.graph.get_operations()} & {"While", "StatelessWhile"}
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_portable_graphs_have_no_loops_of_the_kernels() -> None:
    with portable_graph():
        assert kernel_for(batch=1, time=9) == "reference"
        assert kernel_for(batch=1, time=None) == "graph"
    assert kernel_for(batch=1, time=9) == "xla"
