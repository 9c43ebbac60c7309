"""Every operation that becomes C gives what TensorFlow gives; one that cannot is named in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ExportError
from rnnapps.portable.c.compiler import HANDLERS
from rnnapps.portable.c.elementwise import ELEMENTWISE
from tests.portable.native import native_of

T = tf.Tensor
ROWS = 4

EXAMPLES = {
    "x": np.random.default_rng(0).normal(size=(ROWS, 3, 4)).astype(np.float32) * 2,
    "y": np.random.default_rng(1).normal(size=(ROWS, 3, 4)).astype(np.float32),
    "p": np.random.default_rng(2).uniform(0.1, 0.9, size=(ROWS, 4)).astype(np.float32),
    "d": np.random.default_rng(3).normal(size=(ROWS, 3, 3)),
    "i": np.random.default_rng(4).integers(-7, 8, size=(ROWS, 5)).astype(np.int32),
    "k": np.random.default_rng(5).integers(1, 4, size=(ROWS, 5)).astype(np.int32),
    "b": np.random.default_rng(6).integers(0, 2, size=(ROWS, 3, 4)).astype(bool),
    "s": np.random.default_rng(7).integers(-(2**40), 2**40, size=(ROWS, 5)),
    "u": np.random.default_rng(8).integers(0, 256, size=(ROWS, 6, 6, 1)).astype(np.uint8),
}
"""Inputs: floats x and y, shares p, doubles d, whole numbers i, small ones k, truths b, long numbers s, a picture u."""

W = np.random.default_rng(9).normal(size=(4, 6)).astype(np.float32)
FILTERS = np.random.default_rng(10).normal(size=(3, 3, 1, 2)).astype(np.float32)


def signals(v: dict[str, T]) -> tuple[T, ...]:
    """Of 4, 12 and 256 samples; of powers of 2 the transform is a fast one."""
    rows = tf.reshape(v["x"], [-1, 12])
    return v["x"], rows, tf.tile(rows, [1, 22])[:, :256] * tf.cos(tf.range(256.0) ** 1.5 / 9) / 16


ONE = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(x=v["x"])
    for name in (
        "Abs",
        "Ceil",
        "Cos",
        "Exp",
        "Expm1",
        "Floor",
        "Inv",
        "Neg",
        "OnesLike",
        "Reciprocal",
        "Rint",
        "Round",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Square",
        "Tan",
        "Tanh",
        "IsFinite",
        "IsInf",
        "IsNan",
        "Atan",
        "Erf",
    )
}
FEATURES = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(features=v["x"])
    for name in ("Elu", "Relu", "Relu6", "Selu", "Softplus", "Softsign", "LeakyRelu")
}
POSITIVE = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(x=v["p"])
    for name in ("Log", "Log1p", "Sqrt", "Rsqrt", "Acos", "Asin")
}
TWO = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(x=v["x"], y=v["y"][:, :1])
    for name in (
        "Add",
        "AddV2",
        "Div",
        "DivNoNan",
        "Equal",
        "FloorDiv",
        "FloorMod",
        "Greater",
        "GreaterEqual",
        "Less",
        "LessEqual",
        "Maximum",
        "Minimum",
        "Mul",
        "NotEqual",
        "RealDiv",
        "SquaredDifference",
        "Sub",
    )
}
WHOLE = {
    f"{name} of whole numbers": lambda v, kind=name: getattr(tf.raw_ops, kind)(x=v["i"], y=v["k"])
    for name in ("FloorDiv", "FloorMod", "TruncateDiv", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Maximum", "Sub")
}
LONG = {
    f"{name} of long numbers": lambda v, kind=name: getattr(tf.raw_ops, kind)(x=v["s"], y=tf.constant(86_400, tf.int64))
    for name in ("FloorDiv", "FloorMod", "Minimum")
}
TRUTH = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(x=v["b"], y=v["x"] > 0) for name in ("LogicalAnd", "LogicalOr")
}
REDUCED = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(input=v["x"], axis=[1, -1])
    for name in ("Max", "Mean", "Min", "Prod", "Sum")
}
TRUTHS = {
    name: lambda v, kind=name: getattr(tf.raw_ops, kind)(input=v["b"], axis=[-1], keep_dims=True)
    for name in ("All", "Any")
}
OTHERS: dict[str, Callable[[dict[str, T]], T | tuple[T, ...]]] = {
    "AddN": lambda v: tf.add_n([v["x"], v["y"], v["x"]]),
    "ArgMax": lambda v: tf.argmax(v["x"], axis=1),
    "ArgMin": lambda v: tf.argmin(v["x"], axis=-1, output_type=tf.int32),
    "BatchMatMulV2": lambda v: tf.matmul(v["x"], v["y"], transpose_b=True),
    "BiasAdd": lambda v: (
        tf.nn.bias_add(v["x"], tf.constant([1.0, 2.0, 3.0, 4.0])),
        tf.nn.bias_add(v["x"][..., None], tf.constant([1.0, 2.0, 3.0]), data_format="NCHW"),
    ),
    "BroadcastTo": lambda v: tf.broadcast_to(v["p"][:, None], tf.stack([tf.shape(v["p"])[0], 3, 4])) + 0 * v["x"],
    "Cast": lambda v: (
        tf.cast(v["x"], tf.int32),
        tf.cast(v["i"], tf.float64),
        tf.cast(v["u"], tf.float32),
        tf.cast(v["i"], tf.bool),
    ),
    "ConcatV2": lambda v: tf.concat([v["x"], v["y"][:, :2], tf.ones([1, 1, 4])], axis=1),
    "Conv2D": lambda v: (
        tf.nn.conv2d(tf.cast(v["u"], tf.float32), FILTERS, strides=2, padding="SAME"),
        tf.nn.conv2d(tf.cast(v["u"], tf.float32), FILTERS, strides=1, padding="VALID", dilations=2),
        tf.nn.conv2d(tf.cast(v["u"], tf.float32), FILTERS, 1, [[0, 0], [2, 0], [0, 1], [0, 0]]),
    ),
    "Cumsum": lambda v: (tf.cumsum(v["x"], axis=1), tf.cumsum(v["x"], axis=-1, exclusive=True, reverse=True)),
    "Einsum": lambda v: tf.einsum("btd,bsd->bts", v["x"], v["y"]),
    "ExpandDims": lambda v: tf.expand_dims(tf.tanh(v["x"]), 2) + v["y"][:, :, None],
    "Gather": lambda v: tf.raw_ops.Gather(params=W, indices=tf.math.floormod(v["i"], 4)),
    "GatherV2": lambda v: (
        tf.gather(v["x"], tf.math.floormod(v["k"][0], 3), axis=1),
        tf.gather(v["x"], v["k"][:, :2] - 1, batch_dims=1),
        tf.gather(v["p"], v["k"], batch_dims=1, axis=1),
    ),
    "LogSoftmax": lambda v: tf.nn.log_softmax(v["x"]),
    "LogicalNot": lambda v: ~v["b"],
    "LowerBound": lambda v: tf.raw_ops.LowerBound(sorted_inputs=[[-3.0, 0.0, 1.0]], values=tf.round(v["x"][:, 0])),
    "MatMul": lambda v: (tf.matmul(v["p"], W), tf.matmul(W[:, :4], v["p"], transpose_b=True), v["p"] @ tf.ones([4, 1])),
    "MatrixDiagV3": lambda v: tf.linalg.diag(v["p"]),
    "MatrixSolve": lambda v: tf.linalg.solve(v["d"], v["d"][:, :, :2] + 1),
    "OneHot": lambda v: (tf.one_hot(v["k"], 4), tf.one_hot(v["k"], 4, on_value=2, off_value=-1, axis=1)),
    "Pack": lambda v: (tf.stack([v["p"], tf.exp(v["p"])], axis=1), tf.stack([tf.sin(v["p"])], axis=2)),
    "Pad": lambda v: tf.pad(tf.tanh(v["x"]), [[0, 0], [1, 2], [0, 1]]),
    "PadV2": lambda v: tf.pad(v["i"], [[0, 0], [2, 0]], constant_values=9),
    "Pow": lambda v: (tf.pow(v["p"], v["p"]), tf.pow(v["p"], 2.0)),
    "RFFT": lambda v: tuple(tf.math.real(tf.signal.rfft(signal)) for signal in signals(v)),
    "Imag": lambda v: tuple(tf.math.imag(tf.signal.rfft(signal)) for signal in signals(v)),
    "Reshape": lambda v: tf.reshape(tf.transpose(v["x"], [0, 2, 1]) * 2, [1, 12]),
    "ReverseV2": lambda v: tf.reverse(v["x"], [1, 2]),
    "Select": lambda v: tf.raw_ops.Select(condition=v["b"], x=v["x"], y=v["y"]),
    "SelectV2": lambda v: (tf.where(v["b"], v["x"], 0.0), tf.where(v["b"][:, :1], v["x"], v["y"])),
    "Slice": lambda v: tf.slice(v["x"], [0, 1, 1], [1, 2, 2]),
    "Softmax": lambda v: tf.nn.softmax(v["x"]),
    "Split": lambda v: tuple(tf.split(v["x"], 2, axis=2)),
    "SplitV": lambda v: tuple(tf.split(v["x"], [1, 3], axis=-1)),
    "Squeeze": lambda v: tf.squeeze(v["u"][:, 1:4], [3]),
    "StridedSlice": lambda v: (v["x"][:, ::-1, 1:-1], v["x"][:, -1], v["x"][..., None, 2], v["x"][:, 2:0:-1, ::3]),
    "Tile": lambda v: tf.tile(v["x"], [1, 2, 3]),
    "TopKV2": lambda v: tuple(tf.math.top_k(tf.round(v["x"]), 3)),
    "Transpose": lambda v: tf.transpose(v["x"], [0, 2, 1]),
    "Unpack": lambda v: tuple(tf.unstack(v["x"], axis=1)),
    "UpperBound": lambda v: tf.raw_ops.UpperBound(sorted_inputs=[[-3.0, 0.0, 1.0]], values=tf.round(v["x"][:, 0])),
}
TABLE = {**ONE, **FEATURES, **POSITIVE, **TWO, **WHOLE, **LONG, **TRUTH, **REDUCED, **TRUTHS, **OTHERS}


def everything(**values: T) -> dict[str, T]:
    """The results of all operations by name."""
    results = {}
    for name, compute in TABLE.items():
        found = compute(values)
        for number, one in enumerate(found if isinstance(found, tuple) else (found,)):
            results[f"{name.replace(' ', '_')}_{number}"] = one
    return results


def test_every_operation_is_tried() -> None:
    missing = (set(ELEMENTWISE) | set(HANDLERS)) - {name.partition(" of ")[0] for name in TABLE} - {"Real"}
    assert not missing


def test_every_operation_gives_what_tensorflow_gives(tmp_path: Path) -> None:
    step, static = native_of(everything, EXAMPLES, tmp_path)
    kinds = {operation.type for operation in static.graph.get_operations()}
    assert not (set(ELEMENTWISE) | set(HANDLERS)) - kinds, "the graph does not hold what it should"
    for case in static.cases:
        found = step(**case.inputs)
        for name, expected in case.outputs.items():
            assert found[name].dtype == expected.dtype and found[name].shape == expected.shape, name
            if expected.dtype.kind == "f":
                np.testing.assert_allclose(found[name], expected, rtol=2e-5, atol=2e-6, err_msg=name)
            else:
                np.testing.assert_array_equal(found[name], expected, err_msg=name)


def test_a_number_outside_of_a_table_takes_its_nearest_row(tmp_path: Path) -> None:
    examples = {"i": np.array([[0, 3]], np.int32)}
    step, _ = native_of(lambda i: {"rows": tf.gather(W, i)}, examples, tmp_path)
    found = step(i=np.array([[-5, 99]], np.int32))["rows"][0]
    np.testing.assert_array_equal(found, W[[0, 3]])


def test_special_numbers_are_written_so_that_c_reads_them(tmp_path: Path) -> None:
    numbers = [np.nan, np.inf, -np.inf, 1e-45, 3.4028235e38, -0.1]
    limits = [np.iinfo(np.int64).min, np.iinfo(np.int64).max, -1]

    def function(x: T) -> dict[str, T]:
        return {
            "floats": tf.constant([numbers]) + 0 * x,
            "longs": tf.constant([limits], tf.int64) + tf.cast(0 * x, tf.int64),
        }

    step, _ = native_of(function, {"x": np.zeros((1, 1), np.float32)}, tmp_path)
    found = step(x=np.zeros((1, 1), np.float32))
    np.testing.assert_array_equal(found["floats"][0], np.array(numbers, np.float32))
    np.testing.assert_array_equal(found["longs"][0], limits)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            lambda x: {"y": tf.math.lgamma(x)},
            r"operation Lgamma \(Lgamma\) cannot become C: no C formula is known for it",
        ),
        (
            lambda x: {"y": tf.einsum("...a->...", x[None])},
            r"operation Einsum \(.*\) cannot become C: the equation \.\.\.a->\.\.\.",
        ),
    ],
)
def test_what_cannot_become_c_is_named(tmp_path: Path, function: Callable[[T], dict[str, T]], said: str) -> None:
    with pytest.raises(ExportError, match=f"^{said}; export --portable onnx or litert instead$"):
        native_of(function, {"x": np.ones((1, 2), np.float32)}, tmp_path)
