"""Lists of videos: CSV as this package and Kinetics have it, and the JSON and CSV of Something-Something and Jester."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_stem, plain_suffix
from rnnapps.data.csv_dicts import csv_dicts, shown_names
from rnnapps.data.part_names import part_named
from rnnapps.data.sources import read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.data.text.json_lines import json_object, whole_text
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.clip import Clip
from rnnapps.tasks.video_recognition.data.films import Film
from rnnapps.tasks.video_recognition.data.listed import Films, Listed

__all__ = ["LIST_SUFFIXES", "listed_videos", "part_lists"]

MAXIMUM_BYTES = 1 << 28
LIST_SUFFIXES = (".csv", ".json", ".jsonl", ".ndjson")
NAMES = {
    "video": ("video", "path", "file_name", "filename", "youtube_id", "video_id", "id"),
    "label": ("label", "template", "class", "class_name", "action", "activity"),
    "start": ("start", "time_start", "start_time"),
    "end": ("end", "time_end", "end_time"),
}
"""What this package, Kinetics, Something-Something and others call the columns."""

ONLINE = ("youtube_id", "video_id")
"""Columns of lists whose videos are downloaded one by one, and of which some are gone."""

_WORDS = re.compile(r"[-_. ]+")

Row = Mapping[str, str]


def part_lists(root: Path) -> dict[str, Path]:
    """The lists directly in a folder whose names are parts, or end in one: `train.csv`, `jester-v1-train.csv`...

    Args:
        root: an existing folder.

    Returns:
        Nothing where none is for training.
    """
    parts: dict[str, Path] = {}
    for path in sorted(root.iterdir()):
        part = part_named(_WORDS.split(plain_stem(path))[-1]) if plain_suffix(path) in LIST_SUFFIXES else None
        if part is not None:
            parts.setdefault(part, path)
    return parts if "train" in parts else {}


def listed_videos(path: Path, films: Films, good: GoodExamples, *, part: str = "train") -> dict[str, list[Listed]]:
    """The videos that a list names, by its column `split`.

    Args:
        path: the list.
        films: finds the videos; lists of one folder share it, which then is searched once.
        good: counts rows that name no video.
        part: of rows that have no split.

    Raises:
        DataError: it lacks a column, or names no video.
    """
    parts: dict[str, list[Listed]] = {}
    unlabelled = gone = 0
    for where, row in _rows(path, good):
        try:
            own, label = _part(path, where, row) or part, _label(row)
            if not label and own == "test":
                unlabelled += 1  # as the test lists of competitions are
                continue
            if not label or not _cell(row, "video"):
                raise DataError(path, f"{where}: a row needs a video and a label", "fill both in")
            film = _film(path, where, row, films=films)
        except DataError as error:
            good.leave_out(error)
            continue
        if film is None:
            gone += 1
            continue
        parts.setdefault(own, []).append(Listed(film, _name(film, row), label))
    if gone or unlabelled:
        told = {f"{gone:,} videos are not on this machine": gone, f"{unlabelled:,} have no label": unlabelled}
        print(f"note: {path}: {' and '.join(what for what, count in told.items() if count)}", file=sys.stderr)
    if not parts and not unlabelled:
        good.finish()
        raise DataError(path, "names no video", "add rows, and put the videos beside the list")
    return parts


def _rows(path: Path, good: GoodExamples) -> Iterator[tuple[str, Row]]:
    """The rows of a list by the names of their columns, each with its place."""
    text = decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)
    if plain_suffix(path) != ".csv":
        yield from _objects(path, text, good)
        return
    first, _, _ = text.partition("\n")
    if first.count(";") == 1 and "," not in first and not set(NAMES["label"]) & set(first.lower().split(";")):
        for number, line in enumerate(text.split("\n"), start=1):  # Jester and the first Something-Something
            if line.strip():
                video, _, label = line.partition(";")
                yield f"line {number}", {"id": video, "label": label}
        return
    names, rows = csv_dicts(path, text)
    if not set(NAMES["video"]) & names or not set(NAMES["label"]) & names:
        problem = (
            f"has the columns {shown_names(sorted(names))}; expected video, label and perhaps split, start and end"
        )
        raise DataError(path, problem, "name the columns so")
    yield from rows


def _objects(path: Path, text: str, good: GoodExamples) -> Iterator[tuple[str, Row]]:
    """The rows of JSON: an array of objects, or an object a line."""
    if not text.lstrip().startswith("["):
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                try:
                    yield f"line {number}", _texts(path, f"line {number}", json_object(path, f"line {number}", line))
                except DataError as error:
                    good.leave_out(error)
        return
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is no JSON: {error}", "restore the file") from None
    for number, entry in enumerate(entries, start=1):
        where = f"entry {number}"
        try:
            if not isinstance(entry, dict):
                raise DataError(path, f"{where} is no object", 'write {"id": ..., "label": ...}')
            yield where, _texts(path, where, entry)
        except DataError as error:
            good.leave_out(error)


def _texts(path: Path, where: str, entry: Mapping[str, Any]) -> Row:
    """The members of an object that are texts or numbers, as texts."""
    return {
        str(key): whole_text(path, f"{where}: {key!r}", str(value))
        for key, value in entry.items()
        if isinstance(value, str | int | float)
    }


def _cell(row: Row, role: str) -> str:
    """The cell with a role; "" where there is none."""
    return next((row[name].strip() for name in NAMES[role] if row.get(name, "").strip()), "")


def _label(row: Row) -> str:
    """The class: a template without the brackets around its objects, which are others in each video."""
    template = row.get("template", "").strip()
    return template.replace("[", "").replace("]", "") if template else _cell(row, "label")


def _part(path: Path, where: str, row: Row) -> str | None:
    """The part that a row says; None where it says none."""
    said = (row.get("split") or row.get("subset") or "").strip()
    part = part_named(said)
    if said and part is None:
        problem = f"{where}: the split {said!r} is none of train, validation and test"
        raise DataError(path, problem, "correct it")
    return part


def _film(path: Path, where: str, row: Row, *, films: Films) -> Film | None:
    """The video of a row, or the part of it from `start` to `end`; None for one that is gone."""
    name, (start, end) = _cell(row, "video"), _span(path, where, row)
    online = any(row.get(column) for column in ONLINE)
    if end is not None and online:
        trimmed = films.find(f"{name}_{round(start):06}_{round(end):06}")
        if trimmed is not None:
            return trimmed
    found = films.find(name) if online and "\0" not in name else films.named(name, path, where)
    return found if found is None or end is None else Clip(found, start, end)


def _span(path: Path, where: str, row: Row) -> tuple[float, float | None]:
    """First and last second of a row; (0, None) where it has none."""
    said = _cell(row, "start"), _cell(row, "end")
    if not any(said):
        return 0.0, None
    try:
        start, end = (float(each) for each in said)
        if not 0 <= start < end < float("inf"):
            raise ValueError
    except ValueError:
        problem = f"{where}: from {said[0][:20]!r} to {said[1][:20]!r} is no part of a video"
        raise DataError(path, problem, "write seconds, start before end") from None
    return start, end


def _name(film: Film, row: Row) -> str:
    """What to call a video: as its row does, with the seconds of a part."""
    name = _cell(row, "video")
    return f"{name} from {film.start:g} s to {film.end:g} s" if isinstance(film, Clip) else name
