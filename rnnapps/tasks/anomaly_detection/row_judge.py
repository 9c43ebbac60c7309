"""Rows judged one by one, each series with a state of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.series.recent import Recent
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


class RowJudge:
    """The states of all series met so far.

    Args:
        stream: the detector.
        series: name of the series of rows that name none.
        most_series: how many have a state; that of the one which had no row longest is dropped.
        memory: the states before.

    Attributes:
        dropped: name of the series whose state was dropped for that of the last row; empty for none.
    """

    def __init__(self, stream: DetectorStream, series: str, *, most_series: int, memory: StreamMemory) -> None:
        self.stream, self.series, self.dropped = stream, series, ""
        self.names = stream.rows.channels if stream.kind == "classifier" else stream.rows.targets
        self.states: Recent[State] = Recent(most_series)
        self.step = _compiled_step(stream)
        before = memory.before("series")
        for number, name in enumerate(before.facts["names"] if before else ()):
            assert before is not None
            own = {key: tf.constant(array[number : number + 1]) for key, array in before.arrays.items()}
            self.states.put(name, own)
        memory.watch("series", self._now)

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
        with np.errstate(over="ignore"):  # what float32 cannot hold is missing
            row = tf.constant(np.array(values, np.float64).astype(np.float32)[None, None])
        (score, threshold, flag, share), after = self.step(
            row, tf.constant([group]), tf.constant([[seconds]], tf.int64), state
        )
        self.dropped = self.states.put(name, after) or ""
        flagged = bool(flag.numpy()[0, 0])
        sensor = self.names[int(share.numpy()[0, 0].argmax())] if flagged else ""
        return JudgedRow(name, float(score.numpy()[0, 0]), float(threshold.numpy()[0, 0]), flagged, sensor)

    def _now(self) -> Remembered:
        """The states of all series, one behind another."""
        kept = list(self.states)
        keys = kept[0][1] if kept else {}
        arrays = {key: np.concatenate([state[key].numpy() for _, state in kept]) for key in keys}
        return Remembered({"names": [name for name, _ in kept]}, arrays)


@functools.lru_cache(maxsize=4)
def _compiled_step(stream: DetectorStream) -> Step:
    """One row of one series, traced once."""

    def step(values: Tensor, group: Tensor, seconds: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        flags, after = stream.advance(Rows(values, group, seconds), state)
        return tuple(flags), after

    compiled: Step = tf.function(step, autograph=False)
    return compiled
