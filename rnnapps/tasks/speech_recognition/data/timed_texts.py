"""Texts with the times at which they are said, beside recordings: TextGrids of Praat, and captions (SRT, WebVTT).

Read here, since no library that is kept well says on which line a file is wrong.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rnnapps.errors import DataError

__all__ = ["CAPTION_SUFFIXES", "GRID_SUFFIX", "TimedText", "captions", "grid_texts"]

GRID_SUFFIX = ".textgrid"
CAPTION_SUFFIXES = (".srt", ".vtt")
WORDS = ("words", "word", "ort", "ort-mau")
"""Tiers with a word in each interval, as aligners call them: together they are what is said."""

NO_WORDS = ("sil", "sp", "spn", "<eps>", "<sil>", "<p>", "<p:>", "<usb>", "<nib>")
"""What aligners write into intervals in which nobody speaks."""

_TOKEN = re.compile(r'"([^"]*(?:""[^"]*)*)"|(?<!\S)(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)|(?<!\S)!.*')
"""A text in quotation marks, or a number that stands free; all else in a TextGrid is for the eye; ! begins a note."""

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_CUE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(\s.*)?")
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_SOUND = re.compile(r"[\[(][^\[\]()]*[\])]|[♪♫].*")
"""A caption of what is heard but not said: [door closes], (laughter), a song."""


class TimedText(NamedTuple):
    """What is said from one time to another.

    Attributes:
        start: seconds from the recording's start.
        end: the same; None for the recording's end.
        text: what is said.
        line: where it stands in its file.
    """

    start: float
    end: float | None
    text: str
    line: int


def captions(content: str, path: Path) -> Iterator[TimedText | DataError]:
    """The captions of an SRT or a WebVTT file without their markup; those of sounds alone are left out.

    Args:
        content: of the file.
        path: the file, for errors.

    Yields:
        A caption; or what is wrong with one.
    """
    lines = content.split("\n")
    for place, line in enumerate(lines):
        if "-->" not in line:
            continue
        number, cue = place + 1, _CUE.fullmatch(line)
        if cue is None:
            shown = line.strip()[:40]
            yield DataError(path, f"line {number}: {shown!r} is no time", "write 00:00:01,000 --> 00:00:02,500")
            continue
        text = _said(lines, number)
        if path.suffix.lower() == ".vtt":
            text = " ".join(html.unescape(text).split())
        start, end = (_seconds(cue.groups()[first : first + 4]) for first in (0, 4))
        if end <= start:
            yield DataError(path, f"line {number}: ends at {end:g} s, not after its start {start:g} s", "correct it")
        elif text and not _SOUND.fullmatch(text):
            yield TimedText(start, end, text, number)


def _said(lines: Sequence[str], first: int) -> str:
    """The text of a caption from a line on: up to a blank line, or the number and the times of the next one."""
    end = first
    while end < len(lines) and lines[end].strip() and "-->" not in lines[end]:
        end += 1
    followed = end < len(lines) and "-->" in lines[end] and end > first and lines[end - 1].strip().isdigit()
    return " ".join(_MARKUP.sub("", " ".join(lines[first : end - followed])).split())


def _seconds(parts: tuple[str | None, ...]) -> float:
    """Hours, minutes, seconds and decimals of a second in seconds."""
    hours, minutes, seconds, decimals = parts
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0) + float(f"0.{decimals}")


def grid_texts(content: str, path: Path) -> list[TimedText]:
    """What is said in a TextGrid: the words of a tier called `words` as one text; else each interval of the first tier.

    Args:
        content: of the file, in Praat's long or short form.
        path: the file, for errors.

    Raises:
        DataError: it is no TextGrid, has no tier of intervals, or is cut off.
    """
    tiers = _Grid(content, path).tiers()
    if not tiers:
        raise DataError(path, "has no tier of intervals", "write what is said into one")
    words = next((tiers[name] for name in tiers if name.strip().lower() in WORDS), None)
    said = [each for each in words or next(iter(tiers.values())) if each.text and each.text.lower() not in NO_WORDS]
    if words is None or not said:
        return said
    return [TimedText(0.0, None, " ".join(each.text for each in said), said[0].line)]


class _Grid:
    """The values of a TextGrid, one after another."""

    def __init__(self, content: str, path: Path) -> None:
        if '"TextGrid"' not in content[:200] or "ooTextFile" not in content[:200]:
            raise DataError(path, "is no TextGrid in text form", "save it with Praat: Save as text file")
        self.content, self.path, self.place = content, path, content.index('"TextGrid"') + len('"TextGrid"')
        self.counted, self.line = 0, 1

    def tiers(self) -> dict[str, list[TimedText]]:
        """The intervals of each tier that has some; tiers of points are passed over."""
        self.number(), self.number()  # where the grid begins and ends
        found: dict[str, list[TimedText]] = {}
        for _ in range(self.count()):
            kind, name = self.text(), self.text()
            self.number(), self.number()
            if kind == "TextTier":
                for _ in range(self.count()):
                    self.number(), self.text()
            elif kind == "IntervalTier":
                found.setdefault(name, []).extend(self.interval() for _ in range(self.count()))
            else:
                raise self.wrong(f"a tier is of the class {kind[:20]!r}")
        return found

    def interval(self) -> TimedText:
        """One interval."""
        start, end, text = self.number(), self.number(), self.text()
        if end <= start:
            raise self.wrong(f"an interval ends at {end:g}, not after its start {start:g}")
        return TimedText(start, end, " ".join(text.split()), self.line)

    def count(self) -> int:
        """How many follow."""
        value = self.number()
        if not 0 <= value <= len(self.content) or value != int(value):
            raise self.wrong(f"{value:g} is no number of tiers or intervals")
        return int(value)

    def number(self) -> float:
        """The next value, a number."""
        found = self._next()
        if found[2] is None:
            raise self.wrong(f"{found[0][:20]!r} where a number is expected")
        return float(found[2])

    def text(self) -> str:
        """The next value, a text."""
        found = self._next()
        if found[1] is None:
            raise self.wrong(f"{found[0][:20]!r} where a text is expected")
        return found[1].replace('""', '"')

    def _next(self) -> re.Match[str]:
        """The next value, its line counted."""
        while (found := _TOKEN.search(self.content, self.place)) is not None:
            self.place = found.end()
            self.line += self.content.count("\n", self.counted, found.start())
            self.counted = found.start()
            if found[1] is not None or found[2] is not None:
                return found
        raise self.wrong("it ends too early")

    def wrong(self, problem: str) -> DataError:
        """An error at the present line."""
        return DataError(self.path, f"line {self.line}: {problem}", "save it again with Praat")
