"""Where values stand in a C program: buffers, views of them, and expressions that are computed where they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rnnapps.types import Array

__all__ = [
    "CTYPES",
    "Buffer",
    "Expression",
    "Value",
    "View",
    "arranged",
    "broadcast_strides",
    "contiguous",
    "dense",
    "literal",
]

CTYPES = {
    "float32": "float",
    "float64": "double",
    "int32": "int32_t",
    "int64": "int64_t",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "bool": "uint8_t",
}
"""Type of NumPy -> type of C."""

Place = Literal["input", "output", "state", "table", "scratch"]


@dataclass(frozen=True, eq=False)
class Buffer:
    """An array of a C program.

    Attributes:
        name: what stands for its address.
        dtype: name of NumPy's type.
        size: number of elements.
        place: where it is: an argument, a state, a constant table, or room that later values take again.
        values: of a table.
    """

    name: str
    dtype: str
    size: int
    place: Place
    values: Array | None = None


@dataclass(frozen=True, eq=False)
class View:
    """Elements of a buffer as a tensor: element `(i, j...)` stands at `offset + i * strides[0] + j * strides[1]...`."""

    buffer: Buffer
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def dtype(self) -> str:
        """Name of NumPy's type."""
        return self.buffer.dtype

    def moved(self, shape: Sequence[int], strides: Sequence[int], by: int = 0) -> View:
        """Other elements of the same buffer."""
        return replace(self, shape=tuple(shape), strides=tuple(strides), offset=self.offset + by)


@dataclass(frozen=True, eq=False)
class Expression:
    """A tensor whose elements are computed where they are read.

    Attributes:
        shape: of the tensor.
        dtype: name of NumPy's type.
        leaves: what it reads, each broadcast to the shape.
        text: maps C expressions of one element of each leaf to that of the result.
        work: operations an element, 0 where nothing is computed.
        number: the one value of all elements, where that is known.
    """

    shape: tuple[int, ...]
    dtype: str
    leaves: tuple[View, ...]
    text: Callable[[Sequence[str]], str]
    work: int = 0
    number: Array | None = None


Value = View | Expression


def dense(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of a tensor whose elements stand one behind another."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def contiguous(view: View) -> bool:
    """Whether the elements stand one behind another."""
    pairs = zip(view.shape, view.strides, dense(view.shape), strict=True)
    return all(size == 1 or stride == wanted for size, stride, wanted in pairs)


def broadcast_strides(view: View, shape: Sequence[int]) -> tuple[int, ...]:
    """The strides by which a view is read as a tensor of a larger shape."""
    missing = len(shape) - len(view.shape)
    own = [0 if size == 1 else stride for size, stride in zip(view.shape, view.strides, strict=True)]
    return (*(0 for _ in range(missing)), *own)


def arranged(shape: Sequence[int], strides: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """The fewest nested loops that visit all elements: their lengths, and the strides of each operand in them."""
    lengths: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        own = [operand[axis] for operand in strides]
        if lengths and all(before[-1] == stride * size for before, stride in zip(steps, own, strict=True)):
            lengths[-1] *= size
            for before, stride in zip(steps, own, strict=True):
                before[-1] = stride
        else:
            lengths.append(size)
            for before, stride in zip(steps, own, strict=True):
                before.append(stride)
    return lengths, steps


def literal(value: object, dtype: str) -> str:
    """A number as C writes it, so that it is read back exactly."""
    if dtype == "bool":
        return "1" if value else "0"
    if dtype in ("float32", "float64"):
        return _float_literal(float(np.asarray(value, dtype)), dtype == "float32")
    number = int(np.asarray(value))
    if dtype == "int64":
        return "INT64_MIN" if number == np.iinfo(np.int64).min else f"INT64_C({number})"
    return "INT32_MIN" if number == np.iinfo(np.int32).min else str(number)


def _float_literal(number: float, single: bool) -> str:
    if not np.isfinite(number):
        return "NAN" if np.isnan(number) else "INFINITY" if number > 0 else "(-INFINITY)"
    text = f"{number:.9g}" if single else f"{number:.17g}"
    text = text if any(mark in text for mark in ".e") else text + ".0"
    text = f"{text}f" if single else text
    return f"({text})" if text.startswith("-") else text
