"""The body of a REST request of TensorFlow Serving to arrays: by rows (`instances`) or by columns (`inputs`)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import orjson

from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature, TensorKind
from rnnapps.serving.served_version import DEFAULT_SIGNATURE
from rnnapps.types import Array, Arrays

__all__ = ["Json", "JsonRequest", "parse_json", "parse_request", "to_array"]

Json: TypeAlias = Any
"""What JSON holds."""
BASE64 = "b64"
_SHOWN = 80


@dataclass(frozen=True)
class JsonRequest:
    """A request.

    Attributes:
        signature: the signature that is asked.
        inputs: input name -> array `(rows, ...)`.
        layout: whether it came by rows, and so goes the answer, or by columns.
    """

    signature: ServedSignature
    inputs: Arrays
    layout: Literal["row", "column"]


def parse_json(body: bytes) -> dict[str, Json]:
    """The object of a body, in which NaN and infinity may stand as JavaScript writes them; raises Refusal."""
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            values = json.loads(body)
        except (ValueError, RecursionError):
            raise Refusal(Code.INVALID_ARGUMENT, f"JSON Parse error: {error}") from None
    if not isinstance(values, dict):
        raise Refusal(Code.INVALID_ARGUMENT, f"JSON Value: {_shown(values)} Is not object")
    return values


def parse_request(body: bytes, signature_of: Callable[[str], ServedSignature]) -> JsonRequest:
    """Reads a predict request.

    Args:
        body: JSON in UTF-8.
        signature_of: finds a signature by its name; raises Refusal.

    Raises:
        Refusal: it is not a request for that signature.
    """
    values = parse_json(body)
    name = values.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(name, str):
        raise _wrong("'signature_name' key must be a string value.")
    signature = signature_of(name or DEFAULT_SIGNATURE)
    if ("instances" in values) == ("inputs" in values):
        both = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        raise _wrong(both if "inputs" in values else "Missing 'inputs' or 'instances' key")
    if "instances" in values:
        return JsonRequest(signature, _from_rows(values["instances"], signature.inputs), "row")
    return JsonRequest(signature, _from_columns(values["inputs"], signature.inputs), "column")


def to_array(value: Json, kind: TensorKind, where: str) -> Array:
    """A nested list, or one value, to an array of the wanted type, without loss.

    Args:
        value: as JSON has it.
        kind: what is wanted; its shape is not looked at.
        where: what a refusal calls it.

    Raises:
        Refusal: lists of different lengths, another type, or a number that the type cannot hold.
    """
    if kind.dtype == object:
        return _strings(value, where)
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise _wrong(f"{where}: lists of different lengths, or nested to different depths") from None
    if array.size == 0:
        return array.astype(kind.dtype)
    wanted = {"f": "fiu", "b": "b"}.get(kind.dtype.kind, "iu")
    if array.dtype.kind not in wanted or (wanted != "b" and _has_truth(value)):
        raise _wrong(f"{where}: {_shown(value)} is not of expected type: {kind.dtype.name}")
    return _converted(array, kind.dtype, where)


def _converted(array: Array, dtype: np.dtype[Any], where: str) -> Array:
    """Numbers of another type, where none of them changes by more than rounding."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fits = limits.min <= int(array.min()) and int(array.max()) <= limits.max
    elif array.dtype.kind in "iu":
        fits = max(abs(int(array.min())), abs(int(array.max()))) < 2 ** (np.finfo(dtype).nmant + 1)
    elif dtype.kind == "f":
        finite = np.abs(array[np.isfinite(array)])
        fits = not finite.size or bool(finite.max() <= np.finfo(dtype).max)
    else:
        fits = True
    if not fits:
        raise _wrong(f"{where}: cannot be converted to {dtype.name} without loss of precision")
    return array.astype(dtype)


def _from_rows(instances: Json, inputs: Mapping[str, TensorKind]) -> Arrays:
    """Each row an object of all inputs, or, of a signature of one input, its value."""
    if not isinstance(instances, list) or not instances:
        raise _wrong("Expecting 'instances' to be a list of at least one value")
    named = isinstance(instances[0], dict) and not _is_base64(instances[0])
    if not named and len(inputs) > 1:
        raise _wrong("instances is a plain list, but expecting list of objects as multiple input tensors required")
    if not named:
        (name,) = inputs
        if any(isinstance(row, dict) and not _is_base64(row) for row in instances):
            raise _wrong("Expecting value/list but got object in 'instances'")
        return {name: to_array(instances, inputs[name], f"'instances', input {name!r}")}
    for number, row in enumerate(instances):
        if not isinstance(row, dict) or row.keys() != inputs.keys():
            raise _wrong(f"Failed to process element: {number} of 'instances' list. keys must be: {sorted(inputs)}")
    return {
        name: to_array([row[name] for row in instances], kind, f"'instances', input {name!r}")
        for name, kind in inputs.items()
    }


def _from_columns(columns: Json, inputs: Mapping[str, TensorKind]) -> Arrays:
    """An object of all inputs, or, of a signature of one input, its values."""
    if not isinstance(columns, dict) or _is_base64(columns):
        if len(inputs) > 1:
            raise _wrong("inputs is a plain value/list, but expecting an object as multiple input tensors required")
        columns = dict.fromkeys(inputs, columns)
    for name in inputs:
        if name not in columns:
            raise _wrong(f"Missing named input: {name} in 'inputs' object.")
    return {name: to_array(columns[name], kind, f"'inputs', input {name!r}") for name, kind in inputs.items()}


def _strings(value: Json, where: str) -> Array:
    """Nested strings, or objects {"b64": ...}, as an array of bytes."""
    shape: list[int] = []
    level = value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    flat = [_string(item, where) for item in _leaves(value, shape, where)]
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(shape)


def _leaves(value: Json, shape: list[int], where: str) -> Iterator[Json]:
    """What stands in nested lists of that shape, in order."""
    if not shape:
        yield value
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        raise _wrong(f"{where}: lists of different lengths, or nested to different depths")
    for item in value:
        yield from _leaves(item, shape[1:], where)


def _string(item: Json, where: str) -> bytes:
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError:
            raise _wrong(f"{where}: half a character (a lone surrogate) found") from None
    if _is_base64(item):
        try:
            return base64.b64decode(item[BASE64], validate=True)
        except (binascii.Error, ValueError):
            raise _wrong(f"{where}: Unable to base64 decode") from None
    raise _wrong(f"{where}: {_shown(item)} is not of expected type: string")


def _is_base64(value: Json) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(BASE64), str)


def _has_truth(value: Json) -> bool:
    """Whether true or false stands anywhere in nested lists: NumPy would take them for numbers."""
    if isinstance(value, list):
        return any(_has_truth(item) for item in value) if value and isinstance(value[0], list) else _holds_truth(value)
    return isinstance(value, bool)


def _holds_truth(values: list[Json]) -> bool:
    return bool in set(map(type, values))


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _wrong(message: str) -> Refusal:
    return Refusal(Code.INVALID_ARGUMENT, message)
