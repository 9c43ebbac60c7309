"""Rows as they come, from a file, standard input or Python, read by the rules of the training data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.csv_records import CsvRecords, Record
from rnnapps.data.given import MEMORY
from rnnapps.data.line_input import LineInput
from rnnapps.data.preamble import joined_header
from rnnapps.data.series.given_rows import given_chunks
from rnnapps.data.series.row_clock import RowClock
from rnnapps.data.series.row_columns import RowColumns, find_columns
from rnnapps.data.series.row_counts import RowCounts
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.row_schedule import NO_TIMES, RowSchedule
from rnnapps.data.series.table_frame import Table
from rnnapps.data.series.timestamps import parse_times
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["RowStream", "StreamRow"]

MOST_TITLES = 10
"""Lines without a channel's name that may stand above the names of the columns."""


class StreamRow(NamedTuple):
    """A row in its place.

    Attributes:
        number: of its line, from 1; of rows from Python, its own, from 0.
        series: name of its series; empty where it has none.
        time: UTC; None where there is none.
        values: of the channels, float64 `(channels,)`, NaN where missing.
        missing: UTC times of the rows that are missing before it.
    """

    number: int
    series: str
    time: np.datetime64 | None
    values: Array
    missing: Array = NO_TIMES


class RowStream:
    """The rows of a source.

    Args:
        rules: how they are written and follow each other.
        options: what to do with those that are not as they should be.
        memory: what was read before.

    Attributes:
        counts: what became of the rows so far.
    """

    def __init__(self, rules: RowRules, options: RowOptions, memory: StreamMemory) -> None:
        self.rules, self.options, self.memory = rules, options, memory
        self.counts = RowCounts("stream")
        self._columns: RowColumns | None = None
        before = memory.before("rows")
        self._facts = dict(before.facts) if before else {}
        self._schedule = RowSchedule(rules, options, self.counts, self._facts.get("last"))

    def lines(self, source: str) -> Iterator[StreamRow]:
        """Yields the rows of a CSV file, or of standard input for `-`.

        Raises:
            DataError: the source cannot be read, its columns are not those of the model, no row of it can be read; or a
                row is not as it should be and that is to stop the stream.
        """
        lines = LineInput(source, self.memory)
        self.counts.source = lines.name
        records = CsvRecords(lines)
        if self._facts.get("names"):
            self._use(self._known_columns(lines.name), records)
        self.memory.watch("rows", self._now)
        problem = None
        try:
            for record in records:
                try:
                    row = self._read(record, records)
                except _BadRow as bad:
                    if self.options.bad_rows == "stop":
                        remedy = "; ".join(filter(None, (bad.error.remedy, "or choose another --bad_rows")))
                        raise DataError(bad.error.path, bad.error.problem, remedy) from None
                    problem = problem or bad.error
                    self.counts.note("bad", str(bad.error))
                    row = None
                lines.done()
                if row is not None:
                    yield row
                self.memory.passed()
        finally:
            self.counts.tell()
        if (
            problem
            and (self._columns is None or not self.memory.keeps)
            and self.counts.rows == self.counts.counts["bad"]
        ):
            raise problem

    def given(self, given: object) -> Iterator[StreamRow]:
        """Yields rows from Python, see `given_chunks`.

        Raises:
            DataError: a row is not what is expected, with its number and column.
        """
        self.counts.source = MEMORY
        self.memory.watch("rows", self._now)
        try:
            for table in given_chunks(given, self.rules.config):
                for row in self._rows_of(table):
                    if row is not None:
                        yield row
                    self.memory.passed()
        finally:
            self.counts.tell()

    def _rows_of(self, table: Table) -> Iterator[StreamRow | None]:
        """The rows of a table from Python, None for each that is to be left out."""
        rules, clock, named = self.rules, table.roles.time, table.roles.series
        if rules.needs_time and not clock:
            problem = "this model reads the calendar: give a column or an index of times"
            raise DataError(MEMORY, f"{table.place(0)} has no time", problem)
        values = table.frame[list(rules.channels)].to_numpy(np.float64)
        names = table.frame[named].fillna("").astype(str).to_list() if named else [""] * len(values)
        times = parse_times(table.frame[clock], rules.config, table.path, table.place) if clock else None
        for row, name in enumerate(names):
            where, time, number = table.place(row), None, int(self._facts.get("rows", 0))
            if times is not None:
                time = RowClock(rules, MEMORY).to_utc(times[row : row + 1], where, self._schedule.before(name))
            self.counts.rows += 1
            placed = self._placed(number, name, time, values=values[row], where=where)
            self._facts["rows"] = number + 1
            yield placed

    def _read(self, record: Record, records: CsvRecords) -> StreamRow | None:
        """A row; None for one that names columns, or is to be left out.

        Raises:
            _BadRow: it cannot be read.
        """
        source, where = self.counts.source, f"line {record.line}"
        if record.problem:
            self.counts.rows += 1
            raise _BadRow(DataError(source, f"{where}: {record.problem}", "correct the line"))
        if self._columns is None:
            columns, named = self._first_columns(record)
            self._use(columns, records)
            if named:
                return None
        known = self._columns
        assert known is not None
        self.counts.rows += 1
        try:
            cells = known.cut(record.text, where)
            if joined_header([cells]) == known.names:  # as a further file begins
                self.counts.rows -= 1
                return None
            values = known.values(cells, where)
            series, time = known.series(cells), None
            if (written := known.time(cells)) is not None:
                clock = RowClock(self.rules, source)
                time = clock.read(written, where, self._schedule.before(series))
        except DataError as error:
            raise _BadRow(error) from None
        return self._placed(record.line, series, time, values=values, where=where)

    def _first_columns(self, record: Record) -> tuple[RowColumns, bool]:
        """The columns by the first row, see `find_columns`; a few lines above it may be titles, which are bad rows."""
        try:
            return find_columns(self.rules, self.counts.source, record.text, f"line {record.line}")
        except DataError as error:
            self.counts.rows += 1
            if self.counts.rows > MOST_TITLES or any(name in record.text for name in self.rules.channels):
                raise
            raise _BadRow(error) from None

    def _known_columns(self, source: str) -> RowColumns:
        """Those of an earlier run."""
        return RowColumns(self.rules, source, self._facts["names"], separator=self._facts["separator"], where="line 1")

    def _use(self, columns: RowColumns, records: CsvRecords) -> None:
        """Takes rows by these columns from now on."""
        self._columns, records.separator = columns, columns.separator
        self._facts |= {"names": list(columns.names), "separator": columns.separator}

    def _placed(
        self, number: int, series: str, time: np.datetime64 | None, *, values: Array, where: str
    ) -> StreamRow | None:
        """The row with what is missing before it; None where it is to be left out."""
        if time is None:
            return StreamRow(number, series, None, values)
        missing = self._schedule.place(series, time, where)
        return None if missing is None else StreamRow(number, series, time, values, missing)

    def _now(self) -> Remembered:
        """The columns, and the time of the last row of each series."""
        last = {name: int(time.astype("datetime64[ns]").astype(np.int64)) for name, time in self._schedule.last}
        return Remembered({**self._facts, "last": last})


class _BadRow(Exception):
    """A row that cannot be read; how so is its first argument."""

    def __init__(self, error: DataError) -> None:
        super().__init__(str(error))
        self.error = error
