"""Rows judged one by one, each series with a state of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.tasks.anomaly_detection.silence import silent_sensors
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Rows, State
from rnnapps.types import Array, Tensor

__all__ = ["JudgedRow", "RowJudge"]

Step = Callable[[Tensor, Tensor, Tensor, State], tuple[tuple[Tensor, ...], State]]
"""Maps (values, group, seconds, state) to (the fields of `Flags`, state behind them)."""


class JudgedRow(NamedTuple):
    """What a detector says of a row; see `ScoredRow`."""

    series: str
    score: float
    threshold: float
    flag: bool
    sensor: str
    missing: str


class RowJudge:
    """The states of all series met so far.

    Args:
        stream: the detector.
        series: name of the series of rows that name none.

    Attributes:
        notable: whether the last row was flagged, or sensors fell silent in it or came back.
    """

    def __init__(self, stream: DetectorStream, series: str) -> None:
        self.stream, self.series = stream, series
        self.names = stream.rows.channels if stream.kind == "classifier" else stream.rows.targets
        self.states: dict[str, State] = {}
        self.silent: dict[str, str] = {}
        self.step, self.notable = _compiled_step(stream), False

    def row(self, values: Sequence[float] | Array, series: str, seconds: int) -> JudgedRow:
        """Judges the next row of a series.

        Args:
            values: of the channels, NaN where missing.
            series: its name; empty where it has none.
            seconds: Unix time; without influence where there is no calendar.
        """
        name = series or self.series
        state = self.states.get(name) or self.stream.first_state(1)
        known = self.stream.rows.series
        group = len(known) if len(known) <= 1 else self.stream.rows.group(name)
        row = tf.constant(np.array(values, np.float64)[None, None])
        (score, threshold, flag, share, missing, silent), self.states[name] = self.step(
            row, tf.constant([group]), tf.constant([[seconds]], tf.int64), state
        )
        flagged = bool(flag.numpy()[0, 0])
        sensor = self.names[int(share.numpy()[0, 0].argmax())] if flagged else ""
        told = silent_sensors(missing.numpy()[0, 0], bool(silent.numpy()[0, 0]), self.stream.rows.channels)
        self.notable = flagged or told != self.silent.get(name, "")
        self.silent[name] = told
        return JudgedRow(name, float(score.numpy()[0, 0]), float(threshold.numpy()[0, 0]), flagged, sensor, told)


@functools.lru_cache(maxsize=4)
def _compiled_step(stream: DetectorStream) -> Step:
    """One row of one series, traced once."""

    def step(values: Tensor, group: Tensor, seconds: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        flags, after = stream.advance(Rows(values, group, seconds), state)
        return tuple(flags), after

    compiled: Step = tf.function(step, autograph=False)
    return compiled
