"""A record to the inputs of one row: which column is which input, and of what type."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.client.request import complete
from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.errors import ConfigError
from rnnapps.scoring.row_format import LARGEST_FILE, Flat, Record
from rnnapps.types import Arrays

__all__ = ["RowBuilder"]

_NUMBERS = {"f": float, "i": int, "u": int}


class RowBuilder:
    """Makes rows of records.

    Args:
        name: of the signature.
        signature: what it takes.
        columns: input -> column; an input that is not named is the column of its own name. Where the signature needs
            one input and the records have one column, that is it.
        first: columns of the first record.
        root: what paths are relative to, and stay inside of; by default the folder of the file that names them.

    Raises:
        ConfigError: a column does not exist, or an input that has no default has no column.
    """

    def __init__(
        self,
        name: str,
        signature: ServedSignature,
        columns: Mapping[str, str],
        first: Iterable[str],
        *,
        root: Path | None = None,
    ) -> None:
        self.name, self.signature, self._root = name, signature, root
        there = list(first)
        self.columns = {key: key for key in signature.inputs if key in there} | dict(columns)
        _require_known(name, signature, self.columns, there)
        needed = [key for key in _needed(signature) if key not in self.columns]
        free = [column for column in there if column not in self.columns.values()]
        if len(needed) == 1 and len(free) == 1:
            self.columns[needed.pop()] = free[0]
        if needed:
            wanted = " ".join(f"{key}=COLUMN" for key in needed)
            raise ConfigError(
                f"signature {name!r} needs {', '.join(needed)}; the columns are {', '.join(there) or 'none'}; "
                f"say which is which: --columns {wanted}"
            )

    def __call__(self, record: Record) -> Arrays:
        """The inputs of one row, the batch of one first.

        Raises:
            ConfigError: a value is missing, or of another type or shape than its input.
        """
        if record.problem:
            raise ConfigError(record.problem)
        given = {}
        for key, column in self.columns.items():
            value = record.values.get(column)
            if value is not None:
                tensor = self.signature.inputs[key]
                given[key] = [_value(key, _shaped(key, value, tensor), tensor, self._root or record.folder)]
        return complete(self.name, self.signature, given)


def _require_known(name: str, signature: ServedSignature, columns: Mapping[str, str], there: list[str]) -> None:
    for key, column in columns.items():
        if key not in signature.inputs:
            raise ConfigError(f"signature {name!r} has no input {key!r}; it has {', '.join(sorted(signature.inputs))}")
        if column not in there:
            raise ConfigError(f"there is no column {column!r}; the columns are {', '.join(there) or 'none'}")


def _needed(signature: ServedSignature) -> list[str]:
    """The inputs that a user must give."""
    counts = set(signature.counted.values())
    zeros = set() if signature.begins else set(signature.states)
    return [key for key, tensor in signature.inputs.items() if tensor.default is None and key not in counts | zeros]


def _shaped(key: str, value: Any, tensor: ServedTensor) -> Any:
    """Values without a shape in that of the input; others as they are."""
    inner = [size or 0 for size in tensor.shape[2:]]
    if isinstance(value, list) and value and isinstance(value[0], Flat):
        return [each if inner else _only(key, each) for each in value]
    if not isinstance(value, Flat):
        return value
    if len(tensor.shape) == 1:
        return _only(key, value)
    size = math.prod(inner)
    if not size or len(value) % size:
        raise ConfigError(f"input {key!r}: {len(value)} values found, rows of {size} expected")
    array = np.empty(len(value), object)
    array[:] = value
    return array.reshape(-1, *inner).tolist()


def _only(key: str, values: Flat) -> Any:
    if len(values) != 1:
        raise ConfigError(f"input {key!r}: {len(values)} values found, 1 expected")
    return values[0]


def _value(key: str, value: Any, tensor: ServedTensor, folder: Path) -> Any:
    """A value as the input wants it: numbers out of text, bytes out of base64 or a file."""
    if tensor.dtype == "string":
        return _content(key, value, folder) if key.endswith("_bytes") else value
    if isinstance(value, str):
        if value == "" and tensor.missing:
            return float("nan")
        try:
            return _NUMBERS[np.dtype(tensor.dtype).kind](value)
        except (KeyError, ValueError):
            raise ConfigError(f"input {key!r}: {value[:40]!r} is no {tensor.dtype}") from None
    return value


def _content(key: str, value: Any, folder: Path) -> Any:
    """Bytes as they are, as `{"b64": ...}`, or in the file of a path; lists of them, too."""
    if isinstance(value, list | tuple):
        return [_content(key, each, folder) for each in value]
    if isinstance(value, Mapping) and set(value) == {"b64"}:
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise ConfigError(f"input {key!r}: is no base64") from None
    if not isinstance(value, str):
        return value
    try:
        path = (folder / value).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ConfigError(f"input {key!r}: {value!r} lies outside of {folder}; --root names another folder")
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path}: larger than {LARGEST_FILE >> 20} MiB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"input {key!r}: {value!r} cannot be read ({reason})") from None
