"""Files and folders that appear whole or not at all; what a killed process left half done is removed by the next."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_file", "synchronise_folder", "working_folder", "write_atomically"]

_LOCK = ".lock"


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file in one step: a reader sees the old content or the new, never a part, even after a crash.

    Raises:
        OSError: the folder is full or cannot be written; the old file is untouched and nothing is left behind.
    """
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of another at the end, durably; an error on the way removes it.

    It is opened as any new file, so that the user's umask decides who may read it, and belongs to a living process as
    long as the lock on it is held, which the system releases when the process ends, however it ends. What killed
    processes have left in the folder goes away with the first file that a process writes there.

    Args:
        path: the file; its folder must exist.

    Yields:
        An empty file of another name in the same folder.

    Raises:
        OSError: the file system refuses; the old file is untouched.
    """
    _clear_abandoned_files(path.parent)
    with contextlib.ExitStack() as stack:
        temporary = None
        while temporary is None:
            temporary = _locked(path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp"), stack)
        try:
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    synchronise_folder(path.parent)


@contextlib.contextmanager
def working_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder that disappears at the end; what is to stay is renamed out of it.

    What a killed process left behind is removed first. A folder belongs to a living process as long as the lock on the
    file in it is held.

    Args:
        parent: where it lies, so that a rename within the same file system is possible; made when missing.
        prefix: how its name begins, which nothing else in `parent` may do.

    Raises:
        OSError: the file system refuses.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for found in glob.glob(glob.escape(str(parent / prefix)) + "*"):
        _remove_if_abandoned(Path(found, _LOCK), Path(found))
    with contextlib.ExitStack() as stack:
        lock = None
        while lock is None:
            folder = parent / f"{prefix}{secrets.token_hex(4)}"
            folder.mkdir()
            with contextlib.suppress(FileNotFoundError):  # taken for abandoned before there was a lock in it
                lock = _locked(folder / _LOCK, stack)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def synchronise_folder(folder: Path) -> None:
    """Makes renames and new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path, stack: contextlib.ExitStack) -> Path | None:
    """A new file, locked until the stack ends; None if another process took it for abandoned before it was locked.

    Raises:
        OSError: the folder does not exist, or no file can be made in it.
    """
    lock = stack.enter_context(open(path, "a"))  # noqa: SIM115  (the stack closes it)
    with contextlib.suppress(OSError):  # where there are no locks, nothing is ever taken for abandoned
        fcntl.flock(lock, fcntl.LOCK_EX)
    with contextlib.suppress(FileNotFoundError):
        return path if os.path.samestat(os.fstat(lock.fileno()), os.stat(path)) else None
    return None


@functools.cache
def _clear_abandoned_files(folder: Path) -> None:
    """Removes what killed processes have left in a folder; once a process, since a cache may hold many files."""
    for path in folder.glob(".*.tmp"):
        if path.is_file():
            _remove_if_abandoned(path, path)


def _remove_if_abandoned(lock: Path, place: Path) -> None:
    """Removes a file or folder that nobody holds the lock of; never one which a running process writes."""
    with contextlib.suppress(OSError), open(lock, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink()
