"""Lines of a table's file that are no rows: titles above the column names, units below them, sums at the end."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["INDEX", "joined_header", "lines_that_are_no_rows", "shown_lines", "without_lines"]

LEAST_ROWS = 3
INDEX = "index"
"""What the first column is called, where it has no name: pandas writes an index so."""
_DIGIT = re.compile(r"\d")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_VALUE = re.compile(r"[\d.,:/+\-TZ ]*\d[\d.,:/+\-TZ ]*")
"""A number or a time, which no column is called."""


def without_lines(lines: Iterable[str], skipped: Collection[int]) -> Iterator[str]:
    """Lines, counted from 1, with empty ones where some are left out, so that all others keep their numbers."""
    for number, line in enumerate(lines, start=1):
        yield "\n" if number in skipped else line


def lines_that_are_no_rows(lines: Sequence[str], separators: Sequence[str], missing: Sequence[str]) -> list[int]:
    """Numbers of the lines above a table's column names, of one of units below them, and of sums behind dated rows.

    A plain table has none.

    Args:
        lines: the lines of a file, or its first ones.
        separators: what may stand between columns.
        missing: cells that mean "not measured".
    """
    counted = {separator: _cells(lines, separator) for separator in separators}
    rows, columns = max((_commonest(cells) for cells in counted.values()), key=lambda found: (found[1] > 1, found[0]))
    if columns < 2 or rows < LEAST_ROWS:
        return []
    numbered = next(cells for cells in counted.values() if _commonest(cells) == (rows, columns))
    header = next(number for number, cells in numbered.items() if len(cells) == columns)
    if any(_VALUE.fullmatch(cell.strip()) for cell in numbered[header]):
        return []
    above = list(range(1, header))
    behind = [number for number, cells in numbered.items() if number > header and len(cells) == columns]
    if len(behind) < LEAST_ROWS:
        return above
    first, second = ([cell for cell in numbered[number] if cell.strip() not in missing] for number in behind[:2])
    below = behind[:1] if _is_of_units(first, second, columns) else []
    return [*above, *below, *_behind_dates({number: cells for number, cells in numbered.items() if number > header})]


def joined_header(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names of columns from the lines that name them, the upper ones first: `north load`.

    A name that stands over several columns may be written over the first of them alone. The first column may have none.
    """
    *upper, last = ([cell.strip() for cell in row] for row in rows)
    names = last
    for row in reversed(upper):
        cells = [cell for cell, _ in itertools.zip_longest(row, names, fillvalue="")][: len(names)]
        for column in range(1, len(cells)):
            if not cells[column] and names[column] and names[column - 1]:
                cells[column] = cells[column - 1]
        names = [" ".join(part for part in (above, below) if part) for above, below in zip(cells, names, strict=True)]
    if names and not names[0] and INDEX not in names:
        names = [INDEX, *names[1:]]
    return tuple(names)


def shown_lines(numbers: Sequence[int]) -> str:
    """As a person reads them: "line 5", "lines 1, 2 and 5"."""
    *most, last = map(str, numbers)
    return f"lines {', '.join(most)} and {last}" if most else f"line {last}"


def _cells(lines: Sequence[str], separator: str) -> dict[int, list[str]]:
    """The cells of each line that is not empty, by its number."""
    rows = ((number, next(csv.reader([line], delimiter=separator), [])) for number, line in enumerate(lines, start=1))
    return {number: cells for number, cells in rows if any(cell.strip() for cell in cells)}


def _behind_dates(numbered: dict[int, list[str]]) -> list[int]:
    """The last lines, where they begin with a word and all others with a date; none where no others do."""
    dated = [number for number, cells in numbered.items() if _DATE.match(cells[0].strip())]
    last = [number for number, cells in numbered.items() if len(dated) >= LEAST_ROWS and number > dated[-1]]
    words = all(cells[0].strip() and not _DIGIT.search(cells[0]) for cells in (numbered[number] for number in last))
    return last if words and len(dated) + len(last) >= len(numbered) - 1 else []


def _commonest(cells: dict[int, list[str]]) -> tuple[int, int]:
    """How many lines have the number of cells that most have, and that number."""
    counts = Counter(len(row) for row in cells.values())
    columns, rows = counts.most_common(1)[0] if counts else (0, 0)
    return rows, columns


def _is_of_units(first: Sequence[str], second: Sequence[str], columns: int) -> bool:
    """Whether a row has texts without any digit, where all cells of the row below it hold some."""
    below = len(second) == columns and all(_DIGIT.search(cell) for cell in second)
    return below and bool(first) and not any(_DIGIT.search(cell) for cell in first)
