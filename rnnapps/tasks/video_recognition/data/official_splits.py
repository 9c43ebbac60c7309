"""The splits that UCF101 and HMDB51 are published with, and the scenes that names of their videos tell."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.part_names import part_named
from rnnapps.data.sources import list_files, read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.listed import Films, Listed

__all__ = ["official_parts", "scene_of"]

MAXIMUM_BYTES = 1 << 26
HMDB_PARTS = {"1": "train", "2": "test", "0": ""}
"""What the number behind a name means; 0 is for videos that a split leaves out."""

_UCF_LIST = re.compile(r"(train|val|validation|test)list(\d+)\.txt")
_HMDB_LIST = re.compile(r"(.+)_test_split(\d+)\.txt")
_UCF_SCENE = re.compile(r"v_\w+_g\d+(?=_c\d+)")
_HMDB_SCENE = re.compile(r"[^/]+(?=_[ufhl]_(?:cm|nm)_np\d+_\w\w_(?:goo|med|bad)_\d+)")


def scene_of(name: str) -> str:
    """What must not be on both sides of a split: the scene that names of UCF101 and HMDB51 tell; else the name itself.

    Args:
        name: of a video, perhaps with its folders.
    """
    found = _UCF_SCENE.search(name) or _HMDB_SCENE.search(name)
    return found.group() if found else name


def official_parts(root: Path, fold: int, good: GoodExamples) -> dict[str, list[Listed]]:
    """The videos of each part by the lists that UCF101 (`trainlist01.txt`) or HMDB51 (`..._test_split1.txt`) come with.

    Args:
        root: the folder with videos and lists, anywhere in it.
        fold: the number of the split.
        good: counts what is listed and not there.

    Returns:
        Nothing where there are no such lists.

    Raises:
        DataError: the lists are of other splits.
    """
    texts = list_files(root, (".txt",))
    for pattern, read in ((_UCF_LIST, _ucf_lines), (_HMDB_LIST, _hmdb_lines)):
        lists = [(path, match) for path in texts if (match := pattern.fullmatch(path.name))]
        if not lists:
            continue
        folds = sorted({int(match[2]) for _, match in lists})
        shown = ", ".join(map(str, folds))
        if fold not in folds:
            raise DataError(root, f"has no lists of split {fold}; it has {shown}", "choose one by --data.fold")
        print(f"note: {root}: parts are those of its lists of split {fold} (--data.fold), of {shown}", file=sys.stderr)
        films = Films(root)
        parts: dict[str, list[Listed]] = {}
        for path, match in lists:
            if int(match[2]) == fold:
                for part, video in read(path, match[1], films, good):
                    parts.setdefault(part, []).append(video)
        return parts
    return {}


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The words of each line, and what to call it."""
    text = decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {number}", line.rsplit(maxsplit=1)


def _ucf_lines(path: Path, part: str, films: Films, good: GoodExamples) -> Iterator[tuple[str, Listed]]:
    """`Class/v_Class_g08_c01.avi 1`: the class is the folder; test lists lack the number."""
    for where, words in _lines(path):
        name = words[0] if len(words) == 2 and words[1].isdecimal() else " ".join(words)
        try:
            label, slash, _ = name.partition("/")
            if not slash or not label:
                raise DataError(path, f"{where}: {name[:60]!r} names no folder of a class", "write: class/video.avi")
            yield part_named(part) or part, Listed(films.named(name, path, where), name, label)
        except DataError as error:
            good.leave_out(error)


def _hmdb_lines(path: Path, label: str, films: Films, good: GoodExamples) -> Iterator[tuple[str, Listed]]:
    """`name.avi 1`: the class is in the name of the list."""
    for where, words in _lines(path):
        part = HMDB_PARTS.get(words[-1]) if len(words) == 2 else None
        try:
            if part is None:
                raise DataError(path, f"{where}: expected a name, and 0, 1 or 2", "restore the file")
            if part:
                yield part, Listed(films.named(words[0], path, where), f"{label}/{words[0]}", label)
        except DataError as error:
            good.leave_out(error)
