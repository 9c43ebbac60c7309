"""Windows of series: gathered when they are needed, from series that are stored once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.data.series.series import SeriesPart
from rnnapps.errors import DataError
from rnnapps.types import Array, Arrays, Tensor

__all__ = ["StoredSeries"]

NANOSECONDS = 10**9


class StoredSeries:
    """Parts of series in one memory, from which windows are gathered.

    A window is `history_steps` rows followed by `horizon_steps` rows. Its origin is the first row of the horizon (with
    a horizon of 0, the row behind the window). The horizon always lies within the part; the history may reach before
    it, as a forecast for the first test row looks back on validation rows.

    Args:
        parts: parts with the same channels and covariates. The rows behind a part's end are not stored.
        history_steps: rows before the origin, at least 0.
        horizon_steps: rows from the origin on, at least 0.
        minimum_history: rows that must exist before the origin; where there are fewer than `history_steps`, the window
            begins with rows that are not valid. By default all of them must exist.

    Raises:
        DataError: no part is long enough for a window.
    """

    def __init__(
        self,
        parts: Sequence[SeriesPart],
        *,
        history_steps: int,
        horizon_steps: int,
        minimum_history: int | None = None,
    ) -> None:
        self.parts = list(parts)
        self.history_steps, self.horizon_steps = history_steps, horizon_steps
        needed = history_steps if minimum_history is None else minimum_history
        self.first_origins = np.array([max(part.start + (not horizon_steps), needed) for part in self.parts])
        last = np.array([part.stop - horizon_steps for part in self.parts])
        self.counts = np.maximum(last - self.first_origins + 1, 0)
        if not self.counts.sum():
            longest = max((part.stop for part in self.parts), default=0)
            raise DataError(
                self.parts[0].series.source if self.parts else "series",
                f"a window of {needed} + {horizon_steps} rows does not fit: the longest part ends at row {longest:,}",
                "use longer series, a larger share of the time for this split, or shorter windows",
            )
        self.row_offsets = np.cumsum([0, *(part.stop for part in self.parts)])[:-1]
        self.window_ends = np.cumsum(self.counts)
        on_disk = any(isinstance(part.series.values, np.memmap) for part in self.parts)
        with tf.device("CPU"):
            self.tables = {} if on_disk else {name: tf.constant(table) for name, table in self._tables().items()}
            self.static = tf.constant(np.stack([part.series.static for part in self.parts]))

    def __len__(self) -> int:
        """Number of different windows."""
        return int(self.window_ends[-1])

    def _columns(self) -> dict[str, list[Array]]:
        """Column name -> the rows of each part and all before them."""
        columns: dict[str, list[Array]] = {}
        for name in ("values", "known", "categories", "labels", "times"):
            own = [getattr(part.series, name) for part in self.parts]
            if all(column is not None for column in own):
                columns[name] = [column[: part.stop] for column, part in zip(own, self.parts, strict=True)]
        return columns

    def _tables(self) -> Arrays:
        """Column name -> rows of all parts, one behind the other."""
        tables = {}
        for name, columns in self._columns().items():
            table = columns[0] if len(columns) == 1 else np.concatenate(columns)
            tables[name] = _seconds(table) if name == "times" else table
        return tables

    def _rows(self, part: Tensor, rows: Tensor) -> dict[str, Tensor]:
        """Column name -> rows `(batch, steps)` of parts `(batch,)`: of the tables, or of series on disk."""
        if not self.tables:
            return {name: _read_rows(columns, part, rows) for name, columns in self._columns().items()}
        places = tf.gather(self.row_offsets.astype(np.int64), part)[:, None] + rows
        return {name: tf.gather(table, places) for name, table in self.tables.items()}

    def batches(self, *, batch_size: int, seed: int, start_step: int) -> tf.data.Dataset:
        """Endless batches of windows from random places; a batch depends on (seed, step) only.

        Args:
            batch_size: windows of a batch.
            seed: chooses the windows.
            start_step: step of the first batch, at least 0.

        Returns:
            Dataset of dicts as `gather` returns them, with static shapes.
        """
        total, ends = len(self), self.window_ends.astype(np.int64)
        starts = np.concatenate([[0], ends[:-1]])
        firsts = self.first_origins.astype(np.int64)

        def batch(step: Tensor) -> dict[str, Tensor]:
            key = tf.stack([tf.constant(seed, tf.int64), step])
            drawn = tf.random.stateless_uniform(
                (batch_size,), key, minval=0, maxval=total, dtype=tf.int64, alg="philox"
            )
            part = tf.searchsorted(tf.constant(ends), drawn, side="right", out_type=tf.int64)
            origin = tf.gather(firsts, part) + drawn - tf.gather(starts, part)
            return self.gather(part, origin)

        with tf.device("CPU"):
            steps = tf.data.Dataset.counter(start=start_step)
        return steps.map(batch, num_parallel_calls=1).prefetch(4)

    def ordered(self, *, batch_size: int, stride: int = 1) -> tf.data.Dataset:
        """Every window once, or every `stride`-th of each part, in order; the last batch may be smaller.

        Returns:
            Dataset of dicts as `gather` returns them.
        """
        pairs = self.origins(stride=stride)
        dataset = tf.data.Dataset.from_tensor_slices(pairs).batch(batch_size)
        return dataset.map(lambda pair: self.gather(pair[:, 0], pair[:, 1]), num_parallel_calls=1).prefetch(2)

    def origins(self, *, stride: int = 1) -> Array:
        """(part, origin) of the windows that `ordered` yields, int64 `(windows, 2)`."""
        return np.concatenate(
            [
                np.stack([np.full(len(places), part), places], axis=1)
                for part, (first, count) in enumerate(zip(self.first_origins, self.counts, strict=True))
                for places in [np.arange(first, first + count, stride, dtype=np.int64)]
            ]
        )

    def gather(self, part: Tensor, origin: Tensor) -> dict[str, Tensor]:
        """Windows by their origins, in graph or eagerly.

        Args:
            part: int64 `(batch,)`, position in `parts`.
            origin: int64 `(batch,)`, row of the part's series at which the horizon begins.

        Returns:
            {"values": float64 (batch, steps, channels), "known": float64 (batch, steps, covariates), "categories":
            int32 (batch, steps, categorical), "labels": int32 (batch, steps) where there are labels, "times": int64
            seconds since 1970 (batch, steps) where there are times, "static": float64 (batch, features), "valid": bool
            (batch, steps), False before the series began, "part": int64 (batch,), "origin": int64 (batch,)} with
            steps = history_steps + horizon_steps. Rows that are not valid hold NaN, level -1 and label -1.
        """
        steps = self.history_steps + self.horizon_steps
        rows = tf.cast(origin, tf.int64)[:, None] + tf.range(-self.history_steps, self.horizon_steps, dtype=tf.int64)
        valid = rows >= 0
        windows = self._rows(part, tf.maximum(rows, 0))
        for name, missing in _MISSING.items():
            if name in windows:
                shape = valid if windows[name].shape.rank == 2 else valid[..., None]
                windows[name] = tf.where(shape, windows[name], tf.constant(missing, windows[name].dtype))
        batch = origin.shape[0]
        shaped = {name: tf.ensure_shape(table, (batch, steps, *table.shape[2:])) for name, table in windows.items()}
        return {**shaped, "static": tf.gather(self.static, part), "valid": valid, "part": part, "origin": origin}


def _seconds(times: Array) -> Array:
    """datetime64[ns] as whole seconds since 1970, int64."""
    return times.astype(np.int64) // NANOSECONDS


def _read_rows(columns: Sequence[Array], part: Tensor, rows: Tensor) -> Tensor:
    """Rows `(batch, steps)` of parts `(batch,)`, of which each has its table on disk."""
    times = columns[0].dtype.kind == "M"

    def read(parts: Array, places: Array) -> Array:
        found = [np.asarray(columns[number][own]) for number, own in zip(parts.tolist(), places, strict=True)]
        return _seconds(np.stack(found)) if times else np.stack(found)

    found = tf.numpy_function(read, [part, rows], np.int64 if times else columns[0].dtype)
    return tf.ensure_shape(found, (*rows.shape, *columns[0].shape[1:]))


_MISSING: dict[str, float] = {"values": float("nan"), "known": float("nan"), "categories": -1, "labels": -1}
