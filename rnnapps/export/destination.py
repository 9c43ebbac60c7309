"""The folder that an export is written to."""

from __future__ import annotations

import os
from pathlib import Path

from rnnapps.errors import ExportError

__all__ = ["check_destination"]


def check_destination(base: Path) -> None:
    """Says before any work is done whether the folder of versions cannot be written.

    Args:
        base: the folder, which need not exist yet.

    Raises:
        ExportError: it, or what should hold it, is no folder, or is not writable.
    """
    existing = base.absolute()
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        found = "a file" if existing.exists() else "a symbolic link to nothing"
        raise ExportError(f"{existing}: is {found}; expected a folder, to which the export is written as a new version")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ExportError(f"{existing}: cannot be written (permission denied); choose another folder")
