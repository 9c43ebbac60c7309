"""Decoded frames on disk: named after the content they were decoded from, in bounded space, the oldest leave first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rnnapps.atomic import atomic_file
from rnnapps.data.cache_folder import cache_folder
from rnnapps.data.digest import digest_files
from rnnapps.data.stored.entries import CacheEntries
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.frame_folders import pictures_of
from rnnapps.types import Array

__all__ = ["FrameCache", "digest_of", "read_rows"]

FORMAT = "1"
"""Changes when the same content would be decoded to other frames."""


class FrameCache:
    """Arrays of frames by key, each a file `<key>.npy`.

    An entry that was used since this object was made is never removed by it.

    Args:
        megabytes: space that the entries may take.
        folder: where they lie; the user's cache folder by default.
    """

    def __init__(self, megabytes: int, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "frames"
        problem = f"the decoded frames of this data set take more than {megabytes:,} MB"
        too_many = (problem, "raise --data.cache_megabytes, or lower --data.size")
        self._entries = CacheEntries(self.folder, megabytes, ending=".npy", too_many=too_many)

    def find(self, key: str) -> Path | None:
        """The file of an entry, marked as used; None where there is none, or one that is damaged."""
        path = self.folder / f"{key}.npy"
        try:
            if path.stat().st_size != _size_of(path):
                return None
            self._entries.mark(path)
        except (OSError, ValueError):
            return None
        return path

    def add(self, key: str, frames: Array) -> Path:
        """Stores an entry, whole or not at all, and returns its file.

        Raises:
            DataError: the disk is full, or the entries of one data set do not fit the cache.
        """
        path = self.folder / f"{key}.npy"
        self._entries.used.pop(path, None)  # another process may have removed it
        self._entries.make_room(frames.nbytes)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as temporary, open(temporary, "wb") as file:
                np.save(file, frames, allow_pickle=False)
            self._entries.mark(path)
        except OSError as error:
            remedy = "free space, or name another folder by the variable RNNAPPS_CACHE"
            raise DataError(self.folder, f"cannot be written: {error.strerror or error}", remedy) from None
        return path


def _size_of(path: Path) -> int:
    """The size in bytes that an entry's header promises; raises ValueError for any but uint8 `(frames, ...)`."""
    with open(path, "rb") as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("another version of the format")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if fortran or dtype != np.uint8 or len(shape) != 4:
            raise ValueError("not an array of frames")
        return file.tell() + int(np.prod(shape, dtype=np.int64))


def digest_of(source: Path | Array, settings: Iterable[object]) -> str:
    """The key of frames that are made from a file, a folder of pictures or an array with some settings: a SHA-256."""
    digest = hashlib.sha256(repr((FORMAT, *settings)).encode())
    if isinstance(source, Path):
        digest_files(digest, pictures_of(source) if source.is_dir() else [source], apart=source.is_dir())
        return digest.hexdigest()
    digest.update(repr(source.shape).encode())
    digest.update(np.ascontiguousarray(source).data)
    return digest.hexdigest()


def read_rows(path: str | Path, rows: Array) -> Array:
    """Some frames of an entry, only they are read from disk.

    Raises:
        DataError: the entry has been removed.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)[rows])
    except (OSError, ValueError):
        raise DataError(path, "decoded frames have been removed", "start again; they are then decoded anew") from None
