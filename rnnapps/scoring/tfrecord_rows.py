"""Rows of TFRecord files: `tf.train.Example` and `tf.train.SequenceExample`, read without Python TensorFlow."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnapps.data.compressed import plain_name
from rnnapps.errors import DataError
from rnnapps.export.warmup import masked_crc32c
from rnnapps.scoring.row_format import LARGEST_FILE, Flat, Record, RowFormat, Told, opened

__all__ = ["TFRECORD", "is_tfrecord"]

_NAME = re.compile(r"\.tfrec(ord)?s?(-\d+-of-\d+)?$", re.IGNORECASE)
_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")


def is_tfrecord(path: Path) -> bool:
    """Whether a file is called so: `a.tfrecord`, `a.tfrecord-00003-of-00010`, `a.tfrec.gz`."""
    return bool(_NAME.search(plain_name(path)))


def _payloads(path: Path, read: Told) -> Iterator[tuple[int, bytes, int]]:
    """Number of each record, from 1, what it holds, and the checksum that this should have."""
    with opened(path, read) as file:
        number = 0
        while header := file.read(_HEADER.size):
            number += 1
            size = _size(path, number, header)
            content, checksum = file.read(size), file.read(_CHECKSUM.size)
            if len(content) < size or len(checksum) < _CHECKSUM.size:
                raise _damaged(path, number, "is cut short")
            yield number, content, _CHECKSUM.unpack(checksum)[0]


def _size(path: Path, number: int, header: bytes) -> int:
    if len(header) < _HEADER.size:
        raise _damaged(path, number, "is cut short")
    size, checksum = _HEADER.unpack(header)
    if masked_crc32c(header[:8]) != checksum:
        raise _damaged(path, number, "has a length with another checksum")
    if size > LARGEST_FILE:
        raise _damaged(path, number, f"is larger than {LARGEST_FILE >> 20} MiB")
    return int(size)


def _damaged(path: Path, number: int, problem: str) -> DataError:
    """Behind a length that is wrong, nothing can be found."""
    return DataError(path, f"record {number} {problem}", "write the file again")


def _example_record(path: Path, raw: tuple[int, bytes, int]) -> Record:
    from google.protobuf.message import DecodeError

    number, content, checksum = raw
    place = f"{path}, record {number}"
    if masked_crc32c(content) != checksum:
        return Record(place, path.parent, {}, "has another checksum than it should")
    try:
        return Record(place, path.parent, _columns(content))
    except DecodeError:
        return Record(place, path.parent, {}, "is no tf.train.Example")


def _columns(content: bytes) -> dict[str, Any]:
    """The features; an Example is read as the context of a SequenceExample, which is written the same way."""
    import tensorflow as tf

    example = tf.train.SequenceExample.FromString(content)
    columns: dict[str, Any] = {name: Flat(_values(feature)) for name, feature in example.context.feature.items()}
    for name, features in example.feature_lists.feature_list.items():
        columns[name] = [Flat(_values(feature)) for feature in features.feature]
    return columns


def _values(feature: Any) -> list[Any]:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


TFRECORD = RowFormat(_payloads, _example_record)
