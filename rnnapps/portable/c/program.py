"""The loops of a C program in the order they run, and the room that each of them needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rnnapps.portable.c.memory import (
    Buffer,
    Expression,
    Value,
    View,
    arranged,
    broadcast_strides,
    contiguous,
    dense,
    literal,
)
from rnnapps.types import Array

__all__ = ["Kernel", "Program", "as_expression", "element", "nested"]

LONGEST_EXPRESSION = 400
"""Characters of an expression that is read in place; a longer one is computed once and stored."""


@dataclass(frozen=True)
class Kernel:
    """A few loops.

    Attributes:
        title: what they compute.
        writes: the buffers they fill.
        reads: the buffers they read.
        lines: the C code.
    """

    title: str
    writes: tuple[Buffer, ...]
    reads: tuple[Buffer, ...]
    lines: tuple[str, ...]


@dataclass
class Program:
    """What was compiled so far.

    Attributes:
        int8: whether the weights of products are stored as 8-bit integers.
        kernels: the loops.
        tables: constants by their content.
        helpers: names and types of the functions that the loops call.
        products: multiply-adds of all products.
    """

    int8: bool = False
    kernels: list[Kernel] = field(default_factory=list)
    tables: dict[tuple[str, bytes], Buffer] = field(default_factory=dict)
    helpers: set[tuple[str, str]] = field(default_factory=set)
    products: int = 0
    _scratch: int = 0

    def scratch(self, shape: Sequence[int], dtype: str) -> View:
        """Room for a tensor."""
        self._scratch += 1
        size = int(np.prod(shape, dtype=int))
        return View(Buffer(f"t{self._scratch}", dtype, size, "scratch"), tuple(shape), dense(shape))

    def constant(self, array: Array) -> Value:
        """A constant: a literal where all elements are one value, else a table."""
        dtype = str(array.dtype)
        if (array == array.ravel()[:1]).all():
            number = array.ravel()[:1] if array.size else np.zeros(1, array.dtype)
            text = literal(number[0], dtype)
            return Expression(array.shape, dtype, (), lambda _: text, number=number)
        return View(self.table(array), array.shape, dense(array.shape))

    def table(self, array: Array) -> Buffer:
        """A constant table; equal ones are stored once."""
        dtype, content = str(array.dtype), np.ascontiguousarray(array)
        key = dtype, content.tobytes()
        if key not in self.tables:
            self.tables[key] = Buffer(f"w{len(self.tables)}", dtype, array.size, "table", content.ravel())
        return self.tables[key]

    def read_tables(self) -> list[Buffer]:
        """The tables that loops read."""
        read = {buffer for kernel in self.kernels for buffer in kernel.reads}
        return [table for table in self.tables.values() if table in read]

    def run(self, title: str, writes: Sequence[View], reads: Sequence[View], lines: Iterable[str]) -> None:
        """Adds loops."""
        filled, read = (tuple(dict.fromkeys(view.buffer for view in views)) for views in (writes, reads))
        self.kernels.append(Kernel(title, filled, read, tuple(lines)))

    def store(self, title: str, value: Value, out: View) -> None:
        """Adds loops that write a value, broadcast to the view's shape, into the view."""
        if not out.buffer.size or 0 in out.shape:
            return
        expression = as_expression(value)
        leaves = expression.leaves
        strides = [broadcast_strides(view, out.shape) for view in leaves]
        lengths, steps = arranged(out.shape, [out.strides, *strides])
        texts = [element(view, step) for view, step in zip(leaves, steps[1:], strict=True)]
        target = element(out, steps[0])
        self.run(title, [out], leaves, nested(lengths, [f"{target} = {expression.text(texts)};"]))

    def stored(self, title: str, value: Value) -> View:
        """The value as a view: itself, or where it was just stored."""
        if isinstance(value, View):
            return value
        if value.number is not None:
            return View(self.table(value.number), value.shape, (0,) * len(value.shape))
        out = self.scratch(value.shape, value.dtype)
        self.store(title, value, out)
        return out

    def flat(self, title: str, value: Value) -> View:
        """The value as a view whose elements stand one behind another."""
        if isinstance(value, View) and contiguous(value):
            return value
        out = self.scratch(value.shape, value.dtype)
        self.store(title, value, out)
        return out

    def kept(self, title: str, value: Value, uses: int) -> Value:
        """The value, stored where computing it at each use would cost more."""
        if isinstance(value, View) or (value.work == 0 and not value.leaves):
            return value
        sample = value.text(["x" * 24] * len(value.leaves))
        return value if uses <= 1 and len(sample) <= LONGEST_EXPRESSION else self.stored(title, value)


def as_expression(value: Value) -> Expression:
    """The value as an expression."""
    return Expression(value.shape, value.dtype, (value,), lambda texts: texts[0]) if isinstance(value, View) else value


def element(view: View, strides: Sequence[int], first: int = 0) -> str:
    """An element of a view in nested loops over `i0`, `i1`..., or from a later one on."""
    terms = [
        f"i{number}" if stride == 1 else f"i{number} * {stride}"
        for number, stride in enumerate(strides, first)
        if stride
    ]
    if view.offset or not terms:
        terms.append(str(view.offset))
    return f"{view.buffer.name}[{' + '.join(terms)}]"


def nested(lengths: Sequence[int], body: Sequence[str], first: int = 0) -> list[str]:
    """Lines within loops over `i0`, `i1`..., the last one innermost; `first` is the number of the first."""
    lines = list(body)
    for number in reversed(range(first, first + len(lengths))):
        head = f"for (int i{number} = 0; i{number} < {lengths[number - first]}; ++i{number})"
        lines = [f"{head} {{", *("    " + line for line in lines), "}"]
    return lines
