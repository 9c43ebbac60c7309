"""Transcripts with their times as other programs read them: captions (SRT, WebVTT), CTM, TextGrid, and JSON.

Written here: each form is a few lines, and the packages that write them hold whole editors of captions and of speech.
"""

from __future__ import annotations

import dataclasses
import html
import json
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rnnapps.atomic import write_atomically
from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.results import LongTranscription, Transcription, Word

__all__ = ["OUTPUT_SUFFIXES", "captioned", "write_transcript"]

LINE_CHARACTERS, CAPTION_LINES = 42, 2
"""Of captions, as broadcasters have them."""

CAPTION_SECONDS = 7.0
CAPTION_PAUSE_SECONDS = 1.0
"""Longest caption, and shortest pause that ends one."""

SHORTEST_SECONDS = 0.001
"""Words that were recognised at one moment are written as lasting so long."""


def write_transcript(found: Transcription, path: Path) -> None:
    """Writes a transcript in the form that the ending of the path names.

    Args:
        found: what was recognised.
        path: ends in one of `OUTPUT_SUFFIXES`.

    Raises:
        ConfigError: it cannot be written.
    """
    content = _FORMS[path.suffix.lower()](found)
    try:
        write_atomically(path, content.encode("utf-8"))
    except OSError as error:
        problem = f"cannot be written: {error.strerror or error}"
        raise ConfigError(f"{path}: {problem}; give another --output FILE") from None


def captioned(words: Sequence[Word]) -> Iterator[tuple[float, float, str]]:
    """The words in captions: start and end in seconds, and up to two lines of text.

    Args:
        words: in their order; none overlaps another, and each lasts some time.
    """
    group: list[Word] = []
    for word in words:
        if group and not _fits(word, group):
            yield _caption(group)
            group = []
        group.append(word)
    if group:
        yield _caption(group)


def _fits(word: Word, group: Sequence[Word]) -> bool:
    """Whether a word belongs to the caption of those before it."""
    lines = textwrap.wrap(_text([*group, word]), LINE_CHARACTERS)
    pause, lasts = word.start - group[-1].end, word.end - group[0].start
    return len(lines) <= CAPTION_LINES and pause < CAPTION_PAUSE_SECONDS and lasts <= CAPTION_SECONDS


def _caption(group: Sequence[Word]) -> tuple[float, float, str]:
    """The caption of words."""
    return group[0].start, group[-1].end, "\n".join(textwrap.wrap(_text(group), LINE_CHARACTERS))


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.word for word in words)


def _lasting(words: Sequence[Word]) -> list[Word]:
    """The words in thousandths of a second, none of which begins before its forerunner ends or lasts no time at all."""
    kept: list[Word] = []
    end = 0.0
    for word in words:
        start = max(round(word.start, 3), end)
        end = round(max(word.end, start + SHORTEST_SECONDS), 3)
        kept.append(Word(word.word, start, end))
    return kept


def _srt(found: Transcription) -> str:
    """SubRip: number, times with a decimal comma, text, and a blank line."""
    cues = (
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text.replace('-->', '->')}\n"
        for number, (start, end, text) in enumerate(captioned(_lasting(found.words)), start=1)
    )
    return "\n".join(cues)


def _vtt(found: Transcription) -> str:
    """WebVTT, https://www.w3.org/TR/webvtt1: as SubRip, with a header, and with & and < as entities."""
    cues = (
        f"{_clock(start, '.')} --> {_clock(end, '.')}\n{html.escape(text, quote=False)}\n"
        for start, end, text in captioned(_lasting(found.words))
    )
    return "\n".join(["WEBVTT\n", *cues])


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and thousandths of a second."""
    thousandths = round(1000 * seconds)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _ctm(found: Transcription) -> str:
    """Conversation time marks of NIST: a line for each word with its file, channel, start, duration and text."""
    name = "_".join(Path(found.file).stem.split()) or "sound"
    lines = (f"{name} 1 {word.start:.3f} {word.end - word.start:.3f} {word.word}\n" for word in _lasting(found.words))
    return "".join(lines)


def _grid(found: Transcription) -> str:
    """Praat's TextGrid in its long form: a tier of words, and one of segments where the recording was cut."""
    tiers = {"words": [(word.start, word.end, word.word) for word in _lasting(found.words)]}
    if isinstance(found, LongTranscription):
        said = [Word(segment.transcript, segment.start, segment.end) for segment in found.segments]
        tiers["segments"] = [(segment.start, segment.end, segment.word) for segment in _lasting(said)]
    end = max([SHORTEST_SECONDS, *(rows[-1][1] for rows in tiers.values() if rows)])
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {end:.3f}\n'
    parts = [head, f"tiers? <exists>\nsize = {len(tiers)}\nitem []:\n"]
    for number, (name, rows) in enumerate(tiers.items(), start=1):
        filled = list(_filled(rows, end))
        parts.append(
            f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n'
            f"        xmin = 0\n        xmax = {end:.3f}\n        intervals: size = {len(filled)}\n"
        )
        parts += [
            f"        intervals [{place}]:\n            xmin = {first:.3f}\n            xmax = {last:.3f}\n"
            f'            text = "{_quoted(text)}"\n'
            for place, (first, last, text) in enumerate(filled, start=1)
        ]
    return "".join(parts)


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _filled(rows: Sequence[tuple[float, float, str]], end: float) -> Iterator[tuple[float, float, str]]:
    """The intervals with empty ones between them, as Praat wants a tier: without a gap."""
    before = 0.0
    for start, stop, text in [*rows, (end, math.inf, "")]:
        if start > before:
            yield before, start, ""
        if stop < math.inf:
            yield start, stop, text
        before = stop


def _json(found: Transcription) -> str:
    """What `predict` prints."""
    return json.dumps(dataclasses.asdict(found), ensure_ascii=False, indent=1) + "\n"


_FORMS: dict[str, Callable[[Transcription], str]] = {
    ".srt": _srt,
    ".vtt": _vtt,
    ".ctm": _ctm,
    ".textgrid": _grid,
    ".json": _json,
}
OUTPUT_SUFFIXES = tuple(_FORMS)
"""Endings of files that transcripts are written to, in lower case."""
