"""Which videos a folder, a CSV file or a Python user names, their classes, and how they are dealt out to the parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.csv_dicts import csv_dicts, shown_names
from rnnapps.data.given import given_splits
from rnnapps.data.given_rows import given_rows
from rnnapps.data.part_names import PARTS, part_folders, part_named
from rnnapps.data.sources import list_files, read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.data.text.given import require_text
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.films import Film, given_film

__all__ = ["BUILTIN", "VIDEO_SUFFIXES", "Listed", "Named", "dealt", "list_given", "list_videos"]

BUILTIN = "builtin"
VIDEO_SUFFIXES = tuple(
    f".{ending}"
    for ending in "mp4 m4v mov avi mkv webm mpg mpeg ts wmv asf flv gif 3gp ogv".split()  # noqa: SIM905
)
MAXIMUM_BYTES = 1 << 26


class Named(Protocol):
    """What can be dealt out."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def label(self) -> str:
        """Its class."""


Item = TypeVar("Item", bound=Named)


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


def list_videos(source: str, config: VideoDataConfig, good: GoodExamples | None = None) -> dict[str, list[Listed]]:
    """The videos of a folder or a CSV file by part; all under "train" where the source has no parts.

    Args:
        source: the folder or the file.
        config: what to do with rows that name no video.
        good: counts them, as those of other sources.

    Raises:
        DataError: it is missing, or holds no video.
    """
    root, good = unpacked_source(source), good or GoodExamples(source, config, noun="videos")
    if root.is_dir():
        return _from_folder(root, good)
    if root.suffix.lower() == ".csv":
        return _from_table(root, good)
    problem = "is neither a folder nor a .csv file" if root.exists() else "does not exist"
    raise DataError(source, problem, "give a folder with a folder of videos for each class, or a CSV file")


def list_given(given: object, config: VideoDataConfig) -> dict[str, list[Listed]]:
    """The videos of each part that Python users give: (video, label) or (video, label, name) for each.

    Without a name a file is called by its path, and pictures by their place.

    Raises:
        DataError: they have another form; the message says which one has.
    """
    parts: dict[str, list[Listed]] = {}
    for part, rows in given_splits(given).items():
        parts[part] = []
        for row in given_rows(rows, part, columns=("video", "label"), optional="name"):
            film = given_film(row.cells[0], row.place, config.source_rate)
            name = str(row.cells[2]) or (str(film) if isinstance(film, Path) else row.place)
            parts[part].append(Listed(film, name, require_text(row.cells[1], "the label", whole=row.place)))
    return parts


def dealt(listed: Mapping[str, Sequence[Item]], config: VideoDataConfig) -> dict[str, list[Item]]:
    """All three parts: those that the source has, the others taken out of its training videos.

    Videos of one group stay together, and an order made from names decides; without groups, each class is dealt out by
    itself.

    Raises:
        DataError: there are too few videos or groups, or one is found in no group.
    """
    parts = {name: list(listed.get(name, ())) for name in PARTS}
    left = 1.0
    for name, share in (("validation", config.validation_fraction), ("test", config.test_fraction)):
        if not parts[name] and not (name == "test" and config.test is not None):
            parts["train"], parts[name] = _divided(parts["train"], share / left, config)
            left -= share
    return parts


def _divided(items: Sequence[Item], share: float, config: VideoDataConfig) -> tuple[list[Item], list[Item]]:
    """(what stays, what is taken out)."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(_group(item, config.groups) if config.groups else item.name, []).append(item)
    taken: set[str] = set()
    pools = [list(groups)] if config.groups else _by_label(groups)
    for pool in pools:
        if len(pool) < 2:
            what = "groups" if config.groups else f"videos of the class {groups[pool[0]][0].label}"
            problem = f"has {len(pool)} {what}, too few to hold some out"
            raise DataError(config.source, problem, "give more, or folders train, validation and test")
        wanted = share * sum(len(groups[name]) for name in pool)
        count = 0.0
        for name in sorted(pool, key=_shuffled)[:-1]:
            if taken.isdisjoint(pool) or count + len(groups[name]) / 2 <= wanted:
                taken.add(name)
                count += len(groups[name])
    kept = [item for name, members in groups.items() if name not in taken for item in members]
    return kept, [item for name, members in groups.items() if name in taken for item in members]


def _by_label(groups: Mapping[str, Sequence[Named]]) -> list[list[str]]:
    """The names of the groups of each class."""
    pools: dict[str, list[str]] = {}
    for name, members in groups.items():
        pools.setdefault(members[0].label, []).append(name)
    return list(pools.values())


def _shuffled(name: str) -> str:
    """A sort key that puts names into an order that has nothing to do with them, the same everywhere."""
    return hashlib.sha256(name.encode()).hexdigest()


def _group(item: Named, pattern: str) -> str:
    """The group of a video: the first parenthesis of what the pattern finds in its name, or all of it."""
    match = re.search(pattern, item.name)
    if match is None:
        raise DataError(item.name, f"the expression {pattern!r} finds no group in it", "correct --data.groups")
    return match.group(1) if match.groups() else match.group()


def _from_folder(root: Path, good: GoodExamples) -> dict[str, list[Listed]]:
    """The videos of the folders train, validation and test; of the whole folder where there is no train."""
    folders = part_folders(root, VIDEO_SUFFIXES) or {"train": root}
    return {part: _classes(folder, root, good) for part, folder in folders.items()}


def _classes(folder: Path, root: Path, good: GoodExamples) -> list[Listed]:
    """The videos of a folder of classes; the class is the name of the folder directly below."""
    videos = []
    for path in list_files(folder, VIDEO_SUFFIXES):
        inside = path.relative_to(folder)
        if len(inside.parts) < 2:
            good.leave_out(DataError(path, "lies in no folder of a class", f"put it into {folder}/<class>/"))
            continue
        videos.append(Listed(path, str(path.relative_to(root)), inside.parts[0]))
    if not videos:
        good.finish()
        known = " ".join(VIDEO_SUFFIXES)
        raise DataError(folder, "holds no video", f"put files into a folder for each class; they end in {known}")
    return videos


def _from_table(path: Path, good: GoodExamples) -> dict[str, list[Listed]]:
    """The videos that a CSV file names, by its column `split`."""
    text = decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)
    names, rows = csv_dicts(path, text)
    if not {"video", "label"} <= names:
        problem = f"has the columns {shown_names(sorted(names))}; expected video, label and perhaps split"
        raise DataError(path, problem, "name the columns so")
    parts: dict[str, list[Listed]] = {}
    for where, row in rows:
        video, label = (row[name].strip() for name in ("video", "label"))
        part = part_named((row.get("split") or "train").strip())
        if not video or not label:
            good.leave_out(DataError(path, f"{where}: a row needs a video and a label", "fill both in"))
        elif part is None:
            problem = f"{where}: the split {row['split'].strip()!r} is none of train, validation and test"
            good.leave_out(DataError(path, problem, "correct it"))
        else:
            parts.setdefault(part, []).append(Listed(path.parent / video, video, label))
    if not parts:
        good.finish()
        raise DataError(path, "names no video", "add rows")
    return parts
