"""What is said where: manifests, folders in the usual layouts, pairs from Python; no sound is read here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_name, plain_stem
from rnnapps.data.given import given_splits
from rnnapps.data.given_rows import given_rows
from rnnapps.data.part_names import subset_part
from rnnapps.data.sources import list_files
from rnnapps.data.text.given import require_text
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.audio import AUDIO_SUFFIXES
from rnnapps.tasks.speech_recognition.data.manifests import file_text, manifest_rows, speaker_of
from rnnapps.tasks.speech_recognition.data.row import Row

__all__ = ["by_subset", "list_given", "list_rows"]

COLUMNS = ("audio", "transcript")
_AUDIO_FOLDER = re.compile(r"[^\n|]*\bfile_name\b")
"""How the first line of a Hugging Face audio folder's table begins, which LJSpeech's has not."""


def list_rows(source: Path, speaker_pattern: str = "", good: GoodExamples | None = None) -> list[Row]:
    """The rows of a manifest file, or of a folder in one of the usual layouts.

    Args:
        source: a manifest, see `manifest_rows`; a folder with `metadata.csv` or `metadata.jsonl` (Hugging Face), with
            `metadata.csv` and `wavs/` (LJSpeech), with `wav.scp` and `text` (Kaldi), with `*.trans.txt` (LibriSpeech),
            or with a `.txt` beside each recording.
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
        return _ljspeech(source, good)
    if (source / "wav.scp").is_file():
        return _kaldi(source, good)
    transcripts = list_files(source, (".txt",))
    listed = [path for path in transcripts if plain_name(path).endswith(".trans.txt")]
    return _librispeech(listed, good) if listed else _beside(source, transcripts, speaker_pattern, good)


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


def _ljspeech(folder: Path, good: GoodExamples) -> Iterator[Row]:
    """`metadata.csv`: name|transcript|normalised transcript, without quotation; recordings in `wavs/`."""
    path = folder / "metadata.csv"
    for number, line in enumerate(file_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        cells = line.split("|")
        if len(cells) not in (2, 3) or not cells[0].strip() or "\0" in cells[0]:
            problem = f"line {number}: expected name|transcript|normalised transcript"
            good.leave_out(DataError(path, problem, "correct the line"))
            continue
        yield Row(folder / "wavs" / f"{cells[0].strip()}.wav", cells[-1], "", f"{path}, line {number}")


def _kaldi(folder: Path, good: GoodExamples) -> Iterator[Row]:
    """`wav.scp`, `text` and perhaps `utt2spk`: an utterance and its file, words or speaker in each line."""
    files, words = _kaldi_table(folder / "wav.scp"), _kaldi_table(folder / "text")
    speakers = _kaldi_table(folder / "utt2spk") if (folder / "utt2spk").is_file() else {}
    if (folder / "segments").is_file():
        remedy = "cut the recordings, or write a manifest with: audio,transcript"
        raise DataError(folder / "segments", "cuts recordings into utterances, which is not read", remedy)
    for name, (line, file) in files.items():
        where = f"{folder / 'wav.scp'}, line {line}"
        if file.endswith("|"):
            good.leave_out(DataError(where, "is a command and no file", "run it, and name the file it writes"))
        elif name not in words:
            good.leave_out(DataError(where, f"{name!r} has no line in text", "add it"))
        else:
            yield Row(folder / file, words[name][1], speakers.get(name, (0, ""))[1], where)


def _kaldi_table(path: Path) -> dict[str, tuple[int, str]]:
    """The first word of each line -> its number, and what follows."""
    lines = ((number, line.split(maxsplit=1)) for number, line in enumerate(file_text(path).split("\n"), start=1))
    return {parts[0]: (number, parts[1].strip() if len(parts) > 1 else "") for number, parts in lines if parts}


def _beside(folder: Path, texts: Sequence[Path], speaker_pattern: str, good: GoodExamples) -> Iterator[Row]:
    """A text beside each recording, with its name but for the ending; folders of texts alone hold none."""
    recordings = list_files(folder, AUDIO_SUFFIXES) if texts else []
    transcripts = {text.with_name(plain_stem(text)): text for text in texts}
    if recordings:
        stems = {audio.with_name(plain_stem(audio)) for audio in recordings}
        for lone in (path for stem, path in transcripts.items() if stem not in stems):
            remedy = f"put it there, as {plain_stem(lone)}.wav, or leave the text out"
            good.leave_out(DataError(lone, "has no recording beside it that ends as recordings do", remedy))
    for audio in recordings:
        text = transcripts.get(audio.with_name(plain_stem(audio)))
        try:
            if text is None:
                raise DataError(audio, "has no transcript beside it", f"write {plain_stem(audio)}.txt")
            transcript = " ".join(file_text(text).split())
            yield Row(audio, transcript, speaker_of(audio, speaker_pattern, str(text)), str(text))
        except DataError as error:
            good.leave_out(error)


def _librispeech(transcripts: Sequence[Path], good: GoodExamples) -> Iterator[Row]:
    """`SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`: a line for each recording beside it, NAME TRANSCRIPT."""
    for path in transcripts:
        for number, line in enumerate(file_text(path).splitlines(), start=1):
            name, _, transcript = line.strip().partition(" ")
            if not name:
                continue
            if not re.fullmatch(r"[\w.]+(-[\w.]+)+", name):
                problem = f"line {number}: {name[:40]!r} is no name of a recording such as 84-121123-0000"
                good.leave_out(DataError(path, problem, "correct the line"))
                continue
            yield Row(path.parent / f"{name}.flac", transcript, name.split("-")[0], f"{path}, line {number}")
