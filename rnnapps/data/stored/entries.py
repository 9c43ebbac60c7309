"""Entries of a cache folder: named after the content they were made of, in bounded space, the oldest leave first."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from rnnapps.atomic import synchronise_folder, working_folder
from rnnapps.data.cache_folder import cache_folder
from rnnapps.errors import DataError

__all__ = ["CacheEntries", "StoredFolders"]

WORKING = ".working-"


class CacheEntries:
    """Files, or folders of files, by name; one that was used since this object was made is never removed by it.

    Args:
        folder: where they lie.
        megabytes: space that they may take.
        ending: how their names end.
        too_many: what is wrong, and what to do, where those of one data set take more than that.
    """

    def __init__(self, folder: Path, megabytes: int, *, ending: str, too_many: tuple[str, str]) -> None:
        self.folder, self.megabytes, self.ending, self.too_many = folder, megabytes, ending, too_many
        self.used: dict[Path, int] = {}

    def mark(self, path: Path) -> None:
        """Marks an entry as used; raises OSError where there is none."""
        os.utime(path)
        self.used[path] = _size(path)

    def make_room(self, needed: int) -> None:
        """Removes entries, the longest unused first, until so many bytes fit.

        Raises:
            DataError: the entries that are used leave no such room.
        """
        limit = self.megabytes << 20
        if sum(self.used.values()) + needed > limit:
            raise DataError(self.folder, *self.too_many)
        entries = sorted(self._entries(), key=lambda entry: entry[1])
        total = sum(size for _, _, size in entries) + needed
        for path, _, size in entries:
            if total <= limit:
                return
            if path not in self.used:
                _remove(path)
                total -= size

    def _entries(self) -> Iterable[tuple[Path, float, int]]:
        """The entries, when each was used, and its size."""
        for path in self.folder.glob(f"*{self.ending}"):
            with contextlib.suppress(OSError):  # another process has removed it
                if not path.name.startswith("."):
                    yield path, path.stat().st_mtime, _size(path)


class StoredFolders:
    """Folders of arrays by key, each made once.

    Args:
        name: of the folder they lie in, below the user's cache folder.
        megabytes: space that they may take.
    """

    def __init__(self, name: str, megabytes: int) -> None:
        too_many = (f"this data set takes more than {megabytes:,} MB there", "raise --data.cache_megabytes")
        self.entries = CacheEntries(cache_folder() / name, megabytes, ending="", too_many=too_many)

    def open(self, key: str, write: Callable[[Path], None]) -> Path:
        """The folder of an entry, which is made where there is none.

        Args:
            key: tells of what, and how, it is made.
            write: writes the files into an empty folder.

        Raises:
            DataError: the disk is full, or the cache is too small for this data set.
        """
        path = self.entries.folder / key
        if not path.is_dir():
            try:
                self._make(path, write)
            except OSError as error:
                remedy = "free space, or name another folder by the variable RNNAPPS_CACHE"
                raise DataError(path.parent, f"cannot be written: {error.strerror or error}", remedy) from None
        with contextlib.suppress(OSError):  # it is read all the same where it belongs to somebody else
            self.entries.mark(path)
        return path

    def _make(self, path: Path, write: Callable[[Path], None]) -> None:
        """Writes an entry, whole or not at all."""
        with working_folder(path.parent, WORKING) as working:
            made = working / "entry"
            made.mkdir()
            write(made)
            for file in made.iterdir():
                _synchronise(file)
            self.entries.make_room(_size(made))
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(path)
            if not path.is_dir():
                raise OSError(f"{path} cannot be made")
        synchronise_folder(path.parent)


def _synchronise(path: Path) -> None:
    """Makes a file's content durable."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size


def _remove(path: Path) -> None:
    """Removes a file or a folder, if it is still there."""
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
