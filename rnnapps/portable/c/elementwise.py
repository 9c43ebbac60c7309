"""Operations that compute each element on its own, as C expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnapps.portable.c.memory import CTYPES, Expression, Value, literal
from rnnapps.portable.c.program import Program, as_expression

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["ELEMENTWISE", "apply", "combined", "helper"]

FORMULAS: dict[str, str] = {
    "Abs": "@abs({0})",
    "Acos": "acos#({0})",
    "Add": "({0} + {1})",
    "AddV2": "({0} + {1})",
    "Asin": "asin#({0})",
    "Atan": "atan#({0})",
    "BitwiseAnd": "({0} & {1})",
    "BitwiseOr": "({0} | {1})",
    "BitwiseXor": "({0} ^ {1})",
    "Ceil": "ceil#({0})",
    "Cos": "cos#({0})",
    "Div": "({0} / {1})",
    "DivNoNan": "@div_no_nan({0}, {1})",
    "Elu": "@elu({0})",
    "Equal": "({0} == {1})",
    "Erf": "erf#({0})",
    "Exp": "exp#({0})",
    "Expm1": "expm1#({0})",
    "Floor": "floor#({0})",
    "FloorDiv": "@floor_div({0}, {1})",
    "FloorMod": "@floor_mod({0}, {1})",
    "Greater": "({0} > {1})",
    "GreaterEqual": "({0} >= {1})",
    "IsFinite": "(isfinite({0}) != 0)",
    "IsInf": "(isinf({0}) != 0)",
    "IsNan": "(isnan({0}) != 0)",
    "Less": "({0} < {1})",
    "LessEqual": "({0} <= {1})",
    "Log": "log#({0})",
    "Log1p": "log1p#({0})",
    "LogicalAnd": "({0} && {1})",
    "LogicalNot": "(!{0})",
    "LogicalOr": "({0} || {1})",
    "Maximum": "@max({0}, {1})",
    "Minimum": "@min({0}, {1})",
    "Mul": "({0} * {1})",
    "Neg": "(-{0})",
    "NotEqual": "({0} != {1})",
    "OnesLike": "1",
    "Pow": "pow#({0}, {1})",
    "RealDiv": "({0} / {1})",
    "Relu": "@max({0}, 0)",
    "Relu6": "@min(@max({0}, 0), 6)",
    "Round": "rint#({0})",
    "Rint": "rint#({0})",
    "Rsqrt": "(1 / sqrt#({0}))",
    "Reciprocal": "(1 / {0})",
    "Inv": "(1 / {0})",
    "Select": "({0} ? {1} : {2})",
    "SelectV2": "({0} ? {1} : {2})",
    "Selu": "@selu({0})",
    "Sigmoid": "@sigmoid({0})",
    "Sign": "@sign({0})",
    "Sin": "sin#({0})",
    "Sinh": "sinh#({0})",
    "Softplus": "@softplus({0})",
    "Softsign": "@softsign({0})",
    "Sqrt": "sqrt#({0})",
    "Square": "@square({0})",
    "SquaredDifference": "@square({0} - {1})",
    "Sub": "({0} - {1})",
    "Tan": "tan#({0})",
    "Tanh": "tanh#({0})",
    "TruncateDiv": "({0} / {1})",
}
"""Operation -> its formula: `#` stands for the suffix of libm's functions, `@name` for a helper of the type of the last
operand."""

HELPERS: dict[str, tuple[str, str]] = {
    "abs": ("T a", "return a < 0 ? -a : a;"),
    "div_no_nan": ("T a, T b", "return b == 0 ? 0 : a / b;"),
    "elu": ("T a", "return a > 0 ? a : expm1#(a);"),
    "floor_div": ("T a, T b", "const T q = a / b; return (T)(q - (a % b != 0 && (a < 0) != (b < 0)));"),
    "floor_mod": ("T a, T b", "const T r = a % b; return (T)(r + (r != 0 && (r < 0) != (b < 0) ? b : 0));"),
    "max": ("T a, T b", "return a > b ? a : b;"),
    "min": ("T a, T b", "return a < b ? a : b;"),
    "selu": ("T a", "return (T)1.0507009873554805 * (a > 0 ? a : (T)1.6732632423543772 * expm1#(a));"),
    "sigmoid": ("T a", "return 1 / (1 + exp#(-a));"),
    "sign": ("T a", "return (T)((a > 0) - (a < 0));"),
    "softplus": ("T a", "return (a > 0 ? a : 0) + log1p#(exp#(-fabs#(a)));"),
    "softsign": ("T a", "return a / (1 + fabs#(a));"),
    "square": ("T a", "return a * a;"),
}
"""Functions of a type T: parameters and body."""

_FLOATING = {
    "floor_div": "return floor#(a / b);",
    "floor_mod": "const T r = fmod#(a, b); return r != 0 && (r < 0) != (b < 0) ? r + b : r;",
}
"""Bodies that differ where T is no integer."""

ELEMENTWISE = frozenset(FORMULAS) | {"AddN", "BiasAdd", "Cast", "LeakyRelu"}
"""What `apply` knows."""

SUFFIX = {"float32": "f", "float64": ""}
_Rule = Callable[[Sequence[str]], str]


def helper(name: str, dtype: str) -> str:
    """The C function of a helper for a type."""
    parameters, body = HELPERS[name]
    body = _FLOATING.get(name, body) if dtype in SUFFIX else body
    text = f"static inline T {name}_{dtype}({parameters}) {{ {body} }}".replace("#", SUFFIX.get(dtype, ""))
    return re.sub(r"\bT\b", CTYPES[dtype], text)


def apply(program: Program, operation: tf.Operation, values: Sequence[Value]) -> Value:
    """The result of an elementwise operation."""
    shape, dtype = tuple(operation.outputs[0].shape), operation.outputs[0].dtype.name
    if operation.type == "Cast":
        return combined(shape, dtype, values, _cast(dtype))
    if operation.type == "AddN":
        return combined(shape, dtype, values, lambda texts: f"({' + '.join(texts)})")
    if operation.type == "LeakyRelu":
        slope = literal(np.float32(operation.get_attr("alpha")), dtype)
        return combined(shape, dtype, values, lambda texts: f"({texts[0]} > 0 ? {texts[0]} : {slope} * {texts[0]})")
    if operation.type == "BiasAdd":
        values = [values[0], _bias(program, operation, values[1])]
    formula = FORMULAS["AddV2" if operation.type == "BiasAdd" else operation.type]
    return combined(shape, dtype, values, _rule(program, formula, values[-1].dtype))


def _bias(program: Program, operation: tf.Operation, value: Value) -> Value:
    """A bias, along the last axis or along that behind the batch, where its operation says so."""
    if operation.get_attr("data_format") != b"NCHW":
        return value
    view, behind = program.stored(operation.name, value), operation.outputs[0].shape.rank - 2
    return view.moved((view.shape[0], *[1] * behind), (view.strides[0], *[0] * behind))


def _cast(dtype: str) -> _Rule:
    """Truth is what is not zero; all other types are converted as C does."""
    return (lambda texts: f"({texts[0]} != 0)") if dtype == "bool" else (lambda texts: f"({CTYPES[dtype]}){texts[0]}")


def combined(shape: tuple[int, ...], dtype: str, values: Sequence[Value], rule: _Rule) -> Expression:
    """One expression of several values, each broadcast to the shape."""
    parts = [as_expression(value) for value in values]
    counts = [len(part.leaves) for part in parts]

    def text(leaves: Sequence[str]) -> str:
        texts, start = [], 0
        for part, count in zip(parts, counts, strict=True):
            texts.append(part.text(leaves[start : start + count]))
            start += count
        return rule(texts)

    leaves = tuple(leaf for part in parts for leaf in part.leaves)
    return Expression(shape, dtype, leaves, text, 1 + sum(part.work for part in parts))


def _rule(program: Program, formula: str, dtype: str) -> _Rule:
    """A formula for operands of a type."""
    text = formula.replace("#", SUFFIX.get(dtype, ""))
    for name in HELPERS:
        if f"@{name}(" in text:
            program.helpers.add((name, dtype))
            text = text.replace(f"@{name}(", f"{name}_{dtype}(")
    return lambda texts: text.format(*texts)
