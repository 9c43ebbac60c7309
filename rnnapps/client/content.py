"""Files that a user gives, as bytes or by their path."""

from __future__ import annotations

from pathlib import Path

from rnnapps.errors import DataError

__all__ = ["content_of"]


def content_of(given: bytes | str | Path) -> bytes:
    """The bytes themselves, or what the file at a path holds; raises DataError where it cannot be read."""
    if isinstance(given, bytes):
        return given
    try:
        return Path(given).read_bytes()
    except OSError as error:
        raise DataError(given, f"cannot be read ({error.strerror})", "name a file, or give its bytes") from error
