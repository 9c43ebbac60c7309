"""Fingerprints of raw examples and of files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["Blocks", "digest_examples", "digest_files"]

DIGEST_BYTES = 64 * 2**20
"""Reading more than this of a split would delay the start of a training noticeably."""

BLOCK_BYTES = 2**24
"""Of a large array so many are copied at once."""


@dataclass(frozen=True)
class Blocks:
    """Bytes that are too many to be held at once.

    Attributes:
        size: their number.
        blocks: they themselves.
    """

    size: int
    blocks: Iterable[bytes]


def digest_examples(*splits: Iterable[Any]) -> str:
    """SHA-256 of the examples of each split, of the first 64 MiB of each.

    Args:
        splits: raw examples: texts, bytes, blocks of bytes, arrays, or tuples and mappings of them.
    """
    digest = hashlib.sha256()
    for examples in splits:
        size = 0
        for example in examples:
            for part in _parts(example):
                whole = part if isinstance(part, Blocks) else Blocks(len(part), [part])
                digest.update(whole.size.to_bytes(8, "little"))
                for block in whole.blocks:
                    digest.update(block)
                size += whole.size
            if size > DIGEST_BYTES:
                break
    return digest.hexdigest()


def digest_files(digest: hashlib._Hash, paths: Iterable[Path | str], *, apart: bool = True) -> None:
    """Adds all that files hold to a digest.

    Args:
        digest: what is added to.
        paths: the files.
        apart: whether it tells where each ends.

    Raises:
        DataError: one cannot be read.
    """
    for path in paths:
        try:
            with open(path, "rb") as file:
                if apart:
                    digest.update(b"%d " % os.path.getsize(path))
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            raise DataError(path, f"cannot be read: {error.strerror or error}", "check its permissions") from None


def _parts(example: Any) -> Iterator[bytes | Blocks]:
    """The bytes of everything in an example; a mapping's values in the order of its keys."""
    if isinstance(example, Mapping):
        for key in sorted(example):
            yield from _parts(example[key])
    elif isinstance(example, tuple | list):
        for item in example:
            yield from _parts(item)
    elif isinstance(example, str):
        yield example.encode()
    elif isinstance(example, bytes | Blocks):
        yield example
    else:
        yield _array_bytes(np.asarray(example))


def _array_bytes(array: Array) -> bytes | Blocks:
    """What an array holds; of a large one, some rows after the others."""
    if array.dtype == object:
        return b"\0".join(bytes(item) for item in array.flat)
    if array.nbytes <= BLOCK_BYTES or not array.ndim:
        return array.tobytes()
    rows = max(1, len(array) * BLOCK_BYTES // array.nbytes)
    return Blocks(array.nbytes, (array[start : start + rows].tobytes() for start in range(0, len(array), rows)))
