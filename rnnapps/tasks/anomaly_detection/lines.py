"""Lines of rows, judged one by one as they come."""

from __future__ import annotations

import csv
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import numpy as np
import tensorflow as tf

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Rows, State
from rnnapps.types import Tensor

__all__ = ["judge_lines"]

Step = Callable[[Tensor, Tensor, Tensor, State], tuple[tuple[Tensor, ...], State]]
"""Maps (values, group, seconds, state) to (the fields of `Flags`, state behind them)."""

HEADER = "line,series,score,threshold,flag,sensor\n"
MISSING = ("", "nan", "na", "null", "none", "?")


def judge_lines(stream: DetectorStream, path: str, *, series: str = "", only_flags: bool = False) -> Iterator[str]:
    """Reads comma-separated lines and yields one line of output for each at once.

    The first line may name the columns; else they are the channels in the order of training. A column that names the
    series or entity of a row keeps their states apart.

    Args:
        stream: the detector.
        path: file, or - for standard input.
        series: name of the series, where no column says it.
        only_flags: yield flagged lines alone.

    Raises:
        DataError: a line is no row, with its number and column.
        ConfigError: a time is an input of the model and no column holds one.
    """
    judge, columns, number = _Judge(stream, series), None, 0
    with _opened(path) as file:
        yield HEADER
        try:
            for number, cells in _rows(file):
                if columns is None:
                    columns = _Columns(stream, path, cells)
                    if columns.named:
                        continue
                line, flagged = judge.line(number, *columns.read(number, cells))
                if flagged or not only_flags:
                    yield line
        except UnicodeDecodeError:
            raise DataError(path, f"is not UTF-8 text behind line {number}", "convert it to UTF-8") from None
        except csv.Error as error:
            raise DataError(path, f"line {number + 1} is no row of a table ({error})", "correct the line") from None


def _rows(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of every line that is not empty."""
    reader = csv.reader(file)
    for cells in reader:
        if any(cell.strip() for cell in cells):
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


class _Judge:
    """The states of all series met so far."""

    def __init__(self, stream: DetectorStream, series: str) -> None:
        self.stream, self.series = stream, series
        self.names = stream.rows.channels if stream.kind == "classifier" else stream.rows.targets
        self.states: dict[str, State] = {}
        self.step = _compiled_step(stream)

    def line(self, number: int, values: list[float], series: str, seconds: int) -> tuple[str, bool]:
        """The line of output for one row, and whether it is flagged."""
        name = series or self.series
        state = self.states.get(name) or self.stream.first_state(1)
        known = self.stream.rows.series
        group = len(known) if len(known) <= 1 else self.stream.rows.group(name)
        with np.errstate(over="ignore"):  # what float32 cannot hold is missing
            row = tf.constant(np.array(values, np.float64).astype(np.float32)[None, None])
        (score, threshold, flag, share), self.states[name] = self.step(
            row, tf.constant([group]), tf.constant([[seconds]], tf.int64), state
        )
        share, flagged = share.numpy()[0, 0], int(flag.numpy()[0, 0])
        sensor = self.names[int(share.argmax())] if flagged else ""
        figures = f"{score.numpy()[0, 0]:.4g},{threshold.numpy()[0, 0]:.4g}"
        return f"{number},{name},{figures},{flagged},{sensor}\n", bool(flagged)


@functools.lru_cache(maxsize=4)
def _compiled_step(stream: DetectorStream) -> Step:
    """One row of one series, traced once."""

    def step(values: Tensor, group: Tensor, seconds: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        flags, after = stream.advance(Rows(values, group, seconds), state)
        return tuple(flags), after

    compiled: Step = tf.function(step, autograph=False)
    return compiled


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
