"""The two sides in each line of a file: tabs, `|||`, CSV with or without a header, JSON lines, Tatoeba's exports."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rnnapps.data.compressed import plain_suffix
from rnnapps.data.csv_dicts import shown_names
from rnnapps.data.csv_file import LONGEST_CELL
from rnnapps.data.text.json_lines import json_object, whole_text
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.lines import Line

__all__ = ["PairLine", "pair_lines"]

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
HEADINGS = frozenset(
    (
        *("source", "target", "src", "tgt", "trg", "sentence", "translation", "input", "output", "text"),
        *("english", "german", "french", "spanish", "italian", "portuguese", "dutch", "polish", "czech", "russian"),
        *("ukrainian", "turkish", "arabic", "hindi", "chinese", "japanese", "korean", "deutsch", "français", "español"),
        *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "ru", "uk", "tr", "ar", "hi", "zh", "ja", "ko"),
        *("eng", "deu", "ger", "fra", "fre", "spa", "ita", "por", "nld", "pol", "rus", "tur", "jpn", "kor", "cmn"),
    )
)
"""What columns of sentences are called: two of these in the first line are no sentences."""

ATTRIBUTION = re.compile(r"\bCC[- ]BY\b|tatoeba\.org", re.IGNORECASE)
"""What stands in the third column of Tatoeba's exports, as Anki decks are made from them."""

LOOKED_AT = 1000
"""Lines of which the third column is looked at."""

SHOWN = 60

Cells = tuple[int, list[str], int]
"""The number of a line, its cells, and its document."""


@dataclass(frozen=True)
class PairLine:
    """A line of a file.

    Attributes:
        place: what a person calls it: "line 7".
        sides: gives sentence and translation as they are written, or raises DataError.
        document: which of those that lines without text stand between.
    """

    place: str
    sides: Callable[[], tuple[str, str]]
    document: int = 0


def pair_lines(path: str | Path, lines: Iterable[Line], columns: Sequence[str | int] = ()) -> Iterator[PairLine]:
    """Yields the lines of a file that hold something, each with what finds its two sides.

    What is left out, a header or a third column, is told on standard error.

    Args:
        path: the file, whose ending says that it is CSV or JSON lines, and which errors name.
        lines: its lines; of other files than CSV, some of them with the first will do. They are read more than once.
        columns: the two columns to read, by their numbers from 1, or by the names in the first line; by default there
            are two.

    Raises:
        DataError: a column that is asked for does not exist, or a quotation mark is wrong.
    """
    suffix = plain_suffix(path)
    if suffix in JSON_SUFFIXES:
        yield from _json_lines(path, lines, columns)
        return
    table = suffix == ".csv"
    read = partial(_csv_rows, path, lines) if table else partial(_split_rows, lines)
    rows = read()
    first = next(rows, None)
    if first is None:
        return
    header = _header(first[1], columns)
    if header:
        print(f"note: {path}: line {first[0]} is a header and no pair: {shown_names(header)}", file=sys.stderr)
    places = _places(path, read, columns, header)
    for number, cells, document in rows if header else chain([first], rows):
        place, separator = f"line {number}", "a comma" if table else "a tab"
        yield PairLine(place, partial(_sides, path, place, cells, places=places, separator=separator), document)


def _split_rows(lines: Iterable[Line]) -> Iterator[Cells]:
    """The cells of each line that is not empty, cut at tabs, or at `|||` where no line has a tab."""
    separator = "|||" if not any("\t" in line.text for line in lines) else "\t"
    for line in lines:
        if line.text.strip():
            yield line.number, line.text.split(separator), line.document


