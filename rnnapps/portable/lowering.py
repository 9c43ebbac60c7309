"""A graph with other formulas for operations that not every runtime has, and with other types if wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.portable.static import StaticGraph
from rnnapps.types import Tensor

__all__ = ["lowered"]

_FLOAT, _DOUBLE = tf.float32.as_datatype_enum, tf.float64.as_datatype_enum

Formula = Callable[[tf.Operation, Sequence[Any]], Sequence[Any] | None]
"""Maps an operation and its inputs to its outputs; None where the operation itself will do."""


def lowered(static: StaticGraph, *, narrow: bool = False) -> StaticGraph:
    """The same function with simpler operations, its inputs and outputs named as in the signature.

    Args:
        static: the graph.
        narrow: floats of 64 bits become floats of 32 bits, for runtimes that hardly know the former.
    """
    graph = tf.Graph()
    with graph.as_default():
        inputs, values = {}, {}
        for name, tensor in static.inputs.items():
            inputs[name] = tf.compat.v1.placeholder(_type(tensor.dtype, narrow), tensor.shape, name=name)
            values[tensor.name] = inputs[name]
        for operation in static.graph.get_operations():
            if operation.type != "Placeholder":
                given = [values[tensor.name] for tensor in operation.inputs]
                formula = FORMULAS.get(operation.type)
                results = (formula(operation, given) if formula else None) or _again(operation, given, narrow)
                values |= dict(zip((tensor.name for tensor in operation.outputs), results, strict=True))
        # An output that is an input, or another output too, needs a tensor of its own.
        outputs = {
            name: tf.identity(values[tensor.name], name=f"answer_{name}") for name, tensor in static.outputs.items()
        }
    return replace(static, graph=graph, inputs=inputs, outputs=outputs)


def _type(kind: Any, narrow: bool) -> Any:
    return tf.float32 if narrow and kind == tf.float64 else kind


def _again(operation: tf.Operation, inputs: Sequence[Any], narrow: bool) -> Sequence[Any]:
    """The operation once more in the graph that is being built, or what stands for it."""
    if operation.type == "Const":
        value = tf.get_static_value(operation.outputs[0])
        with np.errstate(over="ignore"):  # larger than any float of 32 bits: infinity
            return [tf.constant(value.astype(np.float32) if narrow and value.dtype == np.float64 else value)]
    attributes = {name: _attribute(value, narrow) for name, value in operation.node_def.attr.items() if name[0] != "_"}
    graph: tf.Graph = tf.compat.v1.get_default_graph()
    made = graph.create_op(operation.type, list(inputs), attrs=attributes, name=operation.type)
    return list(made.outputs)


def _attribute(value: tf.compat.v1.AttrValue, narrow: bool) -> tf.compat.v1.AttrValue:
    """An attribute, which may name a type."""
    return type(value)(type=_FLOAT) if narrow and value.type == _DOUBLE else value


def _log1p(_: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """log(1 + x); near 0, where 1 + x loses the digits of x, the first eight terms of its series."""
    x, one = inputs[0], tf.ones([], inputs[0].dtype)
    series = tf.zeros_like(x)
    for power in range(8, 0, -1):
        series = x * ((-1) ** (power + 1) / power + series)
    near = tf.abs(x) < 0.1
    return [tf.where(near, series, tf.math.log(tf.where(near, one, x + one)))]


def _expm1(_: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """exp(x) - 1 = 2 t / (1 - t) with t = tanh(x / 2); where that comes near to 0, the plain difference."""
    x, one = inputs[0], tf.ones([], inputs[0].dtype)
    half = tf.tanh(tf.minimum(x, one) * 0.5)
    return [tf.where(x > one, tf.exp(x) - one, 2 * half / (one - half))]


def _quotient(_: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor] | None:
    """Division of 64-bit integers, rounded down, by one of floats: what the first leaves, a second takes.

    Exact for quotients below 2^46: a float of 24 bits is wrong by a share of 2^-24 at most.
    """
    if inputs[0].dtype != tf.int64:
        return None
    whole, by = inputs
    result = tf.zeros_like(whole)
    for _ in range(2):
        rest = whole - result * by
        result += tf.cast(tf.floor(tf.cast(rest, tf.float32) / tf.cast(by, tf.float32)), tf.int64)
    rest = whole - result * by
    over, under = (rest >= by, rest < 0)
    return [result + tf.cast(over, tf.int64) - tf.cast(under, tf.int64)]


def _is_finite(_: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [tf.abs(inputs[0]) <= tf.constant(inputs[0].dtype.max, inputs[0].dtype)]


def _spectrum(operation: tf.Operation, inputs: Sequence[Any]) -> Sequence[Any]:
    """The real and the imaginary parts of a spectrum as two products with waves."""
    size = int(tf.get_static_value(operation.inputs[1])[0])
    phases = np.outer(np.arange(size), np.arange(size // 2 + 1)) % size * (2 * np.pi / size)
    waves = (tf.constant(wave.astype(np.float32)) for wave in (np.cos(phases), -np.sin(phases)))
    return [[tf.linalg.matmul(inputs[0], wave) for wave in waves]]


def _solution(operation: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """Gauss-Jordan elimination column by column; its matrices, parts of covariances, need no pivots."""
    matrix, result = inputs
    for column in range(matrix.shape[-1]):
        unit = tf.one_hot(column, matrix.shape[-1], dtype=matrix.dtype)[:, None]
        factors = matrix[..., column, None] - unit
        pivot = matrix[..., column, None, column, None]
        matrix, result = (part - factors * (part[..., column, None, :] / pivot) for part in (matrix, result))
    return [result]


def _bound(operation: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """How many sorted numbers are not above, or below, each value."""
    numbers, wanted = inputs[0][:, None, :], inputs[1][:, :, None]
    counted = numbers <= wanted if operation.type == "UpperBound" else numbers < wanted
    return [tf.cast(tf.reduce_sum(tf.cast(counted, tf.int32), axis=-1), operation.outputs[0].dtype)]


def _pad(operation: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor] | None:
    """Zeros around a tensor of more than four dimensions, joined to it."""
    result = inputs[0]
    if result.shape.rank <= 4:
        return None
    for axis, around in enumerate(tf.get_static_value(operation.inputs[1]).tolist()):
        zeros = [tf.zeros([*result.shape[:axis], size, *result.shape[axis + 1 :]], result.dtype) for size in around]
        parts = [part for part in (zeros[0], result, zeros[1]) if part.shape[axis]]
        result = tf.concat(parts, axis) if len(parts) > 1 else result
    return [result]


def _bias(operation: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor] | None:
    """A bias along the axis behind the batch, which converters take for one along the last."""
    if operation.get_attr("data_format") != b"NCHW":
        return None
    return [inputs[0] + tf.reshape(inputs[1], [-1, *[1] * (inputs[0].shape.rank - 2)])]


def _diagonal(_: tf.Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    kind = inputs[0].dtype
    return [inputs[0][..., None] * tf.constant(np.eye(inputs[0].shape[-1]), kind)]


FORMULAS: dict[str, Formula] = {
    "BiasAdd": _bias,
    "Expm1": _expm1,
    "FloorDiv": _quotient,
    "Imag": lambda _, inputs: [inputs[0][1]],
    "IsFinite": _is_finite,
    "Log1p": _log1p,
    "LowerBound": _bound,
    "MatrixDiagV3": _diagonal,
    "MatrixSolve": _solution,
    "Pad": _pad,
    "RFFT": _spectrum,
    "Real": lambda _, inputs: [inputs[0][0]],
    "UpperBound": _bound,
}
"""Operation -> what stands for it."""
