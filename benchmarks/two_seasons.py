"""What a second season is worth to naive forecasts: errors of all baselines on validation rows, without a network.

python -m benchmarks.two_seasons nyc_taxi.csv --seasons 48 336 --history 768 --horizon 48
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.tasks.forecasting.baselines import fit_baselines
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.preprocessing import fit_features
from rnnapps.tasks.forecasting.splits import split_source
from rnnapps.tasks.forecasting.windows import ForecastWindows

__all__ = ["main"]


def main() -> int:
    """Prints the mean squared error of each baseline, on values scaled by the training rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a table of series")
    parser.add_argument("--seasons", type=int, nargs=2, required=True, metavar=("SHORT", "LONG"))
    parser.add_argument("--history", type=int, required=True)
    parser.add_argument("--horizon", type=int, required=True)
    parser.add_argument("--windows", type=int, default=400, help="at most so many validation windows (default: 400)")
    options = parser.parse_args()
    short, long = options.seasons
    data = SeriesDataConfig(source=options.source, season_steps=short, second_season_steps=long)
    model = ForecastModelConfig(history_steps=options.history, horizon_steps=options.horizon)
    parts = split_source(data).parts
    features = fit_features(data, model, parts.train)
    train, validation = (ForecastWindows(own, features, model) for own in (parts.train, parts.validation))
    baselines = fit_baselines(train, validation, model.quantiles)
    held_out = list(validation.histories(stride=validation.stride(options.windows)))
    for name, baseline in baselines.items():
        errors = [(own.future - baseline.mean(own.history, own.season)) * own.ratio for own in held_out]
        print(f"{name:32} {np.nanmean(np.square(np.concatenate(errors))):.4f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
