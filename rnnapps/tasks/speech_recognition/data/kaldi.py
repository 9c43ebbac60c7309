"""Data folders of Kaldi: `wav.scp`, `text`, and perhaps `utt2spk` and `segments`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.manifests import file_text
from rnnapps.tasks.speech_recognition.data.row import Row

__all__ = ["RECORDINGS", "kaldi_rows"]

RECORDINGS = "wav.scp"
DECODERS = {
    "flac": {"-c", "-d", "-s", "-cds", "-dcs", "-dc", "-cd", "--silent", "--decode", "--stdout"},
    "sph2pipe": {"-f", "wav", "rif", "-p"},
    "cat": set(),
}
"""Programs of commands in `wav.scp` that only unpack a file, which is read as it is, with the words they may have."""

LONGEST_COMMAND = 4096
"""Characters; longer ones are not looked at."""

Lines = dict[str, tuple[int, str]]
"""The first word of each line -> its number, and what follows."""


def kaldi_rows(folder: Path, good: GoodExamples) -> Iterator[Row]:
    """A row for each utterance: a recording, or what `segments` cuts out of one.

    Args:
        folder: with the files `wav.scp`, `text`, and perhaps `segments` and `utt2spk`.
        good: counts the lines that name no recording.

    Raises:
        DataError: a file is missing or no text.
    """
    files, words = _lines(folder / RECORDINGS), _lines(folder / "text")
    speakers = _lines(folder / "utt2spk") if (folder / "utt2spk").is_file() else {}
    cut = folder / "segments"
    spans: Lines = _lines(cut) if cut.is_file() else {name: (line, "") for name, (line, _) in files.items()}
    table = cut if cut.is_file() else folder / RECORDINGS
    for name, (line, rest) in spans.items():
        where = f"{table}, line {line}"
        try:
            recording, span = _span(rest, where) if rest or table == cut else (name, None)
            if recording not in files:
                raise DataError(where, f"{recording!r} has no line in {RECORDINGS}", "add it")
            file = _file(files[recording][1], f"{folder / RECORDINGS}, line {files[recording][0]}")
            if name not in words:
                raise DataError(where, f"{name!r} has no line in text", "add it")
            row = Row(folder / file, words[name][1], speakers.get(name, (0, ""))[1], where, span)
        except DataError as error:
            good.leave_out(error)
            continue
        yield row


def _lines(path: Path) -> Lines:
    """The lines of a table."""
    lines = ((number, line.split(maxsplit=1)) for number, line in enumerate(file_text(path).split("\n"), start=1))
    return {parts[0]: (number, parts[1].strip() if len(parts) > 1 else "") for number, parts in lines if parts}


def _span(rest: str, where: str) -> tuple[str, tuple[float, float | None]]:
    """Recording, start and end of a line of `segments`; an end of -1 is that of the recording."""
    parts = rest.split()
    try:
        recording, start, end = parts[0], float(parts[1]), float(parts[2])
    except (IndexError, ValueError):
        raise DataError(where, f"is {rest[:40]!r} behind its name", "write: utterance recording start end") from None
    return recording, (start, None if end == -1 else end)


def _file(said: str, where: str) -> str:
    """The file of a line of `wav.scp`; of a command that only unpacks one, that file. No command is run."""
    if not said.endswith("|"):
        if not said or "\0" in said:
            raise DataError(where, "names no file", "fill it in")
        return said
    try:
        program, *rest = shlex.split(said[:-1]) if len(said) <= LONGEST_COMMAND else [""]
    except ValueError:
        program, rest = "", []
    allowed = DECODERS.get(Path(program).name, set())
    named = [word for word in rest if word not in allowed]
    if Path(program).name not in DECODERS or len(named) != 1 or named[0].startswith("-") or "\0" in named[0]:
        raise DataError(where, "is a command and no file", "run it, and name the file it writes")
    return named[0]
