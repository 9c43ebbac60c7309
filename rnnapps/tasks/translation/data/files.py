"""Sentence pairs in text files, guarded."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from rnnapps.data.sources import read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.pairs import Pair

__all__ = ["LONGEST_LINE", "checked_pair", "read_aligned", "read_tab_file"]

MAXIMUM_BYTES, MAXIMUM_LINES = 1 << 27, 2_000_000
"""Of a file; more would take gigabytes of memory."""
LONGEST_LINE = 20_000
"""Characters of the longest sentence that is accepted."""


def read_tab_file(path: str | Path) -> list[Pair]:
    """Reads lines of source TAB target; empty lines are skipped.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is not two sentences, with its number.
    """
    pairs = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        parts = line.split("\t")
        if len(parts) != 2:
            problem = f"line {number} has {len(parts)} columns; expected 2: a sentence, a tab, its translation"
            raise DataError(path, problem, "write each pair on a line of its own, without tabs in sentences")
        pairs.append(checked_pair(path, f"line {number}", *parts))
    return _not_empty(path, pairs)


def read_aligned(source: str | Path, target: str | Path) -> list[Pair]:
    """Reads two files of which the same lines belong together; lines empty in both are skipped.

    Raises:
        DataError: a file is missing or not UTF-8, or they differ in their number of lines, or a sentence is missing.
    """
    lines = [_lines(path) for path in (source, target)]
    if len(lines[0]) != len(lines[1]):
        problem = f"has {len(lines[1]):,} lines, but {source} has {len(lines[0]):,}"
        raise DataError(target, problem, "the same lines of both files must belong together")
    pairs = [
        checked_pair(target, f"line {number}", *both)
        for number, both in enumerate(zip_longest(*lines), start=1)
        if both[0].strip() or both[1].strip()
    ]
    return _not_empty(source, pairs)


def _lines(path: str | Path) -> list[str]:
    """The lines of a text file; only a line feed ends a line, other separators belong to sentences."""
    text = decode_text(read_bytes(Path(path), maximum_bytes=MAXIMUM_BYTES), path)
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


def _not_empty(path: str | Path, pairs: list[Pair]) -> list[Pair]:
    """The pairs; raises DataError where there are none."""
    if not pairs:
        raise DataError(path, "holds no sentence pair", "give lines of a sentence, a tab and its translation")
    return pairs
