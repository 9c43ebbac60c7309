"""Sentence pairs in text files, guarded."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.converters import converted
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.lines import Line, sampled, text_lines
from rnnapps.tasks.translation.data.pair_lines import PairLine, pair_lines
from rnnapps.tasks.translation.data.pairs import Pair, Placed
from rnnapps.tasks.translation.data.tmx import TMX_SUFFIX, tmx_lines

__all__ = [
    "LONGEST_LINE",
    "aligned_pairs",
    "checked_pair",
    "placed_aligned",
    "placed_pairs",
    "read_aligned",
    "read_tab_file",
    "streamed_pairs",
]

MOST_LINES = 2_000_000
BLANK = "one side is blank"
LONGEST_LINE = 20_000
"""Characters of the longest sentence that is accepted."""

BOTH_BLANK = ("", "")
Item = TypeVar("Item")


def read_tab_file(
    path: str | Path, good: GoodExamples | None = None, *, columns: Sequence[str | int] = ()
) -> list[Pair]:
    """The pairs of `placed_pairs`."""
    return [placed.pair for placed in placed_pairs(path, good, columns=columns)]


def placed_pairs(
    path: str | Path,
    good: GoodExamples | None = None,
    *,
    columns: Sequence[str | int] = (),
    most: int = MOST_LINES,
) -> list[Placed]:
    """Reads a file with a sentence and its translation in each line, see `pair_lines`, or a translation memory.

    Args:
        path: the file, of any size; lines without text are skipped.
        good: counts the lines that are no pair, and drops those with a blank side; without it the first is an error.
        columns: the two columns to read, see `pair_lines`.
        most: the most lines that are read; of more, so many are drawn, and told.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is not two sentences, with its number.
    """
    good = good or GoodExamples.refusing(path, noun="lines")
    path = _plain(path)
    whole = _whole_items(path, columns)
    if whole:
        items, _ = _drawn(path, whole.read(), most, whole.noun)
        lines = iter(items)
    else:
        read, _ = _drawn(path, text_lines(path), most, "lines")
        lines = pair_lines(path, read, columns)
    return _not_empty(path, list(_of_lines(path, lines, good)), good)


def streamed_pairs(
    path: str | Path, good: GoodExamples, *, columns: Sequence[str | int] = (), most: int = MOST_LINES
) -> Iterator[Placed]:
    """Yields what `placed_pairs` reads, of a file of any size, one pair after the other; arguments as there."""
    path = _plain(path)
    whole = _whole_items(path, columns)
    if whole:
        yield from _of_lines(path, _Drawn(path, whole.read, most, whole.noun), good)
        return
    yield from _of_lines(path, pair_lines(path, _Drawn(path, partial(text_lines, path), most, "lines"), columns), good)


class _Items(NamedTuple):
    """What a file holds that may go over several lines.

    Attributes:
        noun: what it is.
        read: reads all of it.
    """

    noun: str
    read: Callable[[], Iterable[PairLine]]


def _whole_items(path: str | Path, columns: Sequence[str | int]) -> _Items | None:
    """The units of a translation memory or the rows of CSV, of which some may be drawn, but not of their lines."""
    if plain_suffix(path) == TMX_SUFFIX:
        return _Items("units", partial(tmx_lines, path, columns))
    if plain_suffix(path) == ".csv":
        return _Items("rows", partial(pair_lines, path, _Lines(path), columns))
    return None


class _Lines(Iterable[Line]):
    """The lines of a file, read from there as often as they are asked for."""

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Line]:
        return text_lines(self.path)


def _plain(path: str | Path) -> str | Path:
    """The file to read, where a package brings it into a known form."""
    plain = unpacked_source(path)
    own = converted(plain, "pair")
    return path if own == plain else own


def _of_lines(path: str | Path, lines: Iterable[PairLine], good: GoodExamples) -> Iterator[Placed]:
    """The pairs of lines."""
    pairs = good.read(partial(_line_pair, path, line, good) for line in lines)
    return (pair for pair in pairs if pair is not None)


class _Drawn(Iterable[Item]):
    """Some lines, which is told, or all, as often as they are asked for; those that `_drawn` keeps.

    Args:
        path: the file, to name it.
        read: reads all lines.
        most: the most that are kept.
        noun: what they are.
    """

    def __init__(self, path: str | Path, read: Callable[[], Iterable[Item]], most: int, noun: str) -> None:
        self.read = read
        with contextlib.redirect_stderr(io.StringIO()):  # what is told is told as the lines are read
            count = sum(1 for _ in read())
        self.chosen = None if count <= most else np.array(sampled(range(count), most)[0], np.int64)
        if self.chosen is not None:
            _tell_drawn(path, most, count, noun)

    def __iter__(self) -> Iterator[Item]:
        if self.chosen is None:
            yield from self.read()
            return
        wanted = iter(self.chosen.tolist())
        following = next(wanted, -1)
        for number, item in enumerate(self.read()):
            if number == following:
                yield item
                following = next(wanted, -1)


def _drawn(path: str | Path, lines: Iterable[Item], most: int, noun: str) -> tuple[list[Item], int]:
    """Some lines, which is told, or all; and how many there are."""
    read, count = sampled(lines, most)
    if len(read) < count:
        _tell_drawn(path, most, count, noun)
    return read, count


def _tell_drawn(path: str | Path, most: int, count: int, noun: str) -> None:
    """Tells that not all lines are read."""
    told = f"{most:,} of {count:,} {noun} are read, drawn at random (--data.most_lines)"
    print(f"note: {path}: {told}", file=sys.stderr)


def _line_pair(path: str | Path, line: PairLine, good: GoodExamples) -> Placed | None:
    """The pair of a line of a file; see `_pair`."""
    pair = _pair(path, line.place, line.sides(), good)
    return pair and Placed(pair, line.document)


def _pair(path: str | Path, place: str, sides: tuple[str, str], good: GoodExamples) -> Pair | None:
    """The pair of a line; None, counted, for one with a blank side, where bad lines are skipped."""
    source, target = sides
    if good.skips and not (source.strip() and target.strip()):
        good.dropped[BLANK] += 1
        return None
    return checked_pair(path, place, source, target)


def read_aligned(source: str | Path, target: str | Path, good: GoodExamples | None = None) -> list[Pair]:
    """The pairs of `placed_aligned`."""
    return [placed.pair for placed in placed_aligned(source, target, good)]


def placed_aligned(
    source: str | Path, target: str | Path, good: GoodExamples | None = None, *, most: int = MOST_LINES
) -> list[Placed]:
    """Reads two files of which the same lines belong together; lines empty in both are skipped, and end documents.

    Args:
        source: file of sentences, of any size.
        target: file of their translations.
        good: counts the lines that are no pair; without it the first one is an error.
        most: the most lines that are read; of more, so many are drawn, and told.

    Raises:
        DataError: a file is missing or not UTF-8, or they differ in their number of lines, or a sentence is missing.
    """
    good = good or GoodExamples.refusing(source, noun="lines")
    lines, _ = _drawn(source, _both(source, target), most, "lines")
    return _not_empty(source, list(_of_both(target, lines, good)), good)


def aligned_pairs(
    source: str | Path, target: str | Path, good: GoodExamples, *, most: int = MOST_LINES
) -> Iterator[Placed]:
    """Yields what `placed_aligned` reads, one pair after the other; arguments as there."""
    yield from _of_both(target, _Drawn(source, partial(_both, source, target), most, "lines"), good)


def _of_both(
    target: str | Path, lines: Iterable[tuple[int, tuple[str, str], int]], good: GoodExamples
) -> Iterator[Placed]:
    """The pairs of lines of two files."""

    def placed(number: int, sides: tuple[str, str], document: int) -> Placed | None:
        pair = _pair(target, f"line {number}", sides, good)
        return pair and Placed(pair, document, number)

    pairs = good.read(partial(placed, *line) for line in lines if line[1] != BOTH_BLANK)
    return (pair for pair in pairs if pair is not None)


def _both(source: str | Path, target: str | Path) -> Iterator[tuple[int, tuple[str, str], int]]:
    """The number, the two sides and the document of each line of two files."""
    counts, document, blank = [0, 0], -1, True
    for number, lines in enumerate(zip_longest(text_lines(source), text_lines(target)), start=1):
        counts = [number if line is not None else count for line, count in zip(lines, counts, strict=True)]
        texts = ["" if line is None else line.text for line in lines]
        if any(text.strip() for text in texts):
            document += blank
        blank = not any(text.strip() for text in texts)
        yield number, BOTH_BLANK if blank else (texts[0], texts[1]), max(document, 0)
    if counts[0] != counts[1]:
        problem = f"has {counts[1]:,} lines, but {source} has {counts[0]:,}"
        raise DataError(target, problem, "the same lines of both files must belong together")


def checked_pair(path: str | Path, place: str, source: str, target: str) -> Pair:
    """A pair without white space around its sides.

    Args:
        path: where it was read.
        place: its line, row or index there, for errors.
        source: the sentence.
        target: its translation.

    Raises:
        DataError: a side is missing or too long.
    """
    for name, sentence in (("sentence", source), ("translation", target)):
        if not sentence.strip():
            raise DataError(path, f"{place} has no {name}", "give both sides, or remove the pair")
        if len(sentence) > LONGEST_LINE:
            problem = f"{place} has a {name} of {len(sentence):,} characters; at most {LONGEST_LINE:,} are read"
            raise DataError(path, problem, "cut it into sentences")
    return Pair(source.strip(), target.strip())


def _not_empty(path: str | Path, pairs: list[Placed], good: GoodExamples) -> list[Placed]:
    """The pairs; raises DataError where there are none."""
    if not pairs:
        good.finish()
        raise DataError(path, "holds no sentence pair", "give lines of a sentence, a tab and its translation")
    return pairs
