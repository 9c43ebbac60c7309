"""Operations that multiply and sum: products of matrices, convolutions, spectra, linear systems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.portable.c.memory import CTYPES, Buffer, Value, View, broadcast_strides, dense
from rnnapps.portable.c.program import Program, element, nested
from rnnapps.portable.c.spectra import SPECTRUM, spectrum_products, unpacked
from rnnapps.portable.c.structure import Handler, Unsupported, constant_of, result_shape
from rnnapps.portable.c.systems import SOLVE

__all__ = ["PRODUCTS"]

SMALLEST_INT8 = 128
"""Elements of a matrix from which on 8-bit weights save more than their scales cost."""


def _matmul(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`MatMul` and `BatchMatMulV2`."""
    first, second = ("transpose_a", "transpose_b") if operation.type == "MatMul" else ("adj_x", "adj_y")
    left, right = (program.stored(operation.name, value) for value in values)
    left = _turned(left) if operation.get_attr(first) else left
    right = _turned(right) if operation.get_attr(second) else right
    out = program.scratch(result_shape(operation), left.dtype)
    _product(program, operation.name, (left, right), out)
    return [out]


def _turned(view: View) -> View:
    """The last two axes change places."""
    return view.moved(
        (*view.shape[:-2], view.shape[-1], view.shape[-2]), (*view.strides[:-2], view.strides[-1], view.strides[-2])
    )


def _product(program: Program, title: str, factors: tuple[View, View], out: View) -> None:
    """`(..., rows, inner)` times `(..., inner, columns)`."""
    left, right = factors
    *batch, rows, columns = out.shape
    inner, depth = left.shape[-1], len(batch)
    program.products += int(np.prod(out.shape, dtype=int)) * inner
    a = [*broadcast_strides(left.moved(left.shape[:-2], left.strides[:-2]), batch), left.strides[-2]]
    b = [*broadcast_strides(right.moved(right.shape[:-2], right.strides[:-2]), batch), 0]
    c = [*out.strides[:-1]]
    right, scales = _small(program, right)
    j, k = f"i{depth + 1}", f"i{depth + 2}"
    # A row of weights a factor: the inner loop runs along memory, and leaves factors of zero out at no cost of order.
    target = element(out, [*c, out.strides[-1]])
    factor = element(left, [*a, 0, left.strides[-1]])
    weight = element(right, [*b, right.strides[-1], right.strides[-2]])
    head = f"for (int {j} = 0; {j} < {columns}; ++{j})"
    body = [
        f"{head} {{ {target} = 0; }}",
        f"for (int {k} = 0; {k} < {inner}; ++{k}) {{",
        f"    const {CTYPES[left.dtype]} x = {factor};",
        f"    {head} {{ {target} += x * {weight}; }}",
        "}",
    ]
    if scales is not None:
        body.append(f"{head} {{ {target} *= {scales.name}[{j}]; }}")
    reads = [left, right, *([View(scales, (columns,), (1,))] if scales is not None else [])]
    program.run(title, [out], reads, nested([*batch, rows], body))


def _small(program: Program, weights: View) -> tuple[View, Buffer | None]:
    """A constant matrix in 8 bits and a scale for each of its columns, where that is wanted and pays."""
    values = weights.buffer.values
    if not program.int8 or values is None or values.dtype != np.float32 or len(weights.shape) != 2:
        return weights, None
    if 0 in weights.strides or weights.shape[0] * weights.shape[1] < SMALLEST_INT8:
        return weights, None
    strides = [stride * values.itemsize for stride in weights.strides]
    matrix = np.lib.stride_tricks.as_strided(values[weights.offset :], weights.shape, strides)
    largest = np.abs(matrix).max(axis=0)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    whole = np.clip(np.round(matrix / scale), -127, 127).astype(np.int8)
    return View(program.table(whole), whole.shape, dense(whole.shape)), program.table(scale)


