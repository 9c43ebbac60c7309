"""What was understood of series to forecast, and what usually ruins a forecast."""

from __future__ import annotations

import dataclasses

from rnnapps.config import TrainingConfig
from rnnapps.contract.data_report import Caution, DataReport, Suggestion
from rnnapps.data.look.tables import LONGER_PERIOD, PERIOD, look_at_series
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.printable import name_list
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.splits import SeriesSplits, split_source

__all__ = ["look_at_history"]

MOST_HISTORY = 512
"""Rows that are proposed to look back on, at most."""


def look_at_history(
    data: SeriesDataConfig, model: ForecastModelConfig, training: TrainingConfig, given: object = None
) -> DataReport:
    """Describes series; raises DataError as `split_source` does."""
    splits = split_source(data, given)
    report = look_at_series(splits.parts, data, splits.source, skipped=splits.skipped)
    return dataclasses.replace(
        report,
        cautions=[*report.cautions, *_room(splits, model)],
        suggestions=[*report.suggestions, *_windows(report, model)],
        costs={**report.costs, "windows that training reads": training.steps * training.batch_size},
    )


def _room(splits: SeriesSplits, model: ForecastModelConfig) -> list[Caution]:
    """Tells of training rows that are too few for the windows of the model."""
    needed = model.needed_history + model.horizon_steps
    short = [part.series.name for part in splits.parts.train if len(part) < needed]
    if not short:
        return []
    told = f"{len(short)} of {len(splits.parts.train)} series have fewer training rows than a window needs ({needed:,})"
    shorter = "lower --model.history_steps and --model.horizon_steps, or give --model.minimum_history_steps"
    return [Caution(f"{told}: {name_list([repr(name) for name in short], 3)}", shorter)]


def _windows(report: DataReport, model: ForecastModelConfig) -> list[Suggestion]:
    """A history of two periods at least, or of a longer and a shorter one, where there is a period."""
    season, longer = report.facts[PERIOD], report.facts.get(LONGER_PERIOD)
    if isinstance(season, int) and isinstance(longer, int):
        both, why = season + longer, f"a period of {longer} rows and one of {season}"
        return [Suggestion("model.history_steps", both, why)] if model.history_steps < both <= MOST_HISTORY else []
    if not isinstance(season, int) or model.history_steps >= (history := min(2 * season, MOST_HISTORY)):
        return []
    return [Suggestion("model.history_steps", history, f"two periods of {season} rows, at most {MOST_HISTORY}")]
