"""How many rows the batches of an Arrow stream say they hold, before any is decoded: a few bytes may unpack to many."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

__all__ = ["batch_rows"]

RECORD_BATCH = 3
"""The kind of a message that holds rows (format/Message.fbs of Apache Arrow)."""
KIND, HEADER, LENGTH = 1, 2, 0
"""Numbers of the fields `header_type` and `header` of a message, and `length` of a record batch."""


def batch_rows(source: Any) -> Iterator[int]:
    """The rows of each batch.

    Args:
        source: a file of pyarrow, at the beginning of a stream of messages.

    Raises:
        ValueError, struct.error or an error of pyarrow: the stream is damaged.
    """
    import pyarrow as pa

    for message in pa.ipc.MessageReader.open_stream(source):
        content = message.metadata.to_pybytes()
        (root,) = struct.unpack_from("<I", content)
        kind = _field(content, root, KIND)
        header = _field(content, root, HEADER)
        if kind and header and content[kind] == RECORD_BATCH:
            (offset,) = struct.unpack_from("<I", content, header)
            length = _field(content, header + offset, LENGTH)
            yield struct.unpack_from("<q", content, length)[0] if length else 0


def _field(content: bytes, table: int, number: int) -> int:
    """Where the field of a table of FlatBuffers stands; 0 where the table leaves it out."""
    (back,) = struct.unpack_from("<i", content, table)
    places = table - back
    (size,) = struct.unpack_from("<H", content, places)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", content, places + 4 + 2 * number)
    return table + offset if offset else 0
