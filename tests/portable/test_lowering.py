"""Other formulas for operations that not every runtime has: the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.portable.lowering import FORMULAS, lowered
from rnnapps.portable.static import StaticGraph, static_graph
from rnnapps.types import Arrays
from tests.portable.native import endpoint_of

SPREAD = np.array([[-1e-3, 1e-7, 0, 0.5, -0.9, 1e-4, 3e4]], np.float32)
EXAMPLES = {
    "small": SPREAD,
    "wide": np.array([[-80, -1e-7, 0, 1e-3, 0.5, 1.5, 80]], np.float32),
    "odd": np.array([[np.nan, np.inf, -np.inf, 3.4e38, 0]], np.float32),
    "sound": np.random.default_rng(0).normal(size=(1, 3, 20)).astype(np.float32),
    "times": np.array([[-5, 0, 7, 8, 1 << 40]]),
    "root": np.random.default_rng(1).normal(size=(1, 4, 4)),
    "film": np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 2, 2),
}


def function(**v: Any) -> dict[str, Any]:
    """Every operation that has another formula."""
    spectrum = tf.signal.rfft(v["sound"], [20])
    matrix = tf.matmul(v["root"], v["root"], transpose_b=True) + tf.linalg.diag(tf.reduce_sum(tf.abs(v["root"]), -1))
    return {
        "log1p": tf.math.log1p(v["small"]),
        "expm1": tf.math.expm1(v["wide"]),
        "finite": tf.math.is_finite(v["odd"]),
        "real": tf.math.real(spectrum),
        "imaginary": tf.math.imag(spectrum),
        "upper": tf.searchsorted(tf.constant([[0, 7, 7, 90]], tf.int64), v["times"], side="right"),
        "lower": tf.searchsorted(tf.constant([[0, 7, 7, 90]], tf.int64), v["times"], side="left"),
        "solved": tf.linalg.solve(matrix, v["root"][..., :2]),
        "quotient": v["times"] // 7,
        "days": (v["times"] * 1_000_003) // 86_400,
        "share": v["wide"] // 0.7,
        "padded": tf.pad(v["film"], [[0, 0], [1, 0], [0, 0], [0, 2], [0, 0]]),
        "padded_little": tf.pad(v["small"], [[0, 0], [1, 1]]),
        "shifted": tf.nn.bias_add(v["sound"], tf.constant([1.0, 2.0, 3.0]), data_format="NCHW"),
        "unchanged": v["small"],
    }


def run(static: StaticGraph, inputs: Arrays) -> Arrays:
    """The outputs of a graph."""
    given = {tensor: inputs[name].astype(tensor.dtype.as_numpy_dtype) for name, tensor in static.inputs.items()}
    with tf.compat.v1.Session(graph=static.graph) as session:
        return dict(session.run(static.outputs, given))


def test_every_formula_gives_what_the_operation_gives() -> None:
    static = static_graph("tensors", endpoint_of(function, EXAMPLES), 1)
    assert set(FORMULAS) <= {operation.type for operation in static.graph.get_operations()}
    simple = lowered(static)
    left = {operation.type for operation in simple.graph.get_operations()} & (set(FORMULAS) - {"FloorDiv", "Pad"})
    assert not left
    found = run(simple, EXAMPLES)
    for name, expected in static.cases[0].outputs.items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_allclose(found[name], expected, rtol=3e-6, atol=2e-6 if "a" in name else 0, err_msg=name)


def test_wide_floats_become_narrow_where_that_is_wanted() -> None:
    static = static_graph("tensors", endpoint_of(function, EXAMPLES), 1)
    simple = lowered(static, narrow=True)
    assert not [t for o in simple.graph.get_operations() for t in o.outputs if t.dtype == tf.float64]
    found = run(simple, EXAMPLES)
    np.testing.assert_allclose(found["solved"], static.cases[0].outputs["solved"], rtol=1e-4)
    assert found["solved"].dtype == np.float32 and simple.inputs["root"].dtype == tf.float32
