"""Which videos lie in a folder: files, and folders of pictures that are the frames of one video each."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rnnapps.data.compressed import plain_suffix
from rnnapps.data.converters import converter_suffixes
from rnnapps.data.sources import list_files

__all__ = ["PICTURE_SUFFIXES", "VIDEO_SUFFIXES", "films_in", "pictures_of"]

VIDEO_SUFFIXES = tuple(
    f".{ending}"
    for ending in "mp4 m4v mov avi mkv webm mpg mpeg ts wmv asf flv gif 3gp ogv".split()  # noqa: SIM905
)
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
FEWEST_PICTURES = 2
_DIGITS = re.compile(r"(\d+)")


def films_in(folder: Path) -> list[Path]:
    """The videos below a folder: files, and folders with the frames of one, which hold nothing to see but pictures.

    Args:
        folder: an existing folder.

    Returns:
        Paths in the order of `list_files`. A folder with a single picture is none.
    """
    pictures: dict[Path, int] = {}
    films: list[Path] = []
    videos = (*VIDEO_SUFFIXES, *converter_suffixes("video"))
    for path in list_files(folder, videos + PICTURE_SUFFIXES):
        if plain_suffix(path) in videos:
            films.append(path)
        else:
            pictures[path.parent] = pictures.get(path.parent, 0) + 1
    above = {parent for path in (*films, *pictures) for parent in path.parents}  # thumbnails beside what they show
    films += [path for path, count in pictures.items() if count >= FEWEST_PICTURES and path not in above]
    return sorted(films, key=lambda path: path.parts)


def pictures_of(folder: str | Path) -> list[str]:
    """The frames in a folder, in the order of their numbers: 2.png before 10.png."""
    names = [name for name in os.listdir(folder) if name.lower().endswith(PICTURE_SUFFIXES) and name[0] != "."]
    return [os.path.join(folder, name) for name in sorted(names, key=_numbered)]


def _numbered(name: str) -> list[tuple[int, str]]:
    """A sort key by which numbers count as such."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name)]
