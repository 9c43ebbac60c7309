"""Runs a detector over whole parts of series, several at once, a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.calibrate import HeldOut
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Flags, Rows, State
from rnnapps.types import Array, Tensor

__all__ = ["PartRunner", "as_rows", "seconds_of"]

Outputs = tuple[Tensor, ...]
"""Each `(batch, time, ...)`."""

Run = Callable[[Tensor, Tensor, Tensor, State], tuple[Outputs, State]]
"""Maps (values, series, seconds, state) to (outputs, state behind them)."""

CHUNK_ROWS = 256
MOST_SERIES = 64
HISTORY_ROWS = 512
"""Rows before a part that bring a recurrent state to where it would be; what lies further back hardly matters."""

SETTLING_ROWS = 256
"""Rows before a part, beside the first window, over which the averages of errors settle."""


def seconds_of(times: Array | None, rows: int) -> Array:
    """Unix times in seconds int64 `(rows,)`; zeros where there are no times."""
    if times is None:
        return np.zeros(rows, np.int64)
    return times.astype("datetime64[s]").astype(np.int64)


def as_rows(part: SeriesPart, known: SensorRows, *, history: int) -> tuple[Rows, int]:
    """A part with rows before it as a batch of one, and how many rows come before it."""
    before = min(part.start, history)
    series = part.series.slice(part.start - before, part.stop)
    group = np.array([known.group(series.name)], np.int32)
    return Rows(series.values[None], group, seconds_of(series.times, len(series))[None]), before


class PartRunner:
    """Runs a network over parts; compiled once, for whatever weights the network has later.

    Args:
        stream: the detector.
    """

    def __init__(self, stream: DetectorStream) -> None:
        self.stream = stream
        channels, streams = len(stream.rows.channels), stream.kind == "forecaster"
        self.history = HISTORY_ROWS if streams else stream.history + SETTLING_ROWS * (stream.kind == "autoencoder")
        steps = CHUNK_ROWS if streams else None  # a fixed number lets a recurrent layer compile its loop
        signature = (
            tf.TensorSpec((None, steps, channels), tf.float64),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, steps), tf.int64),
            {name: tf.TensorSpec((None, *part.shape[1:]), part.dtype) for name, part in stream.first_state(1).items()},
        )
        self._errors = tf.function(self._run_errors, input_signature=signature, autograph=False)
        self._flags = tf.function(self._run_flags, input_signature=signature, autograph=False)
        self._scores = tf.function(self._run_scores, input_signature=signature, autograph=False)

    def errors(self, parts: Sequence[SeriesPart]) -> list[HeldOut]:
        """The errors of each part's own rows."""
        errors_of_parts = []
        for part, (errors, valid) in zip(parts, self._over(parts, self._errors), strict=True):
            labels = part.rows().labels
            normal = np.ones(len(part), bool) if labels is None else labels <= 0
            errors_of_parts.append(HeldOut(self.stream.rows.group(part.series.name), errors, valid, normal))
        return errors_of_parts

    def flags(self, parts: Sequence[SeriesPart], *, explain: bool = True) -> list[Flags]:
        """What each of a part's own rows gets, as arrays `(rows, ...)`; see `DetectorStream.advance`."""
        return [Flags(*arrays) for arrays in self._over(parts, self._flags if explain else self._scores)]

    def _run_errors(self, values: Tensor, series: Tensor, seconds: Tensor, state: State) -> tuple[Outputs, State]:
        """Errors and where they exist; the averages, which only scores need, stay as they are."""
        errors, valid, after = self.stream.errors(Rows(values, series, seconds), state)
        kept = {name: state[name] for name in state if name not in after}
        return (errors, valid), {**after, **kept}

    def _run_flags(self, values: Tensor, series: Tensor, seconds: Tensor, state: State) -> tuple[Outputs, State]:
        """The fields of `Flags`."""
        flags, after = self.stream.advance(Rows(values, series, seconds), state)
        return tuple(flags), after

    def _run_scores(self, values: Tensor, series: Tensor, seconds: Tensor, state: State) -> tuple[Outputs, State]:
        """The same without contributions, which cost a classifier a run for each channel."""
        flags, after = self.stream.advance(Rows(values, series, seconds), state, explain=False)
        return tuple(flags), after

    def _over(self, parts: Sequence[SeriesPart], run: Run) -> list[tuple[Array, ...]]:
        """What `run` gives for the own rows of each part, in the order of the parts."""
        results: dict[int, tuple[Array, ...]] = {}
        for numbers in _batches(parts, self.history):
            batch = [as_rows(parts[number], self.stream.rows, history=self.history) for number in numbers]
            joined = self._run_batch([rows for rows, _ in batch], run)
            for row, (number, (rows, before)) in enumerate(zip(numbers, batch, strict=True)):
                own = slice(before, rows.values.shape[1])
                results[number] = tuple(array[row, own] for array in joined)
        return [results[number] for number in range(len(parts))]

    def _run_batch(self, batch: Sequence[Rows], run: Run) -> list[Array]:
        """What `run` gives for parts of different lengths at once, padded at their ends, a chunk of rows at a time."""
        longest = max(rows.values.shape[1] for rows in batch)
        chunk_rows = CHUNK_ROWS if self.stream.kind == "forecaster" else min(CHUNK_ROWS, longest)
        length = -(-longest // chunk_rows) * chunk_rows
        values = np.full((len(batch), length, batch[0].values.shape[2]), np.nan)
        seconds = np.zeros((len(batch), length), np.int64)
        for row, rows in enumerate(batch):
            values[row, : rows.values.shape[1]] = rows.values[0]
            seconds[row, : rows.values.shape[1]] = rows.seconds[0]
        series = tf.constant(np.concatenate([rows.series for rows in batch]))
        state, pieces = self.stream.first_state(len(batch)), []
        for start in range(0, length, chunk_rows):
            chunk = slice(start, start + chunk_rows)
            outputs, state = run(tf.constant(values[:, chunk]), series, tf.constant(seconds[:, chunk]), state)
            pieces.append([output.numpy() for output in outputs])
        return [np.concatenate(arrays, axis=1) for arrays in zip(*pieces, strict=True)]


def _batches(parts: Sequence[SeriesPart], history: int) -> Iterator[list[int]]:
    """Numbers of parts of similar length, so that little is padding."""
    order = sorted(range(len(parts)), key=lambda number: min(parts[number].start, history) + len(parts[number]))
    for first in range(0, len(order), MOST_SERIES):
        yield order[first : first + MOST_SERIES]
