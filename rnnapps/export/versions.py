"""Version folders: `BASE/<integer>/`, which TensorFlow Serving polls and of which it serves the highest."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from rnnapps.atomic import synchronise_folder
from rnnapps.errors import ExportError

__all__ = ["find_version", "next_version", "publish", "versions"]

_SAVED_MODEL = "saved_model.pb"


def versions(base: Path) -> dict[int, Path]:
    """Version number -> folder, for every entry of `base` named by digits only."""
    if not base.is_dir():
        return {}
    return {int(entry.name): entry for entry in base.iterdir() if entry.name.isascii() and entry.name.isdigit()}


def next_version(base: Path) -> int:
    """One more than the highest version, 1 where there is none."""
    return max(versions(base), default=0) + 1


def find_version(path: Path | str) -> Path:
    """Returns the version folder that `path` is, or the newest one that it holds.

    Raises:
        ExportError: there is no SavedModel.
    """
    folder = Path(path)
    if (folder / _SAVED_MODEL).is_file():
        return folder
    found = versions(folder)
    if found:
        newest = found[max(found)]
        if (newest / _SAVED_MODEL).is_file():
            return newest
        folder = newest
    if not folder.exists():
        raise ExportError(f"{folder}: no such folder; expected an exported model, `export` writes one")
    if found:
        raise ExportError(f"{folder}: the newest version has no {_SAVED_MODEL}; export the model again")
    raise ExportError(f"{folder}: expected an exported model ({_SAVED_MODEL}) or its version folders, found neither")


def publish(finished: Path, base: Path) -> Path:
    """Moves a finished folder to the next free version of `base`, at once and for good.

    A server that polls `base` sees either nothing or the whole version. An existing version is never replaced: moving
    onto a folder that is not empty fails, and then the next number is tried.

    Args:
        finished: a folder that is not empty, in the same file system.
        base: the folder of versions; made if missing.

    Raises:
        OSError: the file system refuses.
    """
    base.mkdir(parents=True, exist_ok=True)
    _synchronise(finished)
    while True:
        target = base / str(next_version(base))
        try:
            os.rename(finished, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            continue
        synchronise_folder(base)
        return target


def _synchronise(folder: Path) -> None:
    """Forces all files and folders to the disk."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            with open(Path(parent) / name, "rb") as file:
                os.fsync(file.fileno())
        synchronise_folder(Path(parent))
