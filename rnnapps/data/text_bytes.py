"""Bytes that are to be UTF-8 text."""

from __future__ import annotations

from pathlib import Path

from rnnapps.errors import DataError

__all__ = ["require_text"]

COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""How gzip, zip, bzip2, xz and Zstandard files begin."""


def require_text(path: Path | str, content: bytes) -> None:
    """Raises DataError, where the first bytes of a table are those of something else."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(path, "is UTF-16 text, expected UTF-8", "convert it with: iconv -f UTF-16 -t UTF-8")
    if content.startswith(COMPRESSED):
        raise DataError(path, "is compressed", "unpack it and give the file within")
    if b"\0" in content:
        raise DataError(path, "looks binary: it holds zero bytes", "give a CSV or Parquet file")
    if b"\r" in content.replace(b"\r\n", b"").removesuffix(b"\r"):
        raise DataError(path, "has line ends of old Macintosh files", "convert it with: tr '\\r' '\\n'")
