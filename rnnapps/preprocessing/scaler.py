"""Scaling of channels: fitted on training rows, applied and undone inside the graph, stored as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.types import Array, Tensor

__all__ = ["METHODS", "Method", "Scaler", "centre_and_scale"]

Method = Literal["standard", "robust", "none"]
METHODS = ("standard", "robust", "none")

AT_ONCE = 1 << 20
"""Rows that are looked at together."""


class Scaler:
    """Maps each channel x to (x - centre) / scale; channels are told apart by name.

    NaN stays NaN. A channel that was constant, or never present, has scale 1.

    Args:
        channels: names.
        centre: float64 `(channels,)`.
        scale: float64 `(channels,)`, above 0.
        method: how both were found, for `grow`.

    Raises:
        ValueError: sizes differ, names repeat, or a number is not finite or a scale not above 0.
    """

    def __init__(
        self,
        channels: Sequence[str],
        centre: Array | Sequence[float],
        scale: Array | Sequence[float],
        *,
        method: Method = "standard",
    ) -> None:
        self.channels, self.method = tuple(channels), method
        self.centre, self.scale = np.asarray(centre, np.float64), np.asarray(scale, np.float64)
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("channels repeat a name")
        if not self.centre.shape == self.scale.shape == (len(self.channels),):
            raise ValueError(f"{len(self.channels)} channels need as many centres and scales")
        if not (np.isfinite(self.centre).all() and np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise ValueError("centres and scales must be finite, scales above 0")
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method}")

    @classmethod
    def fit(cls, rows: Iterable[Array], channels: Sequence[str], *, method: Method = "standard") -> Scaler:
        """Learns centre and scale.

        Args:
            rows: arrays `(rows, channels)` of training rows alone, NaN where missing; read twice (three times for
                "robust", which holds one channel of all in memory).
            channels: names of the columns.
            method: "standard": mean and standard deviation; "robust": median and 0.7413 times the interquartile range,
                which is the standard deviation of normal values; "none": 0 and 1.
        """
        centre, scale = centre_and_scale(list(rows), len(channels), method)
        centre, scale = np.where(np.isnan(centre), 0.0, centre), np.where(scale > 0, scale, 1.0)
        return cls(channels, centre, scale, method=method)

    def grow(self, rows: Iterable[Array], channels: Sequence[str]) -> Scaler:
        """A scaler for other channels: known names keep their numbers, new ones are fitted on `rows`."""
        fitted = Scaler.fit(rows, channels, method=self.method)
        columns = {name: column for column, name in enumerate(self.channels)}
        for column, name in enumerate(channels):
            if name in columns:
                fitted.centre[column] = self.centre[columns[name]]
                fitted.scale[column] = self.scale[columns[name]]
        return fitted

    def apply(self, values: Tensor) -> Tensor:
        """Scales `(..., channels)`, in graph or eagerly; returns float32."""
        values = tf.convert_to_tensor(values)
        return tf.cast((values - self._constant(self.centre, values)) / self._constant(self.scale, values), tf.float32)

    def invert(self, values: Tensor) -> Tensor:
        """Undoes `apply`."""
        values = tf.convert_to_tensor(values)
        return values * self._constant(self.scale, values) + self._constant(self.centre, values)

    def apply_array(self, values: Array) -> Array:
        """`apply` with NumPy; returns float32."""
        return ((values - self.centre) / self.scale).astype(np.float32)

    def invert_array(self, values: Array) -> Array:
        """`invert` with NumPy; returns float64."""
        return values * self.scale + self.centre

    def save(self, folder: str | Path, *, name: str = "scaler") -> None:
        """Writes `NAME.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        content = {"method": self.method, "channels": list(self.channels)}
        numbers = {"centre": self.centre.tolist(), "scale": self.scale.tolist()}
        write_json(Path(folder) / f"{name}.json", {**content, **numbers})

    @classmethod
    def load(cls, folder: str | Path, *, name: str = "scaler") -> Scaler:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / f"{name}.json"
        content = read_json(path)
        try:
            return cls(content["channels"], content["centre"], content["scale"], method=content["method"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: is no scaler ({error}); restore the file or train again") from None

    def _constant(self, numbers: Array, values: Tensor) -> Tensor:
        """The numbers in the type of the values they meet."""
        return tf.constant(numbers, values.dtype)


def centre_and_scale(tables: Sequence[Array], channels: int, method: Method) -> tuple[Array, Array]:
    """What `Scaler.fit` finds: centre and scale of each channel, float64 `(channels,)` both.

    Args:
        tables: arrays `(rows, channels)`, NaN where missing.
        channels: number of columns.
        method: see `Scaler.fit`.

    Returns:
        Centres, NaN of a channel that is never present; and scales, 0 of one that is constant or never present.
    """
    centre, scale = np.zeros(channels), np.ones(channels)
    for column in range(channels) if method != "none" else ():
        own = [table[:, column] for table in tables]
        centre[column], scale[column] = _standard(own) if method == "standard" else _robust(own)
    return centre, scale


def _present(column: Array) -> Array:
    """The values that are neither missing nor infinite."""
    return column[np.isfinite(column)]


def _standard(columns: Sequence[Array]) -> tuple[float, float]:
    """Mean and standard deviation in float64, in two passes, some rows after the others."""

    def blocks() -> Iterator[Array]:
        for column in columns:
            for start in range(0, len(column), AT_ONCE):
                yield _present(column[start : start + AT_ONCE])

    count = sum(map(len, blocks()))
    if not count:
        return math.nan, 0.0
    mean = sum(float(block.sum(dtype=np.float64)) for block in blocks()) / count
    squares = sum(float(((block - mean) ** 2).sum(dtype=np.float64)) for block in blocks())
    return mean, _usable(np.sqrt(squares / count), mean)


def _robust(columns: Sequence[Array]) -> tuple[float, float]:
    """Median and 0.7413 times the interquartile range."""
    column = np.concatenate([*map(_present, columns), np.zeros(0)]).astype(np.float64)
    if not len(column):
        return math.nan, 0.0
    low, median, high = np.quantile(column, (0.25, 0.5, 0.75))
    return float(median), _usable(0.7413 * (high - low), median)


def _usable(scale: float, centre: float) -> float:
    """The scale; 0 for a constant, whose deviation is rounding alone, a millionth of a millionth of its level."""
    return float(scale) if scale > 1e-12 * abs(centre) and np.isfinite(scale) else 0.0
