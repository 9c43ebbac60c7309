"""What a user gives for a signature, to the arrays of a request: types, repeated values, padding, defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.errors import ConfigError
from rnnapps.types import Array, Arrays

__all__ = ["complete", "initial_state"]


def complete(name: str, signature: ServedSignature, given: Mapping[str, Any]) -> Arrays:
    """The inputs of a request.

    Args:
        name: of the signature.
        signature: what it takes.
        given: input -> array or nested lists, the batch first; a single value counts for every row. Rows of different
            lengths are padded. What is left out is filled in: `lengths`, defaults, and the states of a beginning.

    Raises:
        ConfigError: an input is missing, unknown, or of another type or shape.
    """
    for unknown in given.keys() - signature.inputs.keys():
        raise ConfigError(f"signature {name!r} has no input {unknown!r}; it has {', '.join(sorted(signature.inputs))}")
    values, lengths = _unpadded(signature, given)
    arrays = {key: _array(f"input {key!r}", value, signature.inputs[key]) for key, value in values.items()}
    rows = next((len(array) for key, array in arrays.items() if array.ndim), 1)
    arrays |= {key: counts for key, counts in lengths.items() if key not in arrays}
    counts = set(signature.counted.values())
    # What is counted comes before its count: where both are missing, a user would give the former.
    for key, tensor in sorted(signature.inputs.items(), key=lambda item: item[0] in counts):
        if key not in arrays:
            arrays[key] = _absent(name, key, signature, rows)
        elif not arrays[key].ndim and len(tensor.shape) == 1:
            arrays[key] = np.full(rows, arrays[key].item(), arrays[key].dtype)
        _require_shape(key, arrays[key], tensor, rows)
    return {key: arrays[key] for key in signature.inputs}


def initial_state(tensor: ServedTensor, rows: int) -> Array:
    """The value of a state in so many rows of a first request."""
    dtype = _dtype(tensor)
    inner = [size or 0 for size in tensor.shape[1:]]
    zero = tensor.zero if tensor.zero is not None else ("" if dtype.hasobject else 0)
    return np.broadcast_to(np.asarray(zero, dtype), (rows, *inner)).copy()


def _dtype(tensor: ServedTensor) -> np.dtype[Any]:
    return np.dtype(object) if tensor.dtype == "string" else np.dtype(tensor.dtype)


def _absent(name: str, key: str, signature: ServedSignature, rows: int) -> Array:
    """An input that was not given."""
    tensor = signature.inputs[key]
    if tensor.next and not signature.begins:
        return initial_state(tensor, rows)
    if tensor.default is not None:
        default = np.asarray(tensor.default, _dtype(tensor))
        return np.broadcast_to(default, (rows, *(size or 0 for size in tensor.shape[1:]))).copy()
    begun = f"; it begins with the answer of {signature.begins!r}" if tensor.next else ""
    raise ConfigError(f"signature {name!r}: input {key!r} is missing, which has no default{begun}")


def _unpadded(signature: ServedSignature, given: Mapping[str, Any]) -> tuple[dict[str, Any], Arrays]:
    """The values, rows of different lengths padded, and what counts their items where nobody said it."""
    values, lengths = dict(given), {}
    for key, counts in signature.counted.items():
        if key not in values or np.ndim(_lengths_of(values[key])) != 1:
            continue
        sizes = np.asarray(_lengths_of(values[key]), signature.inputs[counts].dtype)
        if len(set(sizes.tolist())) > 1:
            values[key] = _padded(values[key], signature.inputs[key])
        lengths[counts] = sizes
    return values, lengths


def _lengths_of(value: Any) -> list[int] | int:
    """How many items each row has; 0 where the value has no rows."""
    if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
        return 0
    if any(isinstance(row, str | bytes) or not hasattr(row, "__len__") for row in value):
        return 0
    return [len(row) for row in value]


def _padded(value: Any, tensor: ServedTensor) -> Array:
    """Rows of different lengths in one array, zeros or empty strings behind their ends."""
    rows = [_array("a row", row, tensor) for row in value]
    inner = next((row.shape[1:] for row in rows if len(row)), tuple(size or 0 for size in tensor.shape[2:]))
    dtype = _dtype(tensor)
    whole = np.full((len(rows), max(map(len, rows)), *inner), "" if dtype.hasobject else 0, dtype)
    for number, row in enumerate(rows):
        if len(row) and row.shape[1:] != inner:
            raise ConfigError(f"rows of the shapes {list(inner)} and {list(row.shape[1:])} found in one input")
        whole[number, : len(row)] = row
    return whole


def _array(where: str, value: Any, tensor: ServedTensor) -> Array:
    """A value as an array of the wanted type, without loss but for rounding."""
    dtype = _dtype(tensor)
    try:
        if dtype.hasobject:
            return _strings(where, value)
        array = np.asarray(value)
        if array.dtype.hasobject and dtype.kind == "f":
            array = array.astype(np.float64)  # None is a missing value
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"{where}: no array of {tensor.dtype} ({str(error).splitlines()[0]})") from error
    kinds = {"f": "fiu", "b": "b"}.get(dtype.kind, "iu")
    if array.size and array.dtype.kind not in kinds:
        raise ConfigError(f"{where}: {array.dtype} found, {tensor.dtype} expected")
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    changed = np.isinf(converted) & ~np.isinf(array) if dtype.kind == "f" else converted != array
    if np.any(changed):
        raise ConfigError(f"{where}: {array[changed].ravel()[0]} found, which {tensor.dtype} cannot hold")
    return converted


def _strings(where: str, value: Any) -> Array:
    array = np.asarray(value, object) if not isinstance(value, np.ndarray) else value.astype(object)
    for item in array.ravel().tolist():
        if not isinstance(item, str | bytes):
            raise ConfigError(f"{where}: {type(item).__name__} found, str or bytes expected")
    return array


def _require_shape(key: str, array: Array, tensor: ServedTensor, rows: int) -> None:
    expected = [rows, *tensor.shape[1:]]
    fits = array.ndim == len(expected) and all(
        size in (None, found) for size, found in zip(expected, array.shape, strict=True)
    )
    if not fits:
        told = ", ".join("any" if size is None else str(size) for size in expected)
        raise ConfigError(f"input {key!r}: shape {list(array.shape)} found, [{told}] expected; rows come first")
