"""What a detector says: of events, of rows, and of lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from rnnapps.data.series.shown_times import utc_text
from rnnapps.tasks.anomaly_detection.alarms import Severity
from rnnapps.tasks.anomaly_detection.csv_lines import csv_line

__all__ = ["AnomalyEvent", "Kind", "ScoredLine", "ScoredRow"]

Kind = Literal["anomaly", "sensor missing", "all silent"]


@dataclass(frozen=True)
class AnomalyEvent:
    """A stretch of unusual rows; of a classifier, a single one; or one in which sensors are silent.

    Attributes:
        series: its name.
        kind: anomaly; sensor missing, where one has no value for unusually long; all silent, where none has.
        first_row: number of its first row in the series, from 0.
        last_row: number of its last row.
        first_time: time of its first row, in UTC without a zone, or with `data.timezone` where that is another; None
            when there is no time.
        last_time: time of its last row.
        peak_score: the highest score of its rows; None of silence.
        threshold: score above which a row is unusual, as in the row of the highest score; None of silence.
        severity: minor; major, from twice the calibrated threshold on (of a classifier, twice its odds); critical, from
            four times; None of silence.
        sensors: those behind it, the first most so: name -> share in the score, from 0 to 1; of silence, equal shares.
    """

    series: str
    kind: Kind
    first_row: int
    last_row: int
    first_time: pd.Timestamp | None
    last_time: pd.Timestamp | None
    peak_score: float | None
    threshold: float | None
    severity: Severity | None
    sensors: Mapping[str, float]

    def printed(self) -> dict[str, object]:
        """A line of JSON."""
        fields = {**vars(self), "first_time": _text(self.first_time), "last_time": _text(self.last_time)}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class ScoredRow:
    """A row with its score.

    Attributes:
        series: name of its series.
        row: its number, from 0: in the series, or, of a stream, among all rows of the stream.
        time: its time, as in `AnomalyEvent`.
        score: how unusual it is; 0 in the first rows of a series, until the detector has seen enough of them.
        threshold: score above which a row is unusual.
        flag: whether the row lies in a flagged event; of a stream, whether its score is above the threshold.
        sensor: the one with the largest share in the score of a flagged row; else empty.
        missing: the sensors that have been silent for unusually long, `(all)` when no sensor speaks; else empty.
        alarm: severity of the event that the row lies in; of a stream, of the open alarm, so far; else empty.
    """

    series: str
    row: int
    time: pd.Timestamp | None
    score: float
    threshold: float
    flag: bool
    sensor: str
    missing: str = ""
    alarm: str = ""

    def printed(self) -> dict[str, object]:
        """A line of JSON."""
        return {name: value for name, value in {**vars(self), "time": _text(self.time)}.items() if value is not None}


@dataclass(frozen=True)
class ScoredLine:
    """A line of text, of a file or of standard input, with its score.

    Attributes:
        line: its number, from 1.
        series: name of its series; empty where it has none.
        score: as in `ScoredRow`, and all that follows.
        threshold: see there.
        flag: see there.
        sensor: see there.
        missing: see there.
        alarm: see there.
    """

    line: int
    series: str
    score: float
    threshold: float
    flag: bool
    sensor: str
    missing: str = ""
    alarm: str = ""

    def printed(self) -> str:
        """A line of comma-separated values, in the order of the attributes."""
        figures = f"{self.score:.4g}", f"{self.threshold:.4g}", int(self.flag)
        return csv_line([self.line, self.series, *figures, self.sensor, self.missing, self.alarm])


def _text(time: pd.Timestamp | None) -> str | None:
    return None if time is None else utc_text(time)
