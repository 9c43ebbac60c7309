"""Cells of a table that are no numbers among numbers: missing values, where bad examples are skipped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.csv_file import CsvShape
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.errors import DataError

__all__ = ["without_bad_cells"]


def without_bad_cells(shape: CsvShape, config: SeriesDataConfig) -> CsvShape:
    """The shape of a CSV file with what is no number in a column of numbers counted as not measured.

    A column is one of numbers where most of its first cells are. With `on_bad` other than `skip` nothing is done.

    Raises:
        DataError: more rows hold such cells than the limit allows.
    """
    if config.on_bad != "skip":
        return shape
    numbers = [place for place in range(len(shape.names)) if _holds_numbers(shape, place)]
    good, found = GoodExamples(shape.path, config, noun="rows", fate="count as missing there"), set[str]()
    rows = ((line, list(_bad_cells(shape, row, numbers))) for line, row in shape.rows())
    for _ in good.read(partial(_check, shape, line, bad, found) for line, bad in rows):
        continue
    good.finish()
    return dataclasses.replace(shape, missing=(*shape.missing, *sorted(found)))


def _holds_numbers(shape: CsvShape, place: int) -> bool:
    """Whether most of the first cells of a column are numbers."""
    cells = [row[place] for row in shape.sample]
    return 2 * sum(shape.number(cell, column=shape.names[place]) is not None for cell in cells) > len(cells)


def _check(shape: CsvShape, line: int, bad: list[str], found: set[str]) -> None:
    """Adds the bad cells of a row to those that were found; raises DataError where there are some."""
    found.update(bad)
    if bad:
        problem = f"line {line}: {bad[0][:60]!r} is no number"
        raise DataError(shape.path, problem, "correct it, or leave the cell empty if it is missing")


def _bad_cells(shape: CsvShape, row: list[str], numbers: list[int]) -> Iterator[str]:
    """The cells of a row that are no numbers, in columns of numbers."""
    for place in numbers:
        if place < len(row) and shape.number(row[place], column=shape.names[place]) is None:
            yield row[place].strip()
