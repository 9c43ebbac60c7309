"""A request cut into pieces that may share a run with others, and their answers put together again.

A batch runs as long as its longest row. So rows are put into classes of about the same length: their items, the bytes
of their strings, and how much is wanted of them. Where every answer has the same shape for every row, the rows of one
request may go different ways too, and what is only padding is cut off before they run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.serving.served_signature import ServedSignature, filler, padded
from rnnapps.types import Array, Arrays

__all__ = ["ALONE", "Key", "Piece", "cut", "gather", "join", "length_class", "parts_of", "whole"]

Key = tuple[object, ...]
SHORT, SHORT_BYTES = 16, 256
"""Rows of up to so many items, or bytes, are one class; behind them, each class reaches twice as far."""
ALONE: Key = ("alone",)
"""Key of a piece that shares its run with nobody."""


@dataclass(frozen=True)
class Piece:
    """Some rows of a request.

    Attributes:
        inputs: input name -> array `(rows, ...)`.
        rows: their numbers in the request.
        key: pieces of the same key may run together.
    """

    inputs: Arrays
    rows: Array
    key: Key


def cut(signature: ServedSignature, inputs: Arrays, most_rows: int) -> list[Piece]:
    """Cuts a request.

    Args:
        signature: of the request.
        inputs: input name -> array, all with the same number of rows, at least one.
        most_rows: the most that run together.
    """
    kinds, count = {width.kind for width in signature.widths}, len(next(iter(inputs.values())))
    if "unknown" in kinds:
        return [whole(inputs)]
    if not kinds:
        return [piece for rows in _classes(signature, inputs) for piece in _short(signature, inputs, rows, most_rows)]
    key = _key(signature, inputs, exact="shape" in kinds)
    chunks = [np.arange(start, min(start + most_rows, count)) for start in range(0, count, most_rows)]
    return [Piece(_take(inputs, rows), rows, key) for rows in chunks]


def whole(inputs: Arrays) -> Piece:
    """A request that runs as it came, by itself."""
    return Piece(inputs, np.arange(len(next(iter(inputs.values())))), ALONE)


def gather(pieces: Sequence[Piece], allowed_sizes: Sequence[int] = ()) -> Arrays:
    """The inputs of a run: the rows of all pieces, padded to the longest, filled up to an allowed size."""
    count = sum(len(piece.rows) for piece in pieces)
    wanted = next((size for size in allowed_sizes if size >= count), count)
    if len(pieces) == 1 and wanted == count:
        return pieces[0].inputs
    result = {}
    for name in pieces[0].inputs:
        arrays = [piece.inputs[name] for piece in pieces]
        shape = tuple(max(sizes) for sizes in zip(*(array.shape[1:] for array in arrays), strict=True))
        arrays = [padded(array, (len(array), *shape)) for array in arrays]
        # The first row again: whatever is true of it stays true.
        result[name] = np.concatenate([*arrays, *[arrays[0][:1]] * (wanted - count)])
    return result


def parts_of(signature: ServedSignature, pieces: Sequence[Piece], outputs: Arrays) -> list[Arrays]:
    """The answers of a run as each piece alone would have got them."""
    result, start = [], 0
    for piece in pieces:
        part = {name: array[start : start + len(piece.rows)] for name, array in outputs.items()}
        uncut = dict(part)
        for width in signature.widths:
            size = width.of(piece.inputs, uncut)
            if size is not None and len(pieces) > 1:
                part[width.output] = part[width.output][(slice(None),) * width.axis + (slice(size),)]
        result.append(part)
        start += len(piece.rows)
    return result


def join(pieces: Sequence[Piece], answers: Sequence[Arrays]) -> Arrays:
    """The answer to a request from those to its pieces; a narrower one is filled with zeros or empty strings."""
    if len(pieces) == 1:
        return answers[0]
    order = np.concatenate([piece.rows for piece in pieces])
    result = {}
    for name in answers[0]:
        arrays = [answer[name] for answer in answers]
        shape = tuple(max(sizes) for sizes in zip(*(array.shape[1:] for array in arrays), strict=True))
        rows = np.concatenate([padded(array, (len(array), *shape)) for array in arrays])
        result[name] = filler(rows.shape, rows)
        result[name][order] = rows
    return result


def _classes(signature: ServedSignature, inputs: Arrays) -> list[Array]:
    """The numbers of the rows of each class, in order."""
    measures = _measures(signature, inputs)
    if len(measures) == 1 or not measures.shape[1]:
        return [np.arange(len(measures))]
    _, place = np.unique(measures, axis=0, return_inverse=True)
    return [np.flatnonzero(place.ravel() == each) for each in range(int(place.max()) + 1)]


def _short(signature: ServedSignature, inputs: Arrays, rows: Array, most_rows: int) -> list[Piece]:
    """The pieces of the rows of one class, without the padding that none of them needs."""
    mine = _take(inputs, rows)
    for name, counts in signature.lengths.items():
        items, size = mine[counts], mine[name].shape[1]
        if size and items.min() > 0 and items.max() <= size:
            mine[name] = mine[name][:, : items.max()]
    key = _key(signature, mine, exact=False)
    return [
        Piece(_take(mine, np.arange(start, min(start + most_rows, len(rows)))), rows[start : start + most_rows], key)
        for start in range(0, len(rows), most_rows)
    ]


def _take(inputs: Arrays, rows: Array) -> Arrays:
    if len(rows) == len(next(iter(inputs.values()))):
        return dict(inputs)
    return {name: array[rows] for name, array in inputs.items()}


def _key(signature: ServedSignature, inputs: Arrays, *, exact: bool) -> Key:
    """What two pieces must have in common to run together."""
    free = {} if exact else signature.lengths
    # A count beyond the row's end is a mistake that padding would hide.
    wrong = any(len(inputs[counts]) and inputs[counts].max() > inputs[name].shape[1] for name, counts in free.items())
    fixed = [
        array.shape[1:] if wrong or name not in free else array.shape[2:] for name, array in sorted(inputs.items())
    ]
    return (wrong, *fixed, *_measures(signature, inputs).max(axis=0).tolist())


def _measures(signature: ServedSignature, inputs: Arrays) -> Array:
    """The classes of each row `(rows, measures)`: of its items, of what is wanted of it, of its strings' bytes."""
    numbers = [inputs[counts] for _, counts in sorted(signature.lengths.items())]
    numbers += [inputs[name] for name in signature.amounts]
    texts = [array.reshape(len(array), -1) for _, array in sorted(inputs.items()) if array.dtype == object]
    sizes = [np.asarray([max(map(len, row), default=0) for row in array.tolist()]) for array in texts]
    columns = [length_class(values, SHORT) for values in numbers] + [
        length_class(values, SHORT_BYTES) for values in sizes
    ]
    count = len(next(iter(inputs.values())))
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0), np.int32)


def length_class(sizes: Array, short: int) -> Array:
    """0 up to `short`, 1 up to twice as much, 2 up to four times..."""
    classes: Array = np.frexp(np.maximum(sizes.astype(np.int64) - 1, 0) // short)[1]
    return classes
