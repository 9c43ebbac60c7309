"""What an operator feels of a detector: how late it is, and how often it cries wolf."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnnapps.tasks.anomaly_detection.metrics.events import Interval

__all__ = ["detection_delays", "false_alarms_per_day"]

SECONDS_PER_DAY = 86_400.0


def detection_delays(labelled: Iterable[Interval], flagged: Iterable[Interval]) -> list[int]:
    """Rows from the start of each labelled event that was found to its first flagged row, 0 when flagged at once.

    Args:
        labelled: true events of one series.
        flagged: detected events of the same series.
    """
    flagged = sorted(flagged)
    delays = []
    for first, last in labelled:
        hits = [max(start - first, 0) for start, end in flagged if start <= last and end >= first]
        delays += [min(hits)] if hits else []
    return delays


def false_alarms_per_day(false_events: int, rows: int, *, row_seconds: float) -> float:
    """False events per day of data; nan when the time between rows is unknown (not above 0).

    Args:
        false_events: flagged events that overlap no labelled one.
        rows: rows that were judged.
        row_seconds: time from one row to the next, in seconds.
    """
    days = rows * row_seconds / SECONDS_PER_DAY
    return false_events / days if days > 0 and np.isfinite(days) else float("nan")
