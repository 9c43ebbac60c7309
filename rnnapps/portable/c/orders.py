"""Operations that put elements in an order: the largest, and places among sorted ones."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.portable.c.memory import CTYPES, Value
from rnnapps.portable.c.program import Program, element, nested
from rnnapps.portable.c.structure import Handler, result_shape

__all__ = ["ORDERS"]


def _largest(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`TopKV2`: the k largest along the last axis, the larger first, of equal ones the first."""
    view, count = program.flat(operation.name, values[0]), result_shape(operation)[-1]
    found, places = (program.scratch(tuple(o.shape), o.dtype.name) for o in operation.outputs)
    rows, size = int(np.prod(view.shape[:-1], dtype=int)), view.shape[-1]
    source, value, place = view.buffer.name, found.buffer.name, places.buffer.name
    at = f"i0 * {size} + {view.offset}"
    body = [
        "int taken = 0;",
        f"for (int i1 = 0; i1 < {size}; ++i1) {{",
        "    int k = taken;",
        f"    const {CTYPES[view.dtype]} x = {source}[{at} + i1];",
        f"    while (k > 0 && {value}[i0 * {count} + k - 1] < x) {{ --k; }}",
        f"    if (k == {count}) {{ continue; }}",
        f"    for (int j = taken < {count} ? taken : {count - 1}; j > k; --j) {{",
        f"        {value}[i0 * {count} + j] = {value}[i0 * {count} + j - 1];",
        f"        {place}[i0 * {count} + j] = {place}[i0 * {count} + j - 1];",
        "    }",
        f"    {value}[i0 * {count} + k] = x;",
        f"    {place}[i0 * {count} + k] = i1;",
        f"    taken += taken < {count};",
        "}",
    ]
    program.run(operation.name, [found, places], [view], nested([rows], body))
    return [found, places]


def _bound(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`UpperBound` and `LowerBound`: how many sorted numbers of a row are not above, or below, each value."""
    table, wanted = (program.stored(operation.name, value) for value in values)
    out = program.scratch(result_shape(operation), operation.outputs[0].dtype.name)
    sign = "<=" if operation.type == "UpperBound" else "<"
    number = element(table, [table.strides[0], 0, table.strides[1]])
    inner = nested([table.shape[1]], [f"count += {number} {sign} {element(wanted, wanted.strides)};"], 2)
    body = ["int count = 0;", *inner, f"{element(out, out.strides)} = count;"]
    program.run(operation.name, [out], [table, wanted], nested(out.shape, body))
    return [out]


ORDERS: dict[str, Handler] = {
    "LowerBound": _bound,
    "TopKV2": _largest,
    "UpperBound": _bound,
}
