"""Bytes that are to be lines of UTF-8 text."""

from __future__ import annotations

from pathlib import Path

from rnnapps.data.file_kinds import require_text
from rnnapps.errors import DataError

__all__ = ["require_lines"]


def require_lines(path: Path | str, content: bytes) -> None:
    """Raises DataError, where the first bytes of a table are those of something else."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(path, "is UTF-16 text, expected UTF-8", "convert it with: iconv -f UTF-16 -t UTF-8")
    require_text(content, path)
    if b"\0" in content:
        raise DataError(path, "looks binary: it holds zero bytes", "give lines of text")
    if b"\r" in content.replace(b"\r\n", b"").removesuffix(b"\r"):
        raise DataError(path, "has line ends of old Macintosh files", "convert it with: tr '\\r' '\\n'")