def _csv_rows(path: str | Path, lines: Iterable[Line]) -> Iterator[Cells]:
    """The cells of each row of a CSV file, with the number of its last line; its first line shows the separator."""
    csv.field_size_limit(LONGEST_CELL)
    first = next((line.text for line in lines if line.text.strip()), "")
    separator = max(",;\t", key=lambda sign: (first.count(sign), -",;\t".index(sign)))
    reader = csv.reader((f"{line.text}\n" for line in lines), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells, 0
    except csv.Error as error:
        raise DataError(path, f"line {reader.line_num}: {error}", "check its quotation marks") from None


def _header(cells: Sequence[str], columns: Sequence[str | int]) -> list[str]:
    """The names of the columns, where the first line holds them: what is asked for, or headings alone; else none."""
    names = [cell.strip() for cell in cells]
    asked = [str(column) for column in columns if not _number(column)]
    known = sum(name.lower() in HEADINGS for name in names)
    return names if (asked and set(asked) <= set(names)) or (len(names) > 1 and known >= 2) else []


def _places(
    path: str | Path, read: Callable[[], Iterator[Cells]], columns: Sequence[str | int], header: Sequence[str]
) -> tuple[int, int] | None:
    """Which cells of a line are its sides; None for the only two."""
    if columns:
        first, second = (_place(path, column, header) for column in columns)
        return first, second
    thirds = (cells[2] for _, cells, _ in islice(read(), int(bool(header)), LOOKED_AT) if len(cells) == 3)
    shown = next(thirds, None)
    if shown is None or not ATTRIBUTION.search(shown) or not all(map(ATTRIBUTION.search, thirds)):
        return None
    told = f"the third column is attribution and is left out: {shown.strip()[:SHOWN]!r}"
    print(f"note: {path}: {told}", file=sys.stderr)
    return 0, 1


def _place(path: str | Path, column: str | int, header: Sequence[str]) -> int:
    """The place of a column, counted from 0."""
    if _number(column):
        return int(column) - 1
    if column not in header:
        found = f"its columns are {shown_names(header)}" if header else "its first line names no columns"
        raise DataError(path, f"has no column {column!r}; {found}", "give --data.columns by numbers, as '[1, 2]'")
    return list(header).index(str(column))


def _number(column: str | int) -> bool:
    """Whether a column is given by its number."""
    return isinstance(column, int) or column.isdecimal()


def _sides(
    path: str | Path, place: str, cells: Sequence[str], *, places: tuple[int, int] | None, separator: str
) -> tuple[str, str]:
    """Sentence and translation among the cells of a line."""
    if places is None and len(cells) == 2:
        return cells[0], cells[1]
    if places is not None and max(places) < len(cells):
        return cells[places[0]], cells[places[1]]
    if places is not None:
        problem = f"{place} has {len(cells)} columns, and column {max(places) + 1} is to be read"
        raise DataError(path, problem, "correct the line")
    problem = f"{place} has {len(cells)} columns; expected 2: a sentence, {separator}, its translation"
    more = ", or name the two columns, as --data.columns '[1, 2]'" if len(cells) > 2 else ""
    raise DataError(path, problem, f"write each pair on a line of its own, without tabs in sentences{more}")


def _json_lines(path: str | Path, lines: Iterable[Line], columns: Sequence[str | int]) -> Iterator[PairLine]:
    """The lines of a file of JSON objects, with two texts each, or with those under `translation`."""
    keys = [str(column) for column in columns]
    for number, line, document in lines:
        if not line.strip():
            continue
        if not keys:
            keys = _keys(path, number, line)
            print(f"note: {path}: pairs are read from {keys[0]!r} and {keys[1]!r}", file=sys.stderr)
        yield PairLine(f"line {number}", partial(_json_sides, path, f"line {number}", line, keys), document)


def _object(path: str | Path, place: str, line: str) -> Mapping[str, Any]:
    """The object of a line, or that under its key `translation`."""
    found = json_object(path, place, line)
    inner = found.get("translation")
    return inner if isinstance(inner, dict) else found


def _keys(path: str | Path, number: int, line: str) -> list[str]:
    """The two keys of the first object that hold texts."""
    found = _object(path, f"line {number}", line)
    keys = [key for key, value in found.items() if isinstance(value, str)]
    if len(keys) != 2:
        problem = f"line {number} has the texts {', '.join(map(repr, keys)) or 'none'}; expected two"
        raise DataError(path, problem, "name two of them, as --data.columns '[de, en]'")
    return keys


def _json_sides(path: str | Path, place: str, line: str, keys: Sequence[str]) -> tuple[str, str]:
    """Sentence and translation of an object."""
    found = _object(path, place, line)
    for key in keys:
        if not isinstance(found.get(key), str):
            raise DataError(path, f"{place} has no text {key!r}", "give both sides, or remove the pair")
    first, second = (whole_text(path, f"{place}: {key!r}", found[key]) for key in keys)
    return first, second
