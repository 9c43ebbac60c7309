"""Sentence pairs in text files, guarded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.sources import read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.pair_lines import PairLine, pair_lines
from rnnapps.tasks.translation.data.pairs import Pair

__all__ = ["LONGEST_LINE", "checked_pair", "read_aligned", "read_tab_file"]

MAXIMUM_BYTES, MAXIMUM_LINES = 1 << 27, 2_000_000
"""Of a file; more would take gigabytes of memory."""
BLANK = "one side is blank"
LONGEST_LINE = 20_000
"""Characters of the longest sentence that is accepted."""


def read_tab_file(
    path: str | Path, good: GoodExamples | None = None, *, columns: Sequence[str | int] = ()
) -> list[Pair]:
    """Reads a file with a sentence and its translation in each line, see `pair_lines`; empty lines are skipped.

    Args:
        path: the file.
        good: counts the lines that are no pair, and drops those with a blank side; without it the first is an error.
        columns: the two columns to read, see `pair_lines`.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is not two sentences, with its number.
    """
    good = good or GoodExamples.refusing(path, noun="lines")
    lines = pair_lines(path, _lines(path), columns)
    pairs = good.read(partial(_line_pair, path, line, good) for line in lines)
    return _not_empty(path, [pair for pair in pairs if pair is not None], good)


def _line_pair(path: str | Path, line: PairLine, good: GoodExamples) -> Pair | None:
    """The pair of a line of a file; see `_pair`."""
    return _pair(path, line.place, line.sides(), good)


def _pair(path: str | Path, place: str, sides: tuple[str, str], good: GoodExamples) -> Pair | None:
    """The pair of a line; None, counted, for one with a blank side, where bad lines are skipped."""
    source, target = sides
    if good.skips and not (source.strip() and target.strip()):
        good.dropped[BLANK] += 1
        return None
    return checked_pair(path, place, source, target)


def read_aligned(source: str | Path, target: str | Path, good: GoodExamples | None = None) -> list[Pair]:
    """Reads two files of which the same lines belong together; lines empty in both are skipped.

    Args:
        source: file of sentences.
        target: file of their translations.
        good: counts the lines that are no pair; without it the first one is an error.

    Raises:
        DataError: a file is missing or not UTF-8, or they differ in their number of lines, or a sentence is missing.
    """
    good = good or GoodExamples.refusing(source, noun="lines")
    lines = [_lines(path) for path in (source, target)]
    if len(lines[0]) != len(lines[1]):
        problem = f"has {len(lines[1]):,} lines, but {source} has {len(lines[0]):,}"
        raise DataError(target, problem, "the same lines of both files must belong together")
    pairs = good.read(
        partial(_pair, target, f"line {number}", both, good)
        for number, both in enumerate(zip(*lines, strict=True), start=1)
        if both[0].strip() or both[1].strip()
    )
    return _not_empty(source, [pair for pair in pairs if pair is not None], good)


def _lines(path: str | Path) -> list[str]:
    """The lines of a text file; only a line feed ends a line, other separators belong to sentences."""
    text = decode_text(read_bytes(unpacked_source(path), maximum_bytes=MAXIMUM_BYTES), path)
    if (count := text.count("\n")) > MAXIMUM_LINES:
        raise DataError(path, f"has {count:,} lines; at most {MAXIMUM_LINES:,} are read", "use a part of it")
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


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


def _not_empty(path: str | Path, pairs: list[Pair], good: GoodExamples) -> list[Pair]:
    """The pairs; raises DataError where there are none."""
    if not pairs:
        good.finish()
        raise DataError(path, "holds no sentence pair", "give lines of a sentence, a tab and its translation")
    return pairs
