"""Lists of recordings: CSV and tab-separated tables and JSON lines, by the names that others give their columns."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.csv_dicts import shown_names
from rnnapps.data.sources import read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.data.text.json_lines import json_object, whole_text
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.row import Row

__all__ = ["MANIFEST_SUFFIXES", "file_text", "manifest_rows", "speaker_of"]

MAXIMUM_BYTES = 1 << 28
MANIFEST_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
NAMES = {
    "audio": ("audio", "path", "file_name", "audio_filepath", "wav_filename", "audio_path", "filename", "file", "wav"),
    "transcript": ("transcript", "sentence", "transcription", "text", "normalized_text"),
    "speaker": ("speaker", "client_id", "speaker_id"),
}
"""What this package, Common Voice, Hugging Face's audio folders, NeMo and DeepSpeech call the columns."""

CLIPS = "clips"
"""Where Common Voice keeps its recordings, beside its tables."""


def manifest_rows(path: Path, speaker_pattern: str, good: GoodExamples) -> Iterator[Row]:
    """The rows of a manifest; paths in it are relative to its folder, and may lead out of it.

    Args:
        path: the file: CSV, tab-separated where it ends in .tsv, or a JSON object a line.
        speaker_pattern: regular expression whose first group finds the speaker in an audio file's name.
        good: counts the lines that name no recording.

    Raises:
        DataError: it is none, or lacks a column.
    """
    text, kind = file_text(path), plain_suffix(path)
    entries = _objects(path, text, good) if kind in MANIFEST_SUFFIXES[2:] else _table(path, text, kind, good)
    clips = (path.parent / CLIPS).is_dir()
    for line, audio, transcript, speaker in entries:
        if not audio.strip() or "\0" in audio:
            good.leave_out(DataError(path, f"line {line}: names no audio file", "fill it in"))
            continue
        file, where = path.parent / audio.strip(), f"{path}, line {line}"
        if clips and not os.path.exists(file):  # which also answers for names that are too long
            file = path.parent / CLIPS / audio.strip()
        try:
            yield Row(file, transcript, speaker.strip() or speaker_of(file, speaker_pattern, where), where)
        except DataError as error:
            good.leave_out(error)


def speaker_of(audio: Path, pattern: str, where: str) -> str:
    """What the first group of the pattern finds in a file's name; empty without a pattern."""
    if not pattern:
        return ""
    match = re.search(pattern, audio.name)
    if not match:
        raise DataError(where, f"data.speaker_pattern {pattern!r} is not in {audio.name!r}", "correct the pattern")
    return match[1] or ""


def file_text(path: Path) -> str:
    """A file as text; raises DataError where it is none."""
    return decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)


Entry = tuple[int, str, str, str]
"""Line, audio file, transcript and speaker."""


def _table(path: Path, text: str, kind: str, good: GoodExamples) -> Iterator[Entry]:
    """The entries of a table with a line of names."""
    tabs = kind == ".tsv"
    buffer = io.StringIO(text, newline="")
    reader = csv.DictReader(
        buffer, delimiter="\t" if tabs else ",", strict=not tabs, quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
    )
    try:
        names = list(reader.fieldnames or ())
        audio, transcript, speaker = (_column(path, role, names) for role in NAMES)
        for row in reader:
            if None in row or any(row[name] is None for name in (audio, transcript)):
                problem = f"line {reader.line_num}: expected {len(names)} cells"
                good.leave_out(DataError(path, problem, "quote cells with commas"))
                continue
            yield reader.line_num, row[audio], row[transcript], row.get(speaker) or ""
    except csv.Error as error:
        raise DataError(path, f"line {reader.line_num + 1}: {error}", "check its quotation marks") from None


def _column(path: Path, role: str, names: Sequence[str]) -> str:
    """The name of the column with a role; "" where there is none that must be."""
    found = next((name for name in NAMES[role] if name in names), "")
    if not found and role != "speaker":
        problem = f"line 1: has no column {role}; its columns are {shown_names(names)}"
        raise DataError(path, problem, "begin the file with: audio,transcript")
    return found


def _objects(path: Path, text: str, good: GoodExamples) -> Iterator[Entry]:
    """The entries of a file with a JSON object a line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json_object(path, f"line {number}", line)
            audio, transcript = (_text(path, number, found, role) for role in ("audio", "transcript"))
            speaker = next((str(found[name]) for name in NAMES["speaker"] if found.get(name) is not None), "")
            entry = number, audio, transcript, whole_text(path, f"line {number}: the speaker", speaker)
        except DataError as error:
            good.leave_out(error)
            continue
        yield entry


def _text(path: Path, number: int, found: Mapping[str, Any], role: str) -> str:
    """The text of an object that has a role."""
    value = next((found[name] for name in NAMES[role] if isinstance(found.get(name), str)), None)
    if value is None:
        problem = f"line {number} has no {role}; its keys are {shown_names(found)}"
        raise DataError(path, problem, 'write {"audio": ..., "transcript": ...}')
    return whole_text(path, f"line {number}: the {role}", value)
