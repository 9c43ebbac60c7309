"""Rows judged one by one, each series with a state of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.series.recent import Recent
from rnnapps.tasks.anomaly_detection.alarms import NO_ALARM, OpenAlarm, excess
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
    alarm: str


class _Known(NamedTuple):
    """What is known of a series: the detector's state, the sensors told as silent in the last row, and its alarm."""

    state: State
    silent: str = ""
    alarm: OpenAlarm = NO_ALARM


class RowJudge:
    """The states of all series met so far.

    Args:
        stream: the detector.
        series: name of the series of rows that name none.
        most_series: how many have a state; that of the one which had no row longest is dropped.
        memory: the states before.

    Attributes:
        dropped: name of the series whose state was dropped for that of the last row; empty for none.
        notable: whether the last row was flagged, an alarm ended with it, or sensors fell silent in it or came back.
    """

    def __init__(self, stream: DetectorStream, series: str, *, most_series: int, memory: StreamMemory) -> None:
        self.stream, self.series, self.dropped = stream, series, ""
        self.names = stream.rows.channels if stream.kind == "classifier" else stream.rows.targets
        self.states: Recent[_Known] = Recent(most_series)
        self.step, self.notable = _compiled_step(stream), False
        self.calibrated = stream.calibration.threshold.numpy()
        before = memory.before("series")
        for number, (name, silent, *alarm) in enumerate(before.facts["series"] if before else ()):
            assert before is not None
            own = {key: tf.constant(array[number : number + 1]) for key, array in before.arrays.items()}
            self.states.put(name, _Known(own, silent, OpenAlarm(*alarm) if alarm else NO_ALARM))
        memory.watch("series", self._now)

    def row(self, values: Sequence[float] | Array, series: str, seconds: int) -> JudgedRow:
        """Judges the next row of a series.

        Args:
            values: of the channels, NaN where missing.
            series: its name; empty where it has none.
            seconds: Unix time; without influence where there is no calendar.
        """
        name = series or self.series
        before = self.states.get(name) or _Known(self.stream.first_state(1))
        known = self.stream.rows.series
        group = len(known) if len(known) <= 1 else self.stream.rows.group(name)
        row = tf.constant(np.array(values, np.float64)[None, None])
        (score, threshold, flag, share, missing, silent), after = self.step(
            row, tf.constant([group]), tf.constant([[seconds]], tf.int64), before.state
        )
        flagged = bool(flag.numpy()[0, 0])
        sensor = self.names[int(share.numpy()[0, 0].argmax())] if flagged else ""
        told = silent_sensors(missing.numpy()[0, 0], bool(silent.numpy()[0, 0]), self.stream.rows.channels)
        height, limit = float(score.numpy()[0, 0]), float(threshold.numpy()[0, 0])
        peak = excess(height, float(self.calibrated[group]), probabilities=self.stream.kind == "classifier")
        alarm = before.alarm.after(flagged, peak, self.stream.config.join_steps)
        self.notable = flagged or alarm.word() != before.alarm.word() or told != before.silent
        self.dropped = self.states.put(name, _Known(after, told, alarm)) or ""
        return JudgedRow(name, height, limit, flagged, sensor, told, alarm.word())

    def _now(self) -> Remembered:
        """The states of all series, one behind another."""
        kept = list(self.states)
        keys = kept[0][1].state if kept else {}
        arrays = {key: np.concatenate([series.state[key].numpy() for _, series in kept]) for key in keys}
        return Remembered({"series": [[name, series.silent, *series.alarm] for name, series in kept]}, arrays)


@functools.lru_cache(maxsize=4)
def _compiled_step(stream: DetectorStream) -> Step:
    """One row of one series, traced once."""

    def step(values: Tensor, group: Tensor, seconds: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        flags, after = stream.advance(Rows(values, group, seconds), state)
        return tuple(flags), after

    compiled: Step = tf.function(step, autograph=False)
    return compiled
