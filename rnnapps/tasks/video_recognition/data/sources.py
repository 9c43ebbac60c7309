"""Which videos a folder, a list or a Python user names, their classes, and how they are dealt out to the parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.given import given_splits
from rnnapps.data.given_rows import given_rows
from rnnapps.data.part_names import PARTS, part_folders
from rnnapps.data.text.given import require_text
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.films import given_film
from rnnapps.tasks.video_recognition.data.frame_folders import PICTURE_SUFFIXES, VIDEO_SUFFIXES, films_in
from rnnapps.tasks.video_recognition.data.listed import Films, Listed
from rnnapps.tasks.video_recognition.data.official_splits import official_parts, scene_of
from rnnapps.tasks.video_recognition.data.video_lists import LIST_SUFFIXES, listed_videos, part_lists

__all__ = ["BUILTIN", "Named", "dealt", "list_given", "list_videos"]

BUILTIN = "builtin"


class Named(Protocol):
    """What can be dealt out."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def label(self) -> str:
        """Its class."""


Item = TypeVar("Item", bound=Named)


def list_videos(source: str, config: VideoDataConfig, good: GoodExamples | None = None) -> dict[str, list[Listed]]:
    """The videos of a folder or a list by part; all under "train" where the source has no parts.

    Args:
        source: the folder or the file.
        config: what to do with rows that name no video.
        good: counts them, as those of other sources.

    Raises:
        DataError: it is missing, or holds no video.
    """
    root, good = unpacked_source(source), good or GoodExamples(source, config, noun="videos")
    if root.is_dir():
        return _from_folder(root, config, good)
    if plain_suffix(root) in LIST_SUFFIXES and root.exists():
        return listed_videos(root, Films(root.parent), good)
    problem = f"is neither a folder nor a file {', '.join(LIST_SUFFIXES)}" if root.exists() else "does not exist"
    raise DataError(source, problem, "give a folder with a folder of videos for each class, or a list of videos")


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
    itself, by scenes where names tell them (see `scene_of`).

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
        groups.setdefault(_group(item, config.groups) if config.groups else scene_of(item.name), []).append(item)
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


def _from_folder(root: Path, config: VideoDataConfig, good: GoodExamples) -> dict[str, list[Listed]]:
    """The videos of a folder by its lists; else by its folders train, validation and test; else all for training."""
    if parts := official_parts(root, config.fold, good):
        return parts
    if lists := part_lists(root):
        parts, films = {}, Films(root)
        for name, path in lists.items():
            for part, own in listed_videos(path, films, good, part=name).items():
                parts.setdefault(part, []).extend(own)
        return parts
    folders = part_folders(root, VIDEO_SUFFIXES + PICTURE_SUFFIXES) or {"train": root}
    return {part: _classes(folder, root, good) for part, folder in folders.items()}


def _classes(folder: Path, root: Path, good: GoodExamples) -> list[Listed]:
    """The videos of a folder of classes; the class is the name of the folder directly below."""
    videos = []
    for path in films_in(folder):
        inside = path.relative_to(folder)
        if len(inside.parts) < 2 and path.is_dir():
            problem = "holds pictures that no folder of their own makes one video"
            good.leave_out(DataError(path, problem, f"put the frames of each video into {path}/<video>/"))
        elif len(inside.parts) < 2:
            good.leave_out(DataError(path, "lies in no folder of a class", f"put it into {folder}/<class>/"))
        else:
            videos.append(Listed(path, str(path.relative_to(root)), inside.parts[0]))
    if not videos:
        good.finish()
        known = " ".join(VIDEO_SUFFIXES)
        raise DataError(folder, "holds no video", f"put files into a folder for each class; they end in {known}")
    return videos
