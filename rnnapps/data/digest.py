"""A fingerprint of raw examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from rnnapps.types import Array

__all__ = ["digest_examples"]

DIGEST_BYTES = 64 * 2**20
"""Reading more than this of a split would delay the start of a training noticeably."""


def digest_examples(*splits: Iterable[Any]) -> str:
    """SHA-256 of the examples of each split, of the first 64 MiB of each.

    Args:
        splits: raw examples: texts, bytes, arrays, or tuples and mappings of them.
    """
    digest = hashlib.sha256()
    for examples in splits:
        size = 0
        for example in examples:
            for part in _parts(example):
                digest.update(len(part).to_bytes(8, "little") + part)
                size += len(part)
            if size > DIGEST_BYTES:
                break
    return digest.hexdigest()


def _parts(example: Any) -> Iterator[bytes]:
    """The bytes of everything in an example; a mapping's values in the order of its keys."""
    if isinstance(example, Mapping):
        for key in sorted(example):
            yield from _parts(example[key])
    elif isinstance(example, tuple | list):
        for item in example:
            yield from _parts(item)
    elif isinstance(example, str):
        yield example.encode()
    elif isinstance(example, bytes):
        yield example
    else:
        yield _array_bytes(np.asarray(example))


def _array_bytes(array: Array) -> bytes:
    if array.dtype == object:
        return b"\0".join(bytes(item) for item in array.flat)
    return array.tobytes()
