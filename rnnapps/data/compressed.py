"""Compressed files, read as if they were not: gzip, bzip2, xz and Zstandard, within a limit."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from rnnapps.errors import DataError

__all__ = ["BROKEN", "compression_of", "decompressed", "open_compressed", "plain_name", "plain_stem", "plain_suffix"]

CHUNK_BYTES = 1 << 20
BROKEN = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
"""What is raised where a compressed file is damaged."""

Opener = Callable[[IO[bytes]], IO[bytes]]


def _open_zstd(file: IO[bytes]) -> IO[bytes]:
    """Zstandard, by pyarrow, which the standard library lacks."""
    import pyarrow

    opened: IO[bytes] = pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")
    return opened


_KINDS: dict[str, tuple[bytes, Opener]] = {
    ".gz": (b"\x1f\x8b\x08", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    ".bz2": (b"BZh", cast(Opener, bz2.BZ2File)),
    ".xz": (b"\xfd7zXZ\x00", cast(Opener, lzma.LZMAFile)),
    ".zst": (b"\x28\xb5\x2f\xfd", _open_zstd),
}
"""Ending -> how such files begin, and what reads them."""


def plain_name(path: str | Path) -> str:
    """The name of a file without the ending of its compression: `a.csv` of `a.csv.gz`."""
    name = Path(path).name
    return next((name[: -len(ending)] for ending in _KINDS if name.lower().endswith(ending) and name != ending), name)


def plain_suffix(path: str | Path) -> str:
    """The ending of a file in lower case, that of its compression left out: `.csv` of `A.CSV.gz`."""
    return Path(plain_name(path)).suffix.lower()


def plain_stem(path: str | Path) -> str:
    """The name of a file without its ending and that of its compression: `a` of `a.csv.gz`."""
    return Path(plain_name(path)).stem


def compression_of(path: str | Path, head: bytes) -> str:
    """The ending that stands for a file's compression, by its first bytes; "" where it is not compressed.

    A text may begin with the letters of bzip2: the name then decides.
    """
    for ending, (magic, _) in _KINDS.items():
        if head.startswith(magic) and (ending != ".bz2" or str(path).lower().endswith(ending)):
            return ending
    return ""


def open_compressed(file: IO[bytes], compression: str) -> IO[bytes]:
    """What a compressed file holds, as a stream; `compression` is from `compression_of`."""
    return _KINDS[compression][1](file)


def decompressed(content: bytes, name: str | Path, *, maximum_bytes: int) -> bytes:
    """What compressed bytes hold; bytes that are not compressed as they are.

    Args:
        content: the bytes of a file.
        name: its name, for errors.
        maximum_bytes: the most that is unpacked.

    Raises:
        DataError: it is damaged, or unpacks to more.
    """
    compression = compression_of(name, content[:8])
    if not compression:
        return content
    unpacked = io.BytesIO()
    try:
        with open_compressed(io.BytesIO(content), compression) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                unpacked.write(chunk)
                if unpacked.tell() > maximum_bytes:
                    problem = f"unpacks to more than {maximum_bytes:,} bytes, the most that is read into memory"
                    raise DataError(name, problem, "split it into smaller files and use a part of it")
    except BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(name, f"cannot be unpacked ({compression}): {reason}", "copy it again") from None
    return unpacked.getvalue()
