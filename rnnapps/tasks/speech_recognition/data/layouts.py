"""What is said where: manifests, folders of LibriSpeech and LJSpeech, pairs from Python; no sound is read here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnapps.data.given import given_splits
from rnnapps.data.given_rows import given_rows
from rnnapps.data.part_names import subset_part
from rnnapps.data.sources import list_files, read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.data.text.given import require_text
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.sound import Sound

__all__ = ["Row", "by_subset", "list_given", "list_rows"]

MAXIMUM_BYTES = 1 << 28
COLUMNS = ("audio", "transcript")


@dataclass(frozen=True)
class Row:
    """A recording that is not read yet.

    Attributes:
        audio: its file; or sound from Python, in any form.
        transcript: as it is written in the source.
        speaker: who speaks; empty where it is not known.
        place: where the row stands, for errors.
    """

    audio: Sound
    transcript: str
    speaker: str
    place: str

    @property
    def name(self) -> str:
        """What to call the recording: its file, or else its place."""
        return str(self.audio) if isinstance(self.audio, str | Path) else self.place


def list_rows(source: Path, speaker_pattern: str = "") -> list[Row]:
    """The rows of a manifest file, a LibriSpeech folder or an LJSpeech folder.

    Args:
        source: a CSV file with the columns `audio` (a path relative to the file's folder), `transcript` and, if there
            is one, `speaker`; a folder with `metadata.csv` and `wavs/` (LJSpeech); or a folder with `*.trans.txt`
            (LibriSpeech).
        speaker_pattern: regular expression whose first group finds the speaker in an audio file's name.

    Raises:
        DataError: it is none of these, a line is wrong, or it has no rows.
    """
    if not source.is_dir():
        rows = list(_manifest(source, speaker_pattern))
    elif (source / "metadata.csv").is_file():
        rows = list(_ljspeech(source))
    else:
        rows = list(_librispeech(source))
    if not rows:
        raise DataError(source, "holds no recordings", "give a manifest, a LibriSpeech or an LJSpeech folder")
    return rows


def by_subset(rows: Sequence[Row], root: Path) -> dict[str, list[Row]]:
    """The rows of each part, where they lie in subsets such as LibriSpeech's `train-clean-100` and `test-other`.

    Args:
        rows: of a folder.
        root: the folder.

    Returns:
        All rows under "train" where no folder on their way is called like a part.

    Raises:
        DataError: some rows lie in a subset and others do not, or none lies in one for training.
    """
    parts: dict[str, list[Row]] = {}
    for row in rows:
        assert isinstance(row.audio, Path)
        folders = row.audio.relative_to(root).parts[:-1]
        parts.setdefault(next(filter(None, map(subset_part, folders)), ""), []).append(row)
    if set(parts) == {""}:
        return {"train": parts[""]}
    if "" in parts:
        problem = f"has subsets for {', '.join(filter(None, parts))}, and recordings outside them: {parts[''][0].name}"
        raise DataError(root, problem, "move them into folders whose names begin with train, dev or test")
    if "train" not in parts:
        raise DataError(root, f"has subsets for {', '.join(parts)}, none to learn from", "give the folder above them")
    return parts


def list_given(given: object) -> dict[str, list[Row]]:
    """The rows of each split that Python users give: (audio, transcript) or (audio, transcript, speaker) for each.

    Raises:
        DataError: they have another form; the message says which one has.
    """
    return {
        name: [
            Row(
                row.cells[0],
                require_text(row.cells[1], "the transcript", whole=row.place),
                str(row.cells[2]),
                row.place,
            )
            for row in given_rows(rows, name, columns=COLUMNS, optional="speaker")
        ]
        for name, rows in given_splits(given).items()
    }


def _manifest(path: Path, speaker_pattern: str) -> Iterator[Row]:
    """The rows of a CSV file with columns audio, transcript and perhaps speaker; paths are relative to the file."""
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        names = list(reader.fieldnames or ())
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            problem = f"line 1: has no column {missing[0]}; its columns are {', '.join(names) or 'none'}"
            raise DataError(path, problem, "begin the file with: audio,transcript")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or any(row[name] is None for name in COLUMNS):
                raise DataError(path, f"line {reader.line_num}: expected {len(names)} cells", "quote cells with commas")
            if not row["audio"].strip() or "\0" in row["audio"]:
                raise DataError(path, f"line {reader.line_num}: names no audio file", "fill it in")
            audio = path.parent / row["audio"].strip()
            speaker = (row.get("speaker") or "").strip() or _speaker(audio, speaker_pattern, where)
            yield Row(audio, row["transcript"], speaker, where)
    except csv.Error as error:
        raise DataError(path, f"line {reader.line_num + 1}: {error}", "check its quotation marks") from None


def _speaker(audio: Path, pattern: str, where: str) -> str:
    """What the first group of the pattern finds in a file's name; empty without a pattern."""
    if not pattern:
        return ""
    match = re.search(pattern, audio.name)
    if not match:
        raise DataError(where, f"data.speaker_pattern {pattern!r} is not in {audio.name!r}", "correct the pattern")
    return match[1] or ""


def _ljspeech(folder: Path) -> Iterator[Row]:
    """`metadata.csv`: name|transcript|normalised transcript, without quotation; recordings in `wavs/`."""
    path = folder / "metadata.csv"
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        cells = line.split("|")
        if len(cells) not in (2, 3) or not cells[0].strip() or "\0" in cells[0]:
            problem = f"line {number}: expected name|transcript|normalised transcript"
            raise DataError(path, problem, "correct the line")
        yield Row(folder / "wavs" / f"{cells[0].strip()}.wav", cells[-1], "", f"{path}, line {number}")


def _librispeech(folder: Path) -> Iterator[Row]:
    """`SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`: a line for each recording beside it, NAME TRANSCRIPT."""
    for path in list_files(folder, (".txt",)):
        if not path.name.endswith(".trans.txt"):
            continue
        for number, line in enumerate(_text(path).splitlines(), start=1):
            name, _, transcript = line.strip().partition(" ")
            if not name:
                continue
            if not re.fullmatch(r"[\w.]+(-[\w.]+)+", name):
                problem = f"line {number}: {name[:40]!r} is no name of a recording such as 84-121123-0000"
                raise DataError(path, problem, "correct the line")
            yield Row(path.parent / f"{name}.flac", transcript, name.split("-")[0], f"{path}, line {number}")


def _text(path: Path) -> str:
    """A file as text; raises DataError where it is none."""
    return decode_text(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)
