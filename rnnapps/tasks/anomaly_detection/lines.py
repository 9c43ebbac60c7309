"""Rows judged one by one as they come: lines of files and of standard input, and rows from Python."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.given import MEMORY
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_stream import RowStream, StreamRow
from rnnapps.data.series.shown_times import shown_times
from rnnapps.tasks.anomaly_detection.findings import ScoredLine, ScoredRow
from rnnapps.tasks.anomaly_detection.like_training import row_rules
from rnnapps.tasks.anomaly_detection.row_judge import JudgedRow, RowJudge
from rnnapps.tasks.anomaly_detection.streams import DetectorStream

__all__ = ["judge_lines"]

LONGEST_GAP = 512
"""Missing rows that a detector goes through; what lies further back hardly matters to its state."""


def judge_lines(
    stream: DetectorStream,
    path: str,
    *,
    options: RowOptions,
    memory: StreamMemory,
    series: str = "",
    only_flags: bool = False,
    given: object = None,
) -> Iterator[ScoredLine | ScoredRow]:
    """Judges rows, each at once: lines of CSV as `ScoredLine`, rows from Python as `ScoredRow`.

    The first line may name the columns; else they are the channels in the order of training. A column that names the
    series or entity of a row keeps their states apart.

    Args:
        stream: the detector.
        path: file, or - for standard input.
        options: what to do with rows that are not as they should be.
        memory: what was known before.
        series: name of the series, where no column says it.
        only_flags: yield flagged rows alone, and those where alarms end, or sensors fall silent or come back.
        given: rows from Python instead of those of the file, see `given_chunks`.

    Raises:
        DataError: see `RowStream`.
    """
    rules = row_rules(stream.rows, path if given is None else MEMORY, longest_gap=LONGEST_GAP)
    rows = RowStream(rules, options, memory)
    judge = RowJudge(stream, series, most_series=options.most_series, memory=memory)
    for row, judged in _judged(rows, rows.lines(path) if given is None else rows.given(given), judge):
        if not judge.notable and only_flags:
            continue
        if given is None:
            yield ScoredLine(row.number, *judged)
        else:
            shown = None if row.time is None else shown_times(np.array([row.time]), rules.config.timezone)[0]
            yield ScoredRow(judged.series, row.number, shown, *judged[1:])


def _judged(stream: RowStream, rows: Iterator[StreamRow], judge: RowJudge) -> Iterator[tuple[StreamRow, JudgedRow]]:
    """Each row with what is said of it."""
    for row in rows:
        nothing, notable = np.full(len(row.values), np.nan), False
        for time in row.missing:
            judge.row(nothing, row.series, _seconds(time))
            notable |= judge.notable
        judged = judge.row(row.values, row.series, 0 if row.time is None else _seconds(row.time))
        judge.notable |= notable  # what changed in rows that nobody wrote is told with the next one
        if judge.dropped:
            stream.counts.note("forgotten", f"series {judge.dropped!r} is forgotten: it had no row longest")
        yield row, judged


def _seconds(time: np.datetime64) -> int:
    """Unix time."""
    return int(time.astype("datetime64[s]").astype(np.int64))
