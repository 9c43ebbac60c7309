"""Transcripts in files of their own, beside the recordings or in a folder beside theirs, by the same name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_stem, plain_suffix
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.manifests import file_text, speaker_of
from rnnapps.tasks.speech_recognition.data.row import Row
from rnnapps.tasks.speech_recognition.data.timed_texts import (
    CAPTION_SUFFIXES,
    GRID_SUFFIX,
    TimedText,
    captions,
    grid_texts,
)

__all__ = ["TEXT_SUFFIXES", "rows_beside"]

TEXT_SUFFIXES = (GRID_SUFFIX, *CAPTION_SUFFIXES, ".txt", ".lab")
"""Of transcripts, those first that are taken where a recording has several."""

ABOUT = ("readme", "license", "licence", "copying", "notice", "changelog", "contents", "speakers", "books", "chapters")
"""Names, or how they begin, of texts that tell of a corpus."""

_VARIANT = re.compile(r"\.(normalized|original|[a-z]{2,3}(-[A-Za-z]{2,4})?)$")
"""LibriTTS has `a.normalized.txt` beside `a.wav`, downloads of captions `a.en.srt`."""

_MICROPHONE = re.compile(r"_mic([12])$")
"""VCTK has two recordings of each sentence."""


def rows_beside(texts: Sequence[Path], recordings: Sequence[Path], pattern: str, good: GoodExamples) -> Iterator[Row]:
    """A row for each recording, or, where its text has times, for each piece of it in which something is said.

    Args:
        texts: files that may be transcripts.
        recordings: all of a folder.
        pattern: regular expression whose first group finds the speaker in a recording's name.
        good: counts recordings without a transcript, and transcripts without a recording.
    """
    transcripts = _Transcripts(texts, recordings)
    for lone in transcripts.lone:
        remedy = f"put it there, as {plain_stem(lone)}.wav, or leave the text out"
        good.leave_out(DataError(lone, "has no recording beside it that ends as recordings do", remedy))
    for audio in recordings:
        if _is_second(audio, transcripts):
            continue
        try:
            text = transcripts.of(audio)
            speaker = _speaker(audio, text, pattern)
            yield from _rows(audio, text, speaker, good)
        except DataError as error:
            good.leave_out(error)


class _Transcripts:
    """Which text belongs to which recording.

    Args:
        texts: files that may be transcripts.
        recordings: files with sound.

    Attributes:
        lone: texts in folders with recordings that belong to none of them.
    """

    def __init__(self, texts: Sequence[Path], recordings: Sequence[Path]) -> None:
        folders = {audio.parent for audio in recordings}
        ranked = sorted(texts, key=lambda path: (TEXT_SUFFIXES.index(plain_suffix(path)), "original" in path.name))
        self.beside: dict[Path, Path] = {}
        self.apart: dict[str, list[Path]] = {}
        for exact in (True, False):
            for text in ranked:
                stem = plain_stem(text) if exact else _VARIANT.sub("", plain_stem(text))
                self.beside.setdefault(text.with_name(stem), text)
        for text in (text for text in ranked if text.parent not in folders):
            self.apart.setdefault(plain_stem(text), []).append(text)
        known = {audio.with_name(plain_stem(audio)) for audio in recordings}
        self.lone = [
            text
            for text in texts
            if text.parent in folders
            and not {text.with_name(stem) for stem in (plain_stem(text), _VARIANT.sub("", plain_stem(text)))} & known
            and not text.name.lower().startswith(ABOUT)
        ]

    def of(self, audio: Path) -> Path:
        """The text of a recording; raises DataError where there is none, or one of several."""
        stem = plain_stem(audio)
        text = self.beside.get(audio.with_name(stem))
        if text is not None:
            return text
        apart = self.apart.get(stem) or self.apart.get(_MICROPHONE.sub("", stem), [])
        if len(apart) > 1:
            problem = f"may have its transcript in {apart[0]} or in {apart[1]}"
            raise DataError(audio, problem, "put the right one beside it")
        if not apart:
            raise DataError(audio, "has no transcript beside it", f"write {stem}.txt")
        return apart[0]


def _is_second(audio: Path, transcripts: _Transcripts) -> bool:
    """Whether a recording is that of VCTK's second microphone, of which there is one of the first."""
    match = _MICROPHONE.search(plain_stem(audio))
    return match is not None and match[1] == "2" and audio.with_name(audio.name.replace("_mic2", "_mic1")).is_file()


def _speaker(audio: Path, text: Path, pattern: str) -> str:
    """By the pattern, or, where texts and recordings lie in folders of their own, the folder both have in common."""
    if pattern:
        return speaker_of(audio, pattern, str(text))
    apart = audio.parent != text.parent
    return audio.parent.name if apart and audio.parent.name == text.parent.name else ""


def _rows(audio: Path, text: Path, speaker: str, good: GoodExamples) -> Iterator[Row]:
    """What is said in one recording."""
    content, suffix = file_text(text), plain_suffix(text)
    if suffix not in (GRID_SUFFIX, *CAPTION_SUFFIXES):
        yield Row(audio, " ".join(content.split()), speaker, str(text))
        return
    found = grid_texts(content, text) if suffix == GRID_SUFFIX else captions(content, text)
    said = 0
    for timed in found:
        if isinstance(timed, DataError):
            good.leave_out(timed)
            continue
        said += 1
        yield _timed(audio, timed, speaker, text)
    if not said:
        raise DataError(text, "holds nothing that is said", "leave it and its recording out")


def _timed(audio: Path, timed: TimedText, speaker: str, text: Path) -> Row:
    """A piece of a recording."""
    whole = timed.end is None
    return Row(audio, timed.text, speaker, f"{text}, line {timed.line}", None if whole else (timed.start, timed.end))
