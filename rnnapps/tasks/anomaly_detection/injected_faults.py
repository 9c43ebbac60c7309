"""Faults written into healthy rows, so that baselines can be tuned where nothing is labelled."""

from __future__ import annotations

import dataclasses

import numpy as np

from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows

__all__ = ["with_faults"]

KINDS = ("spike", "shift", "stuck", "noise")
LENGTHS = {"spike": (1, 3), "shift": (10, 80), "stuck": (20, 120), "noise": (10, 80)}
SIZES = (0.5, 3.0)
"""Heights of faults in deviations of their channel: from hidden ones to plain ones."""

ROOM = 200
"""Rows for each fault; most of them stay healthy."""


def with_faults(part: SeriesPart, rows: SensorRows, generator: np.random.Generator) -> SeriesPart:
    """A copy of a part with a fault in every 200 rows, each in one watched channel, and labels of them alone.

    Args:
        part: healthy rows.
        rows: the watched channels and their scales.
        generator: chooses kinds, places, channels and sizes.
    """
    series, start = part.series.slice(0, part.stop), part.start
    values, labels = series.values.copy(), np.zeros(len(series), np.int32)
    for number, room in enumerate(range(start, part.stop - ROOM // 2, ROOM)):
        kind = KINDS[number % len(KINDS)]
        length = int(generator.integers(*LENGTHS[kind]))
        first = min(room + int(generator.integers(0, max(ROOM - length, 1))), part.stop - length)
        if first < start:
            continue
        channel = int(generator.choice(rows.target_places))
        stretch = slice(first, first + length)
        size = generator.choice([-1.0, 1.0]) * generator.uniform(*SIZES) * _deviation(series, channel)
        if kind == "stuck":
            values[stretch, channel] = values[first, channel]
        else:
            values[stretch, channel] += size * (generator.normal(size=length) if kind == "noise" else 1.0)
        labels[stretch] = 1
    return SeriesPart(dataclasses.replace(series, values=values, labels=labels), start, part.stop)


def _deviation(series: Series, channel: int) -> float:
    """The standard deviation of a channel; of a constant, its level or 1."""
    column = series.values[:, channel]
    known = column[np.isfinite(column)].astype(np.float64)
    deviation = float(known.std()) if len(known) else 0.0
    return deviation or (float(np.abs(known).max(initial=0.0)) or 1.0)
