"""Lines of rows, judged one by one as they come."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import numpy as np

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.anomaly_detection.findings import ScoredLine
from rnnapps.tasks.anomaly_detection.row_judge import RowJudge
from rnnapps.tasks.anomaly_detection.streams import DetectorStream

__all__ = ["judge_lines"]

MISSING = ("", "nan", "na", "null", "none", "?")


def judge_lines(
    stream: DetectorStream, path: str, *, series: str = "", only_flags: bool = False
) -> Iterator[ScoredLine]:
    """Reads comma-separated lines and judges each at once.

    The first line may name the columns; else they are the channels in the order of training. A column that names the
    series or entity of a row keeps their states apart.

    Args:
        stream: the detector.
        path: file, or - for standard input.
        series: name of the series, where no column says it.
        only_flags: yield flagged lines alone, and those where sensors fall silent or come back.

    Raises:
        DataError: a line is no row, with its number and column.
        ConfigError: a time is an input of the model and no column holds one.
    """
    judge, columns, number = RowJudge(stream, series), None, 0
    with _opened(path) as file:
        try:
            for number, cells in _rows(file):
                if columns is None:
                    columns = _Columns(stream, path, cells)
                    if columns.named:
                        continue
                judged = judge.row(*columns.read(number, cells))
                if judge.notable or not only_flags:
                    yield ScoredLine(number, *judged)
        except UnicodeDecodeError:
            raise DataError(path, f"is not UTF-8 text behind line {number}", "convert it to UTF-8") from None
        except csv.Error as error:
            raise DataError(path, f"line {number + 1} is no row of a table ({error})", "correct the line") from None


def _rows(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of every line that is not empty; one of empty cells is a row without any value."""
    reader = csv.reader(file)
    for cells in reader:
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield reader.line_num, cells


class _Columns:
    """Which cell is what."""

    def __init__(self, stream: DetectorStream, path: str, first: list[str]) -> None:
        self.path, self.channels = path, stream.rows.channels
        names = [cell.strip() for cell in first]
        self.named = bool(set(names) & set(self.channels))
        reading, self.calendar = stream.rows.reading, stream.rows.calendar
        if not self.named:
            names = list(self.channels)
        missing = [name for name in self.channels if name not in names]
        if missing:
            raise DataError(path, f"line 1: has no column {missing[0]!r}", f"name {', '.join(self.channels)}")
        self.width = len(names)
        self.places = [names.index(name) for name in self.channels]
        self.series = _column(names, (str(reading.get("entity") or reading.get("series") or ""), "series_id", "series"))
        self.time = _column(names, (str(reading.get("time") or ""), "time", "timestamp", "date", "datetime", "ds"))
        if self.calendar and self.time is None:
            raise ConfigError(f"{path}: the model needs the time of each row; add a column `time` and a line of names")

    def read(self, number: int, cells: list[str]) -> tuple[list[float], str, int]:
        """Values, series and Unix time of a line."""
        if len(cells) != self.width:
            problem = f"line {number}: has {len(cells)} cells; expected {self.width}"
            raise DataError(self.path, problem, "separate them by commas, decimals by points")
        values = [
            self._number(number, name, cells[column]) for name, column in zip(self.channels, self.places, strict=True)
        ]
        series = cells[self.series].strip() if self.series is not None else ""
        return values, series, self._seconds(number, cells[self.time]) if self.calendar and self.time is not None else 0

    def _number(self, line: int, name: str, cell: str) -> float:
        """A cell's number, NaN where the value is missing."""
        cell = cell.strip()
        if cell.lower() in MISSING:
            return float("nan")
        try:
            return float(cell)
        except ValueError:
            raise DataError(
                self.path, f"line {line}, column {name}: {cell!r} is no number", "correct the line"
            ) from None

    def _seconds(self, line: int, cell: str) -> int:
        """A cell's Unix time in seconds."""
        try:
            return int(np.datetime64(cell.strip().replace(" ", "T"), "s").astype(np.int64))
        except ValueError:
            raise DataError(self.path, f"line {line}: {cell!r} is no ISO 8601 time", "correct the line") from None


def _column(names: list[str], wanted: tuple[str, ...]) -> int | None:
    """The column of the first of the wanted names that is there."""
    return next((names.index(name) for name in wanted if name and name in names), None)


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """The file, or standard input for `-`."""
    if path == "-":
        yield sys.stdin
        return
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield file
    except FileNotFoundError:
        raise DataError(path, "does not exist", "check the path") from None
    except IsADirectoryError:
        raise DataError(path, "is a folder", "give a file, or - for standard input") from None
