"""Rows of sensors as a network reads them: scaled, with what is missing marked, and the time as calendar features."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.local_clock import LocalClock
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.anomaly_detection.silence import longest_gaps
from rnnapps.types import Array, Tensor

__all__ = ["SensorRows"]

CALENDAR_HARMONICS = 3
CALENDAR_FEATURES = 4 * CALENDAR_HARMONICS
FURTHEST = 1e4
DAY_SECONDS, WEEK_SECONDS = 86_400, 604_800


@dataclasses.dataclass(frozen=True)
class SensorRows:
    """What a detector knows of its channels and series.

    Attributes:
        scaler: centre and scale of each channel of each series, from training rows.
        targets: names of the watched channels.
        series: names of the known series; group 0 is that of all others.
        calendar: whether the time is an input.
        row_seconds: usual time from one row to the next, in seconds; 0 when rows have no times.
        reading: how tables were read, as JSON values, so that others can be read alike.
        clock: that of the time zone whose calendar is read; None for UTC.
        longest_gaps: rows of the longest silence of each channel in training; none when empty.
        longest_silence: rows of the longest silence of all channels together in training.
    """

    scaler: SeriesScaler
    targets: tuple[str, ...]
    series: tuple[str, ...]
    calendar: bool = False
    row_seconds: float = 0.0
    reading: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    clock: LocalClock | None = None
    longest_gaps: tuple[int, ...] = ()
    longest_silence: int = 0

    @classmethod
    def fit(
        cls,
        rows: Mapping[str, Array],
        channels: Sequence[str],
        *,
        targets: Sequence[str],
        series: Sequence[str],
        calendar: bool,
        row_seconds: float,
        method: Literal["standard", "robust", "none"] = "standard",
        reading: Mapping[str, Any] | None = None,
        clock: LocalClock | None = None,
    ) -> SensorRows:
        """Learns the scales from the training rows of each series `(rows, channels)`, NaN where missing.

        Where no series is to be known by name, as with the customers of payments, all have one scale.
        """
        scaler = _of_known(SeriesScaler.fit(_by_name(rows, series), channels, method=method), series)
        gaps, silence = longest_gaps(list(rows.values()))
        return cls(
            scaler,
            tuple(targets),
            tuple(series),
            calendar,
            row_seconds,
            reading=dict(reading or {}),
            clock=clock,
            longest_gaps=gaps,
            longest_silence=silence,
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the measured channels."""
        return self.scaler.channels

    @property
    def calendar_features(self) -> int:
        """Number of calendar features."""
        return CALENDAR_FEATURES if self.calendar else 0

    @property
    def usual_gaps(self) -> tuple[int, ...]:
        """Rows of the longest silence of each channel in training."""
        return self.longest_gaps or (0,) * len(self.channels)

    @property
    def target_places(self) -> list[int]:
        """Places of the watched channels among all."""
        return [self.channels.index(name) for name in self.targets]

    def group(self, series: str) -> int:
        """The number of a series, 0 for one the model does not know."""
        return self.series.index(series) + 1 if series in self.series else 0

    def grow(
        self, rows: Mapping[str, Array], channels: Sequence[str], *, series: Sequence[str], **changes: Any
    ) -> SensorRows:
        """Known channels of known series keep their scales; others, and usual silences, are learned from `rows`."""
        gaps, silence = longest_gaps(list(rows.values()))
        scaler = _of_known(self.scaler.grow(_by_name(rows, series), channels), series)
        known = {"scaler": scaler, "longest_gaps": gaps, "longest_silence": silence, "series": tuple(series)}
        return dataclasses.replace(self, **{**known, **changes})

    def scale(self, rows: Tensor, series: Tensor, present: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Raw rows `(batch, time, channels)`, NaN where missing -> scaled values with 0 there, and 1 where present.

        Values further than 10,000 deviations from the centre count as that far, so that squares stay finite.

        Args:
            rows: float64, so that what changes is not lost behind the level of a series.
            series: numbers of `group` `(batch,)`.
            present: bool, the values that are there, among those that are finite; by default all of these.
        """
        present = tf.math.is_finite(rows) if present is None else present
        safe = tf.where(present, rows, tf.zeros_like(rows))
        places = [0, *(self.scaler.series.index(name) + 1 for name in self.series)]
        scaled = self.scaler.apply(safe, tf.gather(tf.constant(places), series))
        scaled = tf.clip_by_value(scaled, -FURTHEST, FURTHEST)
        return tf.where(present, scaled, tf.zeros_like(scaled)), tf.cast(present, tf.float32)

    def scale_array(self, rows: Array, series: str) -> tuple[Array, Array]:
        """`scale` with NumPy, of rows `(rows, channels)` of one series."""
        present = np.isfinite(rows)
        scaled = np.clip(self.scaler.apply_array(np.where(present, rows, 0.0), series), -FURTHEST, FURTHEST)
        return np.where(present, scaled, 0.0).astype(np.float32), present.astype(np.float32)

    def calendar_of(self, seconds: Tensor) -> Tensor:
        """Unix times in seconds, int64 `(...)` -> sines, cosines of local day and week, float32 `(..., features)`."""
        seconds = seconds if self.clock is None else self.clock.local(seconds)
        parts = []
        for period in (DAY_SECONDS, WEEK_SECONDS):
            phase = tf.cast(tf.math.floormod(seconds, period), tf.float32) * (2 * np.pi / period)
            for harmonic in range(1, CALENDAR_HARMONICS + 1):
                parts += [tf.sin(harmonic * phase), tf.cos(harmonic * phase)]
        return tf.stack(parts, axis=-1)

    def save(self, folder: Path) -> None:
        """Writes `scaler.json` and `rows.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        self.scaler.save(folder)
        names = {"targets": list(self.targets), "series": list(self.series), "reading": dict(self.reading)}
        clock = {} if self.clock is None else {"clock": self.clock.as_json()}
        gaps = {"longest_gaps": list(self.usual_gaps), "longest_silence": self.longest_silence}
        times = {"calendar": self.calendar, "row_seconds": self.row_seconds, **clock}
        write_json(folder / "rows.json", {**names, **times, **gaps})

    @classmethod
    def load(cls, folder: Path) -> SensorRows:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: a file is missing or broken.
        """
        content = read_json(folder / "rows.json")
        try:
            targets, series = tuple(content["targets"]), tuple(content["series"])
            calendar, seconds = bool(content["calendar"]), float(content["row_seconds"])
            clock = LocalClock.from_json(content["clock"]) if "clock" in content else None
            gaps, silence = tuple(map(int, content.get("longest_gaps", ()))), int(content.get("longest_silence", 0))
            scaler, reading = SeriesScaler.load(folder, series=series), dict(content["reading"])
            return cls(scaler, targets, series, calendar, seconds, reading, clock, gaps, silence)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{folder / 'rows.json'}: is damaged ({error}); train again") from None


def _by_name(rows: Mapping[str, Array], series: Sequence[str]) -> dict[str, Array]:
    """The rows of the series that are to be known; of all together where none is."""
    return {name: rows[name] for name in series} or {"": np.concatenate(list(rows.values()))}


def _of_known(scaler: SeriesScaler, series: Sequence[str]) -> SeriesScaler:
    """The scaler of known series, and of all others together."""
    if series:
        return scaler
    return SeriesScaler((), scaler.channels, scaler.centre[:1], scaler.scale[:1], method=scaler.method)
