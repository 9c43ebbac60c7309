"""Raw rows of series to what a forecaster reads, with the same operations for training and in the exported graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.scaler import Scaler
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.forecasting.calendar import Calendar
from rnnapps.tasks.forecasting.forecast_config import Values
from rnnapps.tasks.forecasting.window_units import WindowUnits, read_units
from rnnapps.types import Array, NamedTensors, Tensor, Tensors

__all__ = ["LARGEST", "SeriesFeatures"]

FILE_NAME = "series.json"
LARGEST = 3.4e38
"""Served values beyond this are missing, as they are refused in tables: their squares must be finite."""


@dataclass(frozen=True)
class SeriesFeatures:
    """What a forecaster knows of its series: names, scales, levels and the calendar, all from training rows.

    Attributes:
        scaler: of each known series and channel; its row 0 stands for any other series.
        known: scaler of the covariates known ahead.
        static: scaler of the static numbers.
        categories: name of each categorical column, and its levels.
        static_texts: name of each static text, and its values.
        calendar: the calendar features; None without times.
        frequency: distance of the rows; None without times, or when it differs from series to series.
        season_steps: rows of a season; 0 for what is usual for a series's frequency.
        reading: settings with which a table of rows is read, such as the names of its columns.
        needed_history: rows that must exist before a forecast.
        source: settings of the data it all was learned from; empty where that is not known.
        values: which numbers a forecast may hold, see `ForecastModelConfig.values`.
        second_season_steps: rows of a longer season beside that of `season_steps`; 0 for none.
    """

    scaler: SeriesScaler
    known: Scaler
    static: Scaler
    categories: dict[str, tuple[str, ...]]
    static_texts: dict[str, tuple[str, ...]]
    calendar: Calendar | None
    frequency: Frequency | None
    season_steps: int
    reading: Mapping[str, Any] = field(default_factory=dict)
    needed_history: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)
    values: Values = "any"
    second_season_steps: int = 0

    @classmethod
    def fit(
        cls,
        parts: Sequence[SeriesPart],
        *,
        calendar: Calendar | None,
        season_steps: int,
        reading: Mapping[str, Any],
        needed_history: int,
        method: Literal["standard", "robust", "none"] = "standard",
    ) -> SeriesFeatures:
        """Learns from the rows of training parts alone."""
        rows = [part.rows() for part in parts]
        first = rows[0]
        static = np.stack([part_rows.static for part_rows in rows])
        return cls(
            scaler=SeriesScaler.fit(_values(rows), first.channels, method=method),
            known=Scaler.fit([part_rows.known for part_rows in rows], first.known_names),
            static=Scaler.fit([static], first.static_names),
            categories={name: _levels(rows, column) for column, name in enumerate(first.category_names)},
            static_texts={
                name: tuple(sorted({part_rows.static_texts[column] for part_rows in rows}))
                for column, name in enumerate(first.static_text_names)
            },
            calendar=calendar,
            frequency=first.frequency if len({part_rows.frequency for part_rows in rows}) == 1 else None,
            season_steps=season_steps,
            reading=reading,
            needed_history=needed_history,
        )

    def grow(self, parts: Sequence[SeriesPart], *, reading: Mapping[str, Any], needed_history: int) -> SeriesFeatures:
        """Features for other series: known names keep their scales and places, new ones are learned and added."""
        new = SeriesFeatures.fit(
            parts,
            calendar=self.calendar,
            season_steps=self.season_steps,
            reading=reading,
            needed_history=needed_history,
        )
        rows = [part.rows() for part in parts]
        return dataclasses.replace(
            new,
            values=self.values,
            second_season_steps=self.second_season_steps,
            scaler=self.scaler.grow(_values(rows), rows[0].channels),
            known=self.known.grow([part_rows.known for part_rows in rows], rows[0].known_names),
            static=self.static.grow([np.stack([part_rows.static for part_rows in rows])], rows[0].static_names),
            categories=_merged(self.categories, new.categories),
            static_texts=_merged(self.static_texts, new.static_texts),
        )

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the known series."""
        return self.scaler.series

    def season(self, series: Series) -> int:
        """Rows of a season of a series; 1 for none."""
        return self.season_steps or (series.frequency.season_steps if series.frequency else 1)

    @property
    def covariate_size(self) -> int:
        """Columns of the covariates, which are known for history and horizon."""
        levels = sum(map(len, self.categories.values()))
        return 2 * len(self.known.channels) + levels + (self.calendar.size if self.calendar else 0)

    @property
    def static_size(self) -> int:
        """Columns of the static features."""
        return len(self.static.channels) + sum(map(len, self.static_texts.values()))

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the covariate columns, for fine-tuning to match them."""
        known = [f"{kind} {name}" for kind in ("value", "present") for name in self.known.channels]
        levels = [f"{name} is {level}" for name, column in self.categories.items() for level in column]
        return (*known, *levels, *(self.calendar.names if self.calendar else ()))

    @property
    def static_feature_names(self) -> tuple[str, ...]:
        """Names of the static columns."""
        texts = [f"{name} is {value}" for name, column in self.static_texts.items() for value in column]
        return (*(f"static {name}" for name in self.static.channels), *texts)

    def error_unit(self, series: Series) -> Array:
        """What errors of a series are measured in, float64 `(channels,)`: the deviation of its training rows.

        For a series that training did not see, the deviation of all its rows.
        """
        known = len(self.series) == 1 or series.name in self.series
        own = self.scaler if known else SeriesScaler.fit({series.name: series.values}, series.channels)
        unit: Array = own.unit[own.series.index(series.name) + 1 if series.name in own.series else 1]
        return unit

    def read(self, values: Tensor, ids: Tensor, *, own_units: bool) -> tuple[dict[str, Tensor], WindowUnits]:
        """Raw histories as the network reads them.

        Args:
            values: `(batch, history, channels)`, NaN where missing.
            ids: int32 `(batch,)`, ids of their series.
            own_units: measure each window in units of its own, see `read_units`.

        Returns:
            {"history": 0 where missing, "present": 1 where present}, float32 of that shape; and their units.
        """
        values = tf.cast(values, tf.float64)
        present = tf.abs(values) <= LARGEST
        values = tf.where(present, values, tf.zeros_like(values))
        units = read_units(values, present, ids, scaler=self.scaler, own=own_units)
        flags = tf.cast(present, tf.float32)
        return {"history": units.apply(values) * flags, "present": flags}, units

    def in_data_units(self, outputs: NamedTensors, units: WindowUnits) -> dict[str, Tensor]:
        """A network's forecasts in the units of the data, and as numbers that these can be.

        Args:
            outputs: {"mean": `(batch, horizon, channels)`, "quantiles": `(batch, horizon, channels, quantiles)`}.
            units: those of the windows.

        Returns:
            The same in float64; of counts the quantiles are whole, the mean need not be.
        """
        mean, quantiles = units.invert(outputs["mean"]), units.invert_quantiles(outputs["quantiles"])
        if self.values != "any":
            mean, quantiles = tf.maximum(mean, 0.0), tf.maximum(quantiles, 0.0)
        if self.values == "counts":
            quantiles = tf.round(quantiles)
        return {"mean": mean, "quantiles": quantiles}

    def covariates(self, known: Tensor | None, levels: Sequence[Tensor], local: Tensor | None) -> Tensor:
        """One table of all covariates.

        Args:
            known: raw numbers `(batch, rows, covariates)`, NaN where missing.
            levels: for each categorical column an indicator float32 `(batch, rows, levels)`.
            local: local seconds int64 `(batch, rows)`; ignored without a calendar.

        Returns:
            float32 `(batch, rows, covariate_size)`.
        """
        parts = [*_masked(self.known, known)] if self.known.channels else []
        parts += [tf.cast(indicator, tf.float32) for indicator in levels]
        if self.calendar and self.calendar.size:
            parts.append(self.calendar.encode(local))
        return tf.concat(parts, axis=-1)

    def level_indicators(self, texts: Tensor) -> Tensors:
        """Categories `(batch, rows, categorical)` -> an indicator for each column, zeros for unknown levels.

        They are texts, or numbers of levels from 1 on.
        """
        return [_indicator(texts[..., column], levels) for column, levels in enumerate(self.categories.values())]

    def static_features(self, numbers: Tensor, texts: Tensor) -> Tensor:
        """Static numbers `(batch, numbers)` and texts `(batch, texts)` -> float32 `(batch, static_size)`.

        Instead of texts there may be their numbers, from 1 on.
        """
        parts = [_masked(self.static, numbers)[0]] if self.static.channels else []
        parts += [_indicator(texts[:, column], values) for column, values in enumerate(self.static_texts.values())]
        return tf.concat(parts, axis=-1)

    def series_ids(self, names: Tensor) -> Tensor:
        """Names `(batch,)` -> int32 ids, 0 for a series that training did not see.

        A model of a single series takes every name for that series: the same one goes on in files of other names.
        """
        return self.scaler.ids(names) if len(self.series) > 1 else tf.ones_like(names, tf.int32)

    def network_inputs(
        self, window: NamedTensors, parts: Sequence[SeriesPart], history_steps: int, *, own_units: bool
    ) -> tuple[dict[str, Tensor], WindowUnits]:
        """A batch of `StoredSeries.gather` as the network's inputs.

        Args:
            window: the batch.
            parts: the parts it was gathered from.
            history_steps: rows of the history.
            own_units: see `read`.

        Returns:
            {"history", "present": float32 (batch, history, channels), "covariates": float32 (batch, history + horizon,
            covariate_size), "static": float32 (batch, static_size), "series": int32 (batch,)}; what is empty is left
            out, but for the first two and "series". And the units of the histories.
        """
        known_ids = self.series_ids(tf.constant([part.series.name for part in parts]))
        ids = tf.gather(known_ids, window["part"])
        inputs, units = self.read(window["values"][:, :history_steps], ids, own_units=own_units)
        if self.covariate_size:
            local = self.calendar.local(window["times"]) if self.calendar and "times" in window else None
            levels = self._window_levels(window["categories"], parts[0].series)
            known = self.covariates(window["known"], levels, local)
            inputs["covariates"] = known * tf.cast(window["valid"], tf.float32)[..., None]
        if self.static_size:
            texts = np.array([part.series.static_texts for part in parts], dtype=object).reshape(len(parts), -1)
            table = self.static_features(
                tf.constant(np.stack([part.series.static for part in parts])), tf.constant(texts, tf.string)
            )
            inputs["static"] = tf.gather(table, window["part"])
        return {**inputs, "series": ids}, units

    def _window_levels(self, codes: Tensor, series: Series) -> Tensors:
        """Indicators from the level numbers of a source, which may have other levels than training had."""
        indicators = []
        for number, (levels, own) in enumerate(zip(self.categories.values(), series.category_levels, strict=True)):
            # The source's number of a level -> ours, -1 for one that training did not see; the last entry is for -1.
            table = np.array([*(levels.index(level) if level in levels else -1 for level in own), -1], np.int32)
            column = codes[..., number]
            ids = tf.gather(tf.constant(table), tf.where(column < 0, len(own), column))
            indicators.append(tf.one_hot(ids, len(levels)))
        return indicators

    def save(self, folder: Path) -> None:
        """Writes `series.json`, `scaler.json`, `known.json` and `static.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        for scaler, name in ((self.scaler, "scaler"), (self.known, "known"), (self.static, "static")):
            scaler.save(folder, name=name)
        content = {
            "categories": {name: list(levels) for name, levels in self.categories.items()},
            "static_texts": {name: list(values) for name, values in self.static_texts.items()},
            "calendar": self.calendar.as_json() if self.calendar else None,
            "frequency": [self.frequency.count, self.frequency.unit] if self.frequency else None,
            "season_steps": self.season_steps,
            "reading": dict(self.reading),
            "needed_history": self.needed_history,
            "source": dict(self.source),
            **({} if self.values == "any" else {"values": self.values}),
            **({"second_season_steps": self.second_season_steps} if self.second_season_steps else {}),
        }
        write_json(folder / FILE_NAME, content)

    @classmethod
    def load(cls, folder: Path) -> SeriesFeatures:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: a file is missing or broken.
        """
        content = read_json(folder / FILE_NAME)
        try:
            return cls(
                scaler=SeriesScaler.load(folder, series=content.get("series", ())),
                known=Scaler.load(folder, name="known"),
                static=Scaler.load(folder, name="static"),
                categories={name: tuple(levels) for name, levels in content["categories"].items()},
                static_texts={name: tuple(values) for name, values in content["static_texts"].items()},
                calendar=Calendar.from_json(content["calendar"]) if content["calendar"] else None,
                frequency=Frequency(*content["frequency"]) if content["frequency"] else None,
                season_steps=int(content["season_steps"]),
                reading=dict(content["reading"]),
                needed_history=int(content["needed_history"]),
                source=dict(content.get("source", {})),
                values=content.get("values", "any"),
                second_season_steps=int(content.get("second_season_steps", 0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"{folder / FILE_NAME}: is damaged ({error}); restore it or train again") from None


def _indicator(given: Tensor, words: Sequence[str]) -> Tensor:
    """Texts, or the numbers of `words` from 1 on, `(...)` -> float32 `(..., words)`."""
    known = tf.constant(list(words), tf.string) if given.dtype == tf.string else tf.range(1, len(words) + 1)
    return tf.cast(tf.equal(given[..., None], known), tf.float32)


def _masked(scaler: Scaler, values: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled values, 0 where missing, and 1.0 where present; NaN is taken out first, so that none gets anywhere."""
    present = tf.math.is_finite(values)
    scaled = scaler.apply(tf.where(present, values, tf.zeros_like(values)))
    return tf.where(present, scaled, tf.zeros_like(scaled)), tf.cast(present, tf.float32)


def _values(rows: Sequence[Series]) -> dict[str, Array]:
    """Name -> values of each series; of several stretches of one, all of them."""
    names = dict.fromkeys(part_rows.name for part_rows in rows)
    return {name: np.concatenate([part.values for part in rows if part.name == name]) for name in names}


def _levels(rows: Sequence[Series], column: int) -> tuple[str, ...]:
    """Levels that occur in the rows, in their order."""
    seen = set().union(*(set(np.unique(part_rows.categories[:, column]).tolist()) for part_rows in rows))
    return tuple(level for number, level in enumerate(rows[0].category_levels[column]) if number in seen)


def _merged(old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The levels of the new names: those of the old, in their places, then those that are new."""
    return {name: tuple(dict.fromkeys((*old.get(name, ()), *levels))) for name, levels in new.items()}