def _einsum(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """Any product of two tensors that an equation of letters describes."""
    equation = operation.get_attr("equation").decode()
    sources, result = equation.split("->")
    letters = sources.split(",")
    if "." in equation or len(letters) != 2 or any(len(set(own)) != len(own) for own in letters):
        raise Unsupported(f"the equation {equation}")
    views = [program.stored(operation.name, value) for value in values]
    sizes = {
        letter: size
        for own, view in zip(letters, views, strict=True)
        for letter, size in zip(own, view.shape, strict=True)
    }
    summed = [letter for letter in sizes if letter not in result]
    order, out = [*result, *summed], program.scratch(result_shape(operation), values[0].dtype)
    program.products += int(np.prod([sizes[letter] for letter in order], dtype=int))
    steps = [
        [dict(zip(own, view.strides, strict=True)).get(letter, 0) for letter in order]
        for own, view in zip(letters, views, strict=True)
    ]
    factors = [element(view, step) for view, step in zip(views, steps, strict=True)]
    target = element(out, out.strides)
    inner = nested([sizes[letter] for letter in summed], [f"{target} += {factors[0]} * {factors[1]};"], len(result))
    program.run(operation.name, [out], views, nested(out.shape, [f"{target} = 0;", *inner]))
    return [out]


def _convolution(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`Conv2D` of `(batch, height, width, channels)` by `(height, width, channels, filters)`."""
    if operation.get_attr("data_format") != b"NHWC":
        raise Unsupported("channels before pixels")
    image, weights = (program.stored(operation.name, value) for value in values)
    out = program.scratch(result_shape(operation), image.dtype)
    strides, dilations = operation.get_attr("strides")[1:3], operation.get_attr("dilations")[1:3]
    above, left = _padding(operation, image.shape, weights.shape)
    program.products += int(np.prod(out.shape, dtype=int)) * int(np.prod(weights.shape[:3]))
    weights, scales = _small_filters(program, weights)
    target = element(out, out.strides)
    pixel = element(image, [image.strides[0]])
    places = [f"y * {image.strides[1]}", f"x * {image.strides[2]}", f"i6 * {image.strides[3]}"]
    weight = element(weights, [0, 0, 0, weights.strides[3], *weights.strides[:3]])
    inner = [
        f"const int y = i1 * {strides[0]} + i4 * {dilations[0]} - {above};",
        f"const int x = i2 * {strides[1]} + i5 * {dilations[1]} - {left};",
        f"if (y < 0 || y >= {image.shape[1]} || x < 0 || x >= {image.shape[2]}) {{ continue; }}",
        *nested([weights.shape[2]], [f"sum += {pixel[:-1]} + {' + '.join(places)}] * {weight};"], 6),
    ]
    scaled = "" if scales is None else f" * {scales.name}[i3]"
    body = [f"{CTYPES[out.dtype]} sum = 0;", *nested(weights.shape[:2], inner, 4), f"{target} = sum{scaled};"]
    reads = [image, weights, *([View(scales, (weights.shape[3],), (1,))] if scales is not None else [])]
    program.run(operation.name, [out], reads, nested(out.shape, body))
    return [out]


def _small_filters(program: Program, weights: View) -> tuple[View, Buffer | None]:
    """The filters of a convolution in 8 bits, and a scale for each, where that is wanted and pays."""
    size, filters = int(np.prod(weights.shape[:3])), weights.shape[3]
    if weights.strides != dense(weights.shape):
        return weights, None
    small, scales = _small(program, weights.moved((size, filters), (filters, 1)))
    return (weights, None) if scales is None else (small.moved(weights.shape, weights.strides), scales)


def _padding(operation: tf.Operation, image: Sequence[int], weights: Sequence[int]) -> tuple[int, int]:
    """Rows above and columns left of the image that count as zeros."""
    kind, out = operation.get_attr("padding"), result_shape(operation)
    if kind == b"VALID":
        return 0, 0
    if kind == b"EXPLICIT":
        given = operation.get_attr("explicit_paddings")
        return given[2], given[4]
    strides, dilations = operation.get_attr("strides"), operation.get_attr("dilations")
    both = [
        max((out[axis] - 1) * strides[axis] + (weights[axis - 1] - 1) * dilations[axis] + 1 - image[axis], 0) // 2
        for axis in (1, 2)
    ]
    return both[0], both[1]


def _solution(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`MatrixSolve` by elimination with the largest pivot of each column."""
    if operation.get_attr("adjoint"):
        raise Unsupported("adjoint systems")
    # Elimination changes its matrix: it works on copies.
    matrix, out = (program.scratch(value.shape, value.dtype) for value in values)
    program.store(operation.name, values[0], matrix)
    program.store(operation.name, values[1], out)
    size, columns = out.shape[-2:]
    program.helpers.add((SOLVE, out.dtype))
    starts = f"{matrix.buffer.name} + i0 * {size * size}, {out.buffer.name} + i0 * {size * columns}"
    lines = [f"{SOLVE}_{out.dtype}({starts}, {size}, {columns});"]
    systems = int(np.prod(out.shape[:-2], dtype=int))
    program.run(operation.name, [out], [matrix, out], nested([systems], lines))
    return [out]


def _spectrum(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`RFFT`: pairs of real and imaginary parts, which `Real` and `Imag` take apart."""
    size = int(constant_of(operation, 1)[0])
    view = program.stored(operation.name, values[0])
    if view.shape[-1] != size:
        raise Unsupported("a spectrum of another length than its signal")
    wave = np.arange(size) * (2 * np.pi / size)
    tables = [View(program.table(own.astype(np.float32)), (size,), (1,)) for own in (np.cos(wave), np.sin(wave))]
    out = program.scratch((*result_shape(operation), 2), "float32")
    write = _fast_spectrum if size >= 4 and size & (size - 1) == 0 else _plain_spectrum
    write(program, operation.name, view, tables=tables, out=out)
    return [out]


def _fast_spectrum(program: Program, title: str, view: View, *, tables: list[View], out: View) -> None:
    """By a fast transform of half as many complex numbers."""
    size, shape = view.shape[-1], out.shape[:-2]
    room = program.scratch((size,), "float32")
    program.helpers.add((SPECTRUM, "float32"))
    program.products += int(np.prod(shape, dtype=int)) * spectrum_products(size)
    names, place = (tables[0].buffer.name, tables[1].buffer.name), len(shape)
    z, i = room.buffer.name, f"i{place}"
    target = element(out, out.strides[:-1])
    targets = (target, f"{target[:-1]} + 1]")
    body = [
        *nested([size], [f"{z}[{i}] = {element(view, view.strides)};"], place),
        f"{SPECTRUM}_float32({z}, {names[0]}, {names[1]}, {size // 2});",
        *nested([size // 2 + 1], unpacked(z, i, tables=names, size=size, targets=targets), place),
    ]
    program.run(title, [out, room], [view, *tables], nested(shape, body))


def _plain_spectrum(program: Program, title: str, view: View, *, tables: list[View], out: View) -> None:
    """By sums, with a table of one wave."""
    size, shape, depth = view.shape[-1], out.shape[:-1], len(view.shape) - 1
    cosine, sine = (table.buffer.name for table in tables)
    program.products += 2 * int(np.prod(shape, dtype=int)) * size
    target = element(out, out.strides[:-1])
    body = [
        "float real = 0, imaginary = 0;",
        "int phase = 0;",
        *nested(
            [size],
            [
                f"const float x = {element(view, [*view.strides[:-1], 0, view.strides[-1]])};",
                f"real += x * {cosine}[phase];",
                f"imaginary -= x * {sine}[phase];",
                f"phase = phase + i{depth} < {size} ? phase + i{depth} : phase + i{depth} - {size};",
            ],
            depth + 1,
        ),
        f"{target} = real;",
        f"{target[:-1]} + 1] = imaginary;",
    ]
    program.run(title, [out], [view, *tables], nested(shape, body))


def _part(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`Real` and `Imag` of pairs."""
    view = program.stored(operation.name, values[0])
    return [view.moved(view.shape[:-1], view.strides[:-1], 0 if operation.type == "Real" else 1)]


PRODUCTS: dict[str, Handler] = {
    "BatchMatMulV2": _matmul,
    "Conv2D": _convolution,
    "Einsum": _einsum,
    "Imag": _part,
    "MatMul": _matmul,
    "MatrixSolve": _solution,
    "RFFT": _spectrum,
    "Real": _part,
}
