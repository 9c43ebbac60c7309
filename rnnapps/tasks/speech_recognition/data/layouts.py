"""What is said where: manifests, folders in the usual layouts, pairs from Python; no sound is read here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_name, plain_suffix
from rnnapps.data.given import given_splits
from rnnapps.data.given_rows import given_rows
from rnnapps.data.part_names import subset_part
from rnnapps.data.sources import list_files
from rnnapps.data.text.given import require_text
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.audio import audio_suffixes
from rnnapps.tasks.speech_recognition.data.beside import TEXT_SUFFIXES, rows_beside
from rnnapps.tasks.speech_recognition.data.corpora import (
    librispeech_rows,
    ljspeech_rows,
    timit_rows,
    word_folders,
    word_rows,
)
from rnnapps.tasks.speech_recognition.data.kaldi import RECORDINGS, kaldi_rows
from rnnapps.tasks.speech_recognition.data.manifests import file_text, manifest_rows
from rnnapps.tasks.speech_recognition.data.row import Row

__all__ = ["by_subset", "list_given", "list_rows", "part_tables"]

COLUMNS = ("audio", "transcript")
PHONES = (".phn",)
"""TIMIT has such a file beside each recording."""

_AUDIO_FOLDER = re.compile(r"[^\n|]*\bfile_name\b")
"""How the first line of a Hugging Face audio folder's table begins, which LJSpeech's has not."""


def list_rows(source: Path, speaker_pattern: str = "", good: GoodExamples | None = None) -> list[Row]:
    """The rows of a manifest file, or of a folder in one of the usual layouts.

    Args:
        source: a manifest, see `manifest_rows`; a folder with `metadata.csv` or `metadata.jsonl` (Hugging Face), with
            `metadata.csv` and `wavs/` (LJSpeech), with `wav.scp` and `text` (Kaldi), with `*.trans.txt` (LibriSpeech),
            with `.phn` beside recordings (TIMIT), with a folder for each word (Speech Commands), or with a text,
            captions or a TextGrid beside each recording or in a folder beside theirs (VCTK).
        speaker_pattern: regular expression whose first group finds the speaker in an audio file's name.
        good: counts the lines that name no recording; without it the first one is an error.

    Raises:
        DataError: it is none of these, a line is wrong, or it has no rows.
    """
    good = good or GoodExamples.refusing(source, noun="recordings")
    rows = list(_rows_of(source, speaker_pattern, good))
    if not rows:
        good.finish()
        raise DataError(
            source,
            "holds no recordings",
            "give a manifest, a LibriSpeech or an LJSpeech folder, or texts beside recordings",
        )
    return rows


def _rows_of(source: Path, speaker_pattern: str, good: GoodExamples) -> Iterator[Row]:
    """The rows of a source, by the layout that it has."""
    if not source.is_dir():
        return manifest_rows(source, speaker_pattern, good)
    table, objects = source / "metadata.csv", source / "metadata.jsonl"
    if objects.is_file() or (table.is_file() and _AUDIO_FOLDER.match(file_text(table))):
        return manifest_rows(objects if objects.is_file() else table, speaker_pattern, good)
    if table.is_file():
        return ljspeech_rows(source, good)
    if (source / RECORDINGS).is_file():
        return kaldi_rows(source, good)
    return _by_transcripts(source, speaker_pattern, good)


def _by_transcripts(source: Path, speaker_pattern: str, good: GoodExamples) -> Iterator[Row]:
    """The rows of a folder without a table: by its texts, or by its folders where there are none."""
    texts = list_files(source, TEXT_SUFFIXES)
    listed = [path for path in texts if plain_name(path).endswith(".trans.txt")]
    if listed:
        return librispeech_rows(listed, good)
    recordings = list_files(source, audio_suffixes())
    if list_files(source, PHONES):
        return timit_rows([path for path in texts if plain_suffix(path) == ".txt"], recordings, good)
    folders = {audio.parent for audio in recordings}
    apart = source not in folders and all(text.parent == source for text in texts)  # lists, or what tells of the corpus
    words = word_folders(source, recordings) if apart else {}
    if words:
        return word_rows(source, recordings, words, speaker_pattern, good=good)
    return rows_beside(texts, recordings, speaker_pattern, good)


def part_tables(root: Path) -> dict[str, list[Path]]:
    """The folders with a table of their own that are called like parts, as Kaldi and Hugging Face have them.

    Args:
        root: an existing folder.

    Returns:
        Nothing where none is for training.
    """
    tables = (RECORDINGS, "metadata.csv", "metadata.jsonl")
    parts: dict[str, list[Path]] = {}
    for folder in sorted(root.iterdir()):
        part = subset_part(folder.name)
        if part and any((folder / name).is_file() for name in tables):
            parts.setdefault(part, []).append(folder)
    return parts if "train" in parts else {}


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
    if any(row.part for row in rows):
        return {part: [row for row in rows if row.part == part] for part in dict.fromkeys(row.part for row in rows)}
    parts: dict[str, list[Row]] = {}
    for row in rows:
        assert isinstance(row.audio, Path)
        folders = row.audio.relative_to(root).parts[:-1] if row.audio.is_relative_to(root) else ()
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
