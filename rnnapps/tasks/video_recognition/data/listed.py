"""Labelled videos that are not decoded yet, and where the file of a name is."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rnnapps.data.compressed import plain_stem
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.films import Film
from rnnapps.tasks.video_recognition.data.frame_folders import films_in

__all__ = ["Films", "Listed"]


@dataclass(frozen=True)
class Listed:
    """A labelled video that a source names.

    Attributes:
        film: its file; or its pictures, from Python.
        name: its path as the source has it, or what Python users call it.
        label: its class.
    """

    film: Film
    name: str
    label: str


class Films:
    """Finds the videos that lists name, below a folder.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @functools.cached_property
    def _stems(self) -> dict[str, list[Path]]:
        """The name without its ending of each video -> where such lie."""
        stems: dict[str, list[Path]] = {}
        for path in films_in(self.root):
            stems.setdefault(plain_stem(path), []).append(path)
        return stems

    def find(self, name: str) -> Path | None:
        """The video of a path within the folder, or of a name, with its ending or without; None where there is none.

        Raises:
            DataError: it may be one of several.
        """
        if "\0" not in name and os.path.exists(self.root / name):  # which also answers for names that are too long
            return self.root / name
        wanted = PurePosixPath(name)
        found = self._stems.get(wanted.name, []) or self._stems.get(wanted.stem, [])
        beside = [path for path in found if path.parent.name == wanted.parent.name] or found
        if len(beside) > 1:
            raise DataError(self.root, f"{name!r} may be {beside[0]} or {beside[1]}", "name its path")
        return beside[0] if beside else None

    def named(self, name: str, path: Path, where: str) -> Path:
        """As `find`; raises DataError where there is none.

        Args:
            name: of the video.
            path: the list.
            where: what a person calls the line.
        """
        if "\0" in name:
            raise DataError(path, f"{where}: the name of a video has a zero byte", "correct it")
        found = self.find(name)
        if found is None:
            raise DataError(path, f"{where}: {name[:100]!r} is not below {self.root}", "put it there")
        return found
