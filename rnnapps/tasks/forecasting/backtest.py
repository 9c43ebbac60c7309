"""Rolling-origin backtest: as if the model had been in use through the test time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from rnnapps.contract.evaluation import MODEL, Evaluation
from rnnapps.data.series.series import SeriesPart
from rnnapps.errors import DataError
from rnnapps.tasks.forecasting.baselines import fit_baselines
from rnnapps.tasks.forecasting.calibration import CalibrationErrors, recalibrated
from rnnapps.tasks.forecasting.evaluation import MOST_WINDOWS, Compared, make_scores, score
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.scores import ForecastScores
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import SeriesSplits
from rnnapps.tasks.forecasting.windows import ForecastWindows

__all__ = ["FOLDS", "backtest"]

FOLDS = 6


def backtest(
    config: ForecastModelConfig, network: keras.Model, features: SeriesFeatures, splits: SeriesSplits
) -> Evaluation:
    """Scores the test time in up to six folds, one after the other.

    Before each fold the linear baseline is fitted anew on all rows before it, and the intervals of model and baselines
    are calibrated anew on the stretch before it that is as long as the validation time. The weights of the model stay
    those of the run.

    Returns:
        Metrics over all folds; among the diagnostics, the scaled squared error of model and best baseline of each fold.

    Raises:
        DataError: the test time is too short for a fold.
    """
    split = "test" if splits.parts.test else "validation"
    parts = getattr(splits.parts, split)
    length = {part.series.name: len(part) for part in splits.parts.validation}
    longest = max(map(len, parts))
    folds = min(FOLDS, longest // config.horizon_steps)
    if not folds:
        problem = f"the {split} split has {longest:,} rows, a forecast {config.horizon_steps:,}"
        raise DataError(splits.source, problem, "use a longer split or a shorter --model.horizon_steps")
    total: dict[str, ForecastScores] | None = None
    count, diagnostics = 0, dict[str, float]()
    for fold in range(folds):
        now = [_share(part, fold, folds, config.horizon_steps) for part in parts]
        now = [part for part in now if len(part) >= config.horizon_steps]
        before = [SeriesPart(part.series, 0, part.start) for part in now]
        recent = [
            SeriesPart(part.series, max(part.start - length.get(part.series.name, len(part)), 0), part.start)
            for part in now
        ]
        windows, past, latest = (ForecastWindows(stretch, features, config) for stretch in (now, before, recent))
        baselines = fit_baselines(past, latest, config.quantiles)
        own = make_scores(config, features, (MODEL, *baselines), parts=windows.stored.parts, train=splits.parts.train)
        with recalibrated(network, CalibrationErrors.measure(network, latest), config.quantiles):
            count += score(own, network, baselines, windows, stride=windows.stride(MOST_WINDOWS // folds))
        diagnostics |= _described(own, fold, now)
        total = own if total is None else {name: scores.merged(own[name]) for name, scores in total.items()}
    assert total is not None
    evaluation = Compared(total, count, 1, split).evaluation(features.scaler.channels)
    return dataclasses.replace(
        evaluation, split=f"{split} (backtest of {folds} folds)", diagnostics={**evaluation.diagnostics, **diagnostics}
    )


def _share(part: SeriesPart, fold: int, folds: int, horizon_steps: int) -> SeriesPart:
    """The rows of one fold, and as many behind them as the last forecasts need."""
    bounds = np.linspace(part.start, part.stop, folds + 1).astype(int)
    return SeriesPart(part.series, int(bounds[fold]), min(int(bounds[fold + 1]) + horizon_steps - 1, part.stop))


def _described(scores: dict[str, ForecastScores], fold: int, parts: Sequence[SeriesPart]) -> dict[str, float]:
    """Errors of the model and of the best baseline of one fold, named by the time from which it runs."""
    times = parts[0].series.times
    since = f"row {parts[0].start}" if times is None else np.datetime_as_string(times[parts[0].start], unit="m")
    errors = {name: sums.metrics()["mse_scaled"] for name, sums in scores.items()}
    best = min((name for name in errors if name != MODEL), key=lambda name: errors[name])
    label = f"mse_scaled, fold {fold + 1} from {since}"
    return {f"{label}, model": errors[MODEL], f"{label}, {best}": errors[best]}
