"""The features of a forecaster, from its configuration and training rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.series import Series, SeriesPart, SplitSeries
from rnnapps.errors import ConfigError, DataError, RnnappsError
from rnnapps.tasks.forecasting.calendar import Calendar, calendar_features, tells_days
from rnnapps.tasks.forecasting.data.builtin import is_builtin
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig, Values
from rnnapps.tasks.forecasting.public_holidays import PublicHolidays
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import split_source

__all__ = ["fit_features", "grow_features", "known_rules", "own_data", "reading_config", "row_rules"]

_READING = (
    *("time", "series", "known", "categorical", "static", "timezone", "time_format"),
    *("irregular", "absent_rows", "frequency", "duplicates", "separator", "decimal", "missing"),
    *("table", "query", "header_lines", "autumn_hour"),
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
        DataError: values are such as `model.values` or a distribution of counts rules out.
        ConfigError: holidays are wanted of a place that is not known, or of rows without days.
    """
    counts = model.distribution == "negative_binomial"
    for part in parts:
        _require_values(part, "counts" if counts else model.values)
    features = SeriesFeatures.fit(
        parts,
        calendar=_calendar(model, parts),
        season_steps=data.season_steps,
        reading=_reading(data, parts[0].series),
        needed_history=model.needed_history,
        method="none" if counts else "standard",
    )
    return dataclasses.replace(
        features,
        source=_as_json(dataclasses.asdict(data)),
        values=model.values,
        second_season_steps=data.second_season_steps,
    )


def _calendar(model: ForecastModelConfig, parts: Sequence[SeriesPart]) -> Calendar | None:
    """What the model sees of the rows' times; None for nothing."""
    first, same = parts[0].series, len({part.series.frequency for part in parts}) == 1
    frequency = first.frequency if same and first.times is not None else None
    if model.holidays and not tells_days(frequency):
        raise ConfigError(
            f"model.holidays {model.holidays}: rows must be a day or less apart, and have times; here "
            f"{f'they are {frequency} apart' if frequency else 'they have none, or differ from series to series'}; "
            "leave it out"
        )
    names = calendar_features(frequency) if model.calendar == "auto" else ()
    holidays = PublicHolidays.of(model.holidays) if model.holidays else None
    return Calendar.make(first.timezone, names, holidays) if names or holidays else None


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
    grown = features.grow(parts, reading=_reading(data, parts[0].series), needed_history=model.needed_history)
    return dataclasses.replace(grown, source=_as_json(dataclasses.asdict(data)))


def reading_config(features: SeriesFeatures, source: str) -> SeriesDataConfig:
    """The configuration that reads another table as the training data was read."""
    reading = _from_json({name: features.reading[name] for name in _READING if name in features.reading})
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


def own_data(features: SeriesFeatures, data: SeriesDataConfig) -> tuple[SplitSeries | None, str]:
    """What a model was trained on, where it is to be scored on another source.

    Args:
        features: those of the model.
        data: what is scored.

    Returns:
        The series of the run, for baselines to learn from as the model did; None where they are those that are scored,
        or cannot be read any more. And what a reader of the scores must know.
    """
    own = str(features.source.get("source", data.source))
    if own == data.source:
        return None, ""
    told = f"these are scores of {data.source}; the model was trained on {own}"
    try:
        splits = split_source(SeriesDataConfig(**_from_json(features.source)))
    except RnnappsError:
        return None, f"{told}, which cannot be read any more, so the baselines learned from rows of {data.source}"
    return splits.parts, f"{told}, and so were the baselines"


def _reading(data: SeriesDataConfig, first: Series) -> dict[str, Any]:
    """Those settings, and what was found where they leave it open, as JSON can hold them."""
    return {**_as_json({name: getattr(data, name) for name in _READING}), RULES: dict(first.rules)}


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them: tuples become lists."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}


def _from_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `_as_json`."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}


def _require_values(part: SeriesPart, kind: Values) -> None:
    """Raises DataError for the first value that is negative, or of counts no whole number."""
    if kind == "any":
        return
    values = part.rows().values
    wrong = values < 0
    if kind == "counts":
        wrong |= (values != values.round()) & (values == values)  # a missing value is no wrong one
    if wrong.any():
        row, column = (int(number) for number in zip(*wrong.nonzero(), strict=True).__next__())
        problem = f"series {part.series.name!r}, row {row + 1}, column {part.series.channels[column]!r}: "
        problem += f"{values[row, column]} is {'no count' if kind == 'counts' else 'below 0'}"
        remedy = "use --model.distribution gaussian, student_t or quantiles, and --model.values any"
        raise DataError(part.series.source, problem, remedy)
