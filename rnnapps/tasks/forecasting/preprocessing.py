"""The features of a forecaster, from its configuration and training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.errors import DataError
from rnnapps.tasks.forecasting.calendar import Calendar, calendar_features
from rnnapps.tasks.forecasting.data.builtin import is_builtin
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.series_features import SeriesFeatures

__all__ = ["fit_features", "grow_features", "known_rules", "reading_config", "row_rules"]

_READING = (
    *("time", "series", "known", "categorical", "static", "timezone", "time_format"),
    *("irregular", "frequency", "duplicates", "separator", "decimal", "missing"),
)
"""Settings of the data that say how a table is read, as opposed to where it is and how it is split."""

RULES = "rules"
"""Beside them, what reading the training data showed, see `Series.rules`."""


def fit_features(data: SeriesDataConfig, model: ForecastModelConfig, parts: Sequence[SeriesPart]) -> SeriesFeatures:
    """Learns scales and levels from training parts.

    Args:
        data: how tables are read, and the season.
        model: distribution, calendar and the history that is needed.
        parts: training parts.

    Raises:
        DataError: counts are negative, for a distribution of counts.
    """
    first = parts[0].series
    frequencies = {part.series.frequency for part in parts}
    same = len(frequencies) == 1 and first.frequency is not None
    names = calendar_features(first.frequency) if same and model.calendar == "auto" else ()
    calendar = Calendar.make(first.timezone, names) if names and first.times is not None else None
    counts = model.distribution == "negative_binomial"
    if counts:
        for part in parts:
            _require_counts(part)
    return SeriesFeatures.fit(
        parts,
        calendar=calendar,
        season_steps=data.season_steps,
        reading=_reading(data, first),
        needed_history=model.needed_history,
        method="none" if counts else "standard",
    )


def grow_features(
    features: SeriesFeatures, data: SeriesDataConfig, model: ForecastModelConfig, parts: Sequence[SeriesPart]
) -> SeriesFeatures:
    """The features of a source model for other series: what it knows by name keeps its scale and place.

    Args:
        features: those of the source.
        data: how the new tables are read.
        model: the history that is needed.
        parts: training parts of the new data.
    """
    return features.grow(parts, reading=_reading(data, parts[0].series), needed_history=model.needed_history)


def reading_config(features: SeriesFeatures, source: str) -> SeriesDataConfig:
    """The configuration that reads another table as the training data was read."""
    kept = [(name, features.reading[name]) for name in _READING if name in features.reading]
    reading: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept}
    channels = () if is_builtin(source) else features.scaler.channels
    return SeriesDataConfig(source=source, channels=channels, **reading)


def row_rules(features: SeriesFeatures, source: str, *, longest_gap: int) -> RowRules:
    """How rows of a stream are written and follow each other.

    Args:
        features: what the model knows.
        source: what the rows come from.
        longest_gap: missing rows that are filled in.
    """
    return RowRules(
        reading_config(features, source),
        features.scaler.channels,
        known_rules(features),
        needs_time=features.calendar is not None,
        longest_gap=longest_gap,
        step=features.frequency,
    )


def known_rules(features: SeriesFeatures) -> dict[str, str]:
    """How the cells of the training data were written, see `Series.rules`."""
    return dict(features.reading.get(RULES, {}))


def _reading(data: SeriesDataConfig, first: Series) -> dict[str, Any]:
    """Those settings, and what was found where they leave it open, as JSON can hold them."""
    settings = {name: getattr(data, name) for name in _READING}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
    return {**plain, RULES: dict(first.rules)}


def _require_counts(part: SeriesPart) -> None:
    """Raises DataError for the first value that is negative or no whole number."""
    values = part.rows().values
    wrong = (values < 0) | (values != values.round())
    wrong &= values == values  # a missing value is no wrong one
    if wrong.any():
        row, column = (int(number) for number in zip(*wrong.nonzero(), strict=True).__next__())
        problem = f"series {part.series.name!r}, row {row + 1}, column {part.series.channels[column]!r}: "
        problem += f"{values[row, column]} is no count"
        raise DataError(part.series.source, problem, "use --model.distribution gaussian, student_t or quantiles")
