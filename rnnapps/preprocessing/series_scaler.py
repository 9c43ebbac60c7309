"""A scale for each series and channel, so that what a series is measured in decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.scaler import METHODS, Method, centre_and_scale
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.types import Array, Tensor

__all__ = ["SeriesScaler"]


class SeriesScaler:
    """Maps each channel x of each series to (x - centre) / unit; series and channels are told apart by name.

    Row 0 of the tables is that of all series together, for a series that training did not see; row n is that of the
    n-th known series. The difference is taken in float64 and only then cast, so that float32 need not hold the level of
    a series beside its changes. NaN stays NaN.

    Args:
        series: names of the known series.
        channels: names of the channels.
        centre: float64 `(1 + series, channels)`.
        scale: float64 `(1 + series, channels)`, 0 where a series is constant.
        method: how both were found, for `grow`.

    Raises:
        ValueError: sizes differ, names repeat, or a number is not finite or a scale is below 0.
    """

    def __init__(
        self,
        series: Sequence[str],
        channels: Sequence[str],
        centre: Array | Sequence[Sequence[float]],
        scale: Array | Sequence[Sequence[float]],
        *,
        method: Method = "standard",
    ) -> None:
        self.series, self.channels, self.method = tuple(series), tuple(channels), method
        self.centre, self.scale = np.asarray(centre, np.float64), np.asarray(scale, np.float64)
        for kind, names in (("series", self.series), ("channels", self.channels)):
            if len(set(names)) != len(names):
                raise ValueError(f"{kind} repeat a name")
        shape = (1 + len(self.series), len(self.channels))
        if not self.centre.shape == self.scale.shape == shape:
            raise ValueError(f"{shape[0] - 1} series of {shape[1]} channels need tables of {shape[0]} rows")
        if not (np.isfinite(self.centre).all() and np.isfinite(self.scale).all() and (self.scale >= 0).all()):
            raise ValueError("centres and scales must be finite, scales at least 0")
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method}")

    @classmethod
    def fit(cls, rows: Mapping[str, Array], channels: Sequence[str], *, method: Method = "standard") -> SeriesScaler:
        """Learns centre and scale of each series by itself, and of all together.

        Args:
            rows: name of each series -> its training rows `(rows, channels)`, NaN where missing.
            channels: names of the columns.
            method: see `Scaler.fit`.
        """
        tables = [list(rows.values()), *([table] for table in rows.values())]
        fitted = [centre_and_scale(table, len(channels), method) for table in tables]
        centre, scale = (np.stack(column) for column in zip(*fitted, strict=True))
        # A channel that a series never had is that of all series; one that no series had stays as it is.
        absent = np.isnan(centre)
        scale = np.where(absent, scale[:1], scale)
        centre = np.nan_to_num(np.where(absent, centre[:1], centre))
        return cls(tuple(rows), channels, centre, scale, method=method)

    def grow(self, rows: Mapping[str, Array], channels: Sequence[str]) -> SeriesScaler:
        """A scaler for other series and channels: known series stay, and keep the numbers of channels known by name.

        Args:
            rows: as for `fit`; what is not known is fitted on them.
            channels: names of their columns.
        """
        new = SeriesScaler.fit(rows, channels, method=self.method)
        series = tuple(dict.fromkeys((*self.series, *new.series)))
        centre, scale = (
            np.stack([table[new.row_of(name)] for name in ("", *series)]) for table in (new.centre, new.scale)
        )
        for column, channel in enumerate(channels):
            if channel in self.channels:
                known, own = slice(0, 1 + len(self.series)), self.channels.index(channel)
                centre[known, column], scale[known, column] = self.centre[:, own], self.scale[:, own]
        return SeriesScaler(series, channels, centre, scale, method=self.method)

    @property
    def unit(self) -> Array:
        """What values are divided by: the scale; of a constant its level, or 1. Float64 `(1 + series, channels)`."""
        level = np.abs(self.centre)
        return np.where(self.scale > 0, self.scale, np.where(level > 0, level, 1.0))

    def ids(self, names: Tensor) -> Tensor:
        """Names, or these numbers, `(batch,)` -> int32 rows of the tables, 0 for a series that training did not see."""
        if names.dtype != tf.string:
            return tf.cast(names, tf.int32)
        same = tf.equal(names[:, None], tf.constant(["", *self.series], tf.string)[None, :])
        return tf.cast(tf.argmax(tf.cast(same, tf.int32), axis=1), tf.int32)

    def apply(self, values: Tensor, ids: Tensor) -> Tensor:
        """Scales `(batch, ..., channels)` of series `(batch,)`, in graph or eagerly; returns float32."""
        values = tf.cast(values, tf.float64)
        return tf.cast((values - self._rows(self.centre, ids, values)) / self._rows(self.unit, ids, values), tf.float32)

    def invert(self, values: Tensor, ids: Tensor) -> Tensor:
        """Undoes `apply`; returns float64."""
        values = tf.cast(values, tf.float64)
        return values * self._rows(self.unit, ids, values) + self._rows(self.centre, ids, values)

    def apply_array(self, values: Array, series: str) -> Array:
        """`apply` to rows `(..., channels)` of one series with NumPy; returns float32."""
        row = self.row_of(series)
        scaled: Array = ((values.astype(np.float64) - self.centre[row]) / self.unit[row]).astype(np.float32)
        return scaled

    def save(self, folder: str | Path, *, name: str = "scaler") -> None:
        """Writes `NAME.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        names = {"method": self.method, "series": list(self.series), "channels": list(self.channels)}
        write_json(
            Path(folder) / f"{name}.json", {**names, "centre": self.centre.tolist(), "scale": self.scale.tolist()}
        )

    @classmethod
    def load(cls, folder: str | Path, *, series: Sequence[str] = (), name: str = "scaler") -> SeriesScaler:
        """Reads what `save` wrote.

        Args:
            folder: where the file is.
            series: names of the series for a file of `Scaler`, from before each series had a scale of its own.
            name: of the file.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / f"{name}.json"
        content = read_json(path)
        try:
            tables = [np.asarray(content[table], np.float64) for table in ("centre", "scale")]
            if "series" not in content:
                tables = [np.tile(table, (1 + len(series), 1)) for table in tables]
            return cls(content.get("series", series), content["channels"], *tables, method=content["method"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: is no scaler ({error}); restore the file or train again") from None

    def row_of(self, series: str) -> int:
        """The row of a series in the tables."""
        return self.series.index(series) + 1 if series in self.series else 0

    def _rows(self, table: Array, ids: Tensor, values: Tensor) -> Tensor:
        """A table's row of each series, in a shape that meets values `(batch, ..., channels)`."""
        if (table == table[0]).all():
            return tf.constant(table[0])
        rows = tf.gather(tf.constant(table), ids)
        between = [1] * (len(values.shape) - 2)
        return tf.reshape(rows, [tf.shape(rows)[0], *between, len(self.channels)])
