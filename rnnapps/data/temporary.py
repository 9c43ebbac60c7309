"""Folders for what is made of a source while a process runs."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from pathlib import Path

__all__ = ["place_beside", "temporary_folder"]


@functools.cache
def temporary_folder(purpose: str) -> Path:
    """A folder of this process for a purpose; it is removed when the process ends."""
    folder = tempfile.mkdtemp(prefix=f"rnnapps-{purpose}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def place_beside(path: Path, purpose: str, name: str) -> tuple[Path, bool]:
    """Where what is made of a file lies, in its present state, and whether it is there already.

    Args:
        path: the file.
        purpose: of the folder.
        name: of what is made.
    """
    information = path.stat()
    state = repr((str(path.resolve()), information.st_size, information.st_mtime_ns))
    folder = temporary_folder(purpose) / hashlib.sha256(state.encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    return folder / name, (folder / name).exists()
