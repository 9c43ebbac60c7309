"""The hidden folder in which an export is built, locked while its process lives and cleared away if it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from rnnapps.errors import ExportError

__all__ = ["check_destination", "workplace"]

_LOCK = ".lock"


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


@contextlib.contextmanager
def workplace(base: Path) -> Iterator[Path]:
    """An empty folder beside `base`, in the same file system, which disappears at the end.

    What a killed process left behind is removed first. A folder belongs to a living process as long as the lock on the
    file in it is held, which the system releases when the process ends, however it ends.

    Args:
        base: the folder of versions.

    Raises:
        OSError: the file system refuses.
    """
    base.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{base.name}.exporting-"
    for found in glob.glob(glob.escape(str(base.parent / prefix)) + "*"):
        _remove_if_abandoned(Path(found))
    with contextlib.ExitStack() as stack:
        folder = None
        while folder is None:
            folder = _locked(Path(mkdtemp(prefix=prefix, dir=base.parent)), stack)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _locked(folder: Path, stack: contextlib.ExitStack) -> Path | None:
    """The folder, locked until the stack ends; None if another process took it for abandoned before it was locked."""
    try:
        lock = stack.enter_context(open(folder / _LOCK, "a"))  # noqa: SIM115  (the stack closes it)
        with contextlib.suppress(OSError):  # where there are no locks, nothing is ever taken for abandoned
            fcntl.flock(lock, fcntl.LOCK_EX)
        return folder if os.path.samestat(os.fstat(lock.fileno()), os.stat(folder / _LOCK)) else None
    except FileNotFoundError:
        return None


def _remove_if_abandoned(folder: Path) -> None:
    """Removes what a crashed export left behind, but nothing that a running one writes."""
    with contextlib.suppress(OSError), open(folder / _LOCK, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
