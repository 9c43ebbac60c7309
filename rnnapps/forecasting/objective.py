"""Training a forecaster: batches, loss, and validation that also calibrates the quantiles."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.forecasting.calibration import calibrate
from rnnapps.forecasting.forecast_config import ForecastModelConfig
from rnnapps.forecasting.loss import forecast_loss, loss_unit
from rnnapps.forecasting.network import CALIBRATION
from rnnapps.forecasting.splits import SeriesSplits
from rnnapps.forecasting.windows import ROWS, ForecastWindows
from rnnapps.pipeline import Objective
from rnnapps.preprocessing.series_features import SeriesFeatures

__all__ = ["forecast_objective"]

MOST_VALIDATION_WINDOWS = 1500
METRIC = "validation_mse_scaled"


def forecast_objective(
    config: ForecastModelConfig,
    network: keras.Model,
    features: SeriesFeatures,
    splits: SeriesSplits,
    *,
    batch_size: int,
    seed: int,
) -> Objective:
    """The objective of `rnnapps.training.loop.train`.

    Validation takes at most 1,500 windows, evenly spread, and moves the network's calibration to what they show, so
    that each saved state holds the calibration of its own weights.

    Raises:
        DataError: training or validation rows do not suffice for a window.
    """
    train = ForecastWindows(splits.parts.train, features, config)
    validation = ForecastWindows(splits.parts.validation, features, config)
    unit = loss_unit(config)

    @tf.function(autograph=False, reduce_retracing=True)
    def run(window: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        example = validation.example(window)
        outputs = network(example["inputs"], training=False)
        loss = forecast_loss(config, outputs, example["targets"])
        return loss, outputs["mean"], outputs["quantiles"], outputs["spread"], example["targets"]

    def validate() -> dict[str, float]:
        shift = network.get_layer(CALIBRATION).shift
        shift.assign(np.zeros(shift.shape))
        windows = validation.stored.ordered(batch_size=ROWS, stride=validation.stride(MOST_VALIDATION_WINDOWS))
        found = [[part.numpy() for part in run(window)] for window in windows]
        losses, mean, quantiles, spread, targets = zip(*found, strict=True)
        actual = np.concatenate(targets)
        sizes = [len(batch) for batch in targets]
        calibrate(network, actual, np.concatenate(quantiles), np.concatenate(spread), config.quantiles)
        return {
            METRIC: float(np.nanmean(np.square(actual - np.concatenate(mean)))),
            f"validation_{unit}": float(np.average(losses, weights=sizes)),
        }

    return Objective(
        loss=lambda outputs, batch: forecast_loss(config, outputs, batch["targets"]),
        batches=lambda start: train.training(batch_size=batch_size, seed=seed, start_step=start),
        validate=validate,
        metric=METRIC if config.distribution == "quantiles" else f"validation_{unit}",
        loss_unit=unit,
    )
