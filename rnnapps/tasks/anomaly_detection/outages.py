"""Held-out rows in which one sensor is silent: how much less is then known of the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.calibrate import HeldOut
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner

__all__ = ["outage_errors"]

MOST_PARTS = 64
"""Parts, each with a silent sensor, that are run; they are one batch."""

MOST_ROWS = 2048


def outage_errors(runner: PartRunner, parts: Sequence[SeriesPart]) -> list[tuple[int, HeldOut]]:
    """Errors of the last rows of parts, each with one sensor hidden: (number of the sensor, errors).

    Every sensor that is not silent by habit is hidden in one part at least, in more where there are few sensors. What
    reads windows, which costs more, gets as many rows as the parts have, all outages together.
    """
    channels, usual = len(runner.stream.rows.channels), runner.stream.rows.usual_gaps
    parts = sorted(parts, key=len, reverse=True)
    sensors = [channel for channel in range(channels) if usual[channel] < min(len(parts[0]), MOST_ROWS)]
    if not sensors:
        return []
    each = max(min(MOST_PARTS // len(sensors), len(parts)), 1)
    pairs = [(sensor, parts[(sensor + turn) % len(parts)]) for sensor in sensors for turn in range(each)]
    rows = MOST_ROWS
    if runner.stream.kind != "forecaster":
        rows = max(sum(map(len, parts)) // len(pairs), runner.stream.config.warmup_steps)
    hidden = [_without(part, sensor, rows, runner.history) for sensor, part in pairs]
    return list(zip([sensor for sensor, _ in pairs], runner.errors(hidden), strict=True))


def _without(part: SeriesPart, sensor: int, rows: int, history: int) -> SeriesPart:
    """The last rows of a part, with a sensor that is silent in them and in the rows before."""
    start = max(part.stop - rows, part.start)
    first = max(start - history, 0)
    series = part.series.slice(first, part.stop)
    values = series.values.copy()
    values[:, sensor] = np.nan
    return SeriesPart(dataclasses.replace(series, values=values), start - first, part.stop - first)
