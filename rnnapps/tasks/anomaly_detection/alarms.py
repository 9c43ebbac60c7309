"""Alarms: how severe one is, whether one is open, and how many a day there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rnnapps.tasks.anomaly_detection.judge import Judged

__all__ = ["NO_ALARM", "SECONDS_PER_DAY", "OpenAlarm", "Severity", "alarm_figures", "excess", "severity"]

Severity = Literal["minor", "major", "critical"]

MAJOR, CRITICAL = 2.0, 4.0
"""Scores in units of the calibrated threshold."""

SECONDS_PER_DAY = 86_400.0
SMALLEST = 1e-9


def severity(peak: float) -> Severity:
    """How severe an alarm is whose highest score is so many times the calibrated threshold (or its odds)."""
    return "critical" if peak >= CRITICAL else "major" if peak >= MAJOR else "minor"


def excess(score: float, threshold: float, *, probabilities: bool = False) -> float:
    """How many times the calibrated threshold a score is; of probabilities, its odds p / (1 - p)."""
    if probabilities:
        score, threshold = (value / max(1 - value, SMALLEST) for value in (score, threshold))
    return score / max(threshold, SMALLEST)


class OpenAlarm(NamedTuple):
    """What a stream knows of an alarm.

    Attributes:
        open_rows: rows that are not flagged after which it is over; 0 when none is open.
        peak: its highest score so far in units of the calibrated threshold.
    """

    open_rows: int
    peak: float

    def after(self, flag: bool, peak: float, join_steps: int) -> OpenAlarm:
        """What is known after a row of such a score."""
        if flag:
            return OpenAlarm(join_steps + 1, max(peak, self.peak))
        return OpenAlarm(self.open_rows - 1, self.peak) if self.open_rows > 1 else NO_ALARM

    def word(self) -> str:
        """Its severity so far; empty when none is open."""
        return severity(self.peak) if self.open_rows else ""


NO_ALARM = OpenAlarm(0, 0.0)


def alarm_figures(judged: Sequence[Judged], *, row_seconds: float) -> dict[str, float]:
    """Alarms a day of a series on average, and on the worst day of any; nothing where rows have no times.

    Args:
        judged: series with events.
        row_seconds: time from one row to the next; 0 when unknown.
    """
    rows = sum(len(series.scores) for series in judged)
    if not row_seconds > 0 or not rows:
        return {}
    begins = [np.array([first for first, _ in series.events]) for series in judged]
    days = [np.unique(own * row_seconds // SECONDS_PER_DAY, return_counts=True)[1] for own in begins]
    return {
        "alarms_per_day": sum(map(len, begins)) / (rows * row_seconds / SECONDS_PER_DAY),
        "alarms_on_the_worst_day": float(max(own.max(initial=0) for own in days)),
    }
