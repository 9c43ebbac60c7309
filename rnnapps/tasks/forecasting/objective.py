"""Training a forecaster: batches, loss, and validation that also calibrates the quantiles."""

from __future__ import annotations

import keras
import tensorflow as tf

from rnnapps.contract.objective import Objective
from rnnapps.tasks.forecasting.blend.fit import BlendFitter
from rnnapps.tasks.forecasting.calibration import CalibrationErrors
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.loss import forecast_loss, loss_unit
from rnnapps.tasks.forecasting.network import BLEND, CALIBRATION
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import SeriesSplits
from rnnapps.tasks.forecasting.windows import ForecastWindows

__all__ = ["forecast_objective"]

METRIC, NETWORK_METRIC = "validation_mse_scaled", "validation_network_mse_scaled"


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

    Validation takes at most 1,500 windows, evenly spread, and moves the network's blend and calibration to what they
    show, so that each saved state holds those of its own weights. The best step is that of the least validation loss,
    so that what a series or window counts in training it counts there too.

    Raises:
        DataError: training or validation rows do not suffice for a window.
    """
    train = ForecastWindows(splits.parts.train, features, config)
    validation = ForecastWindows(splits.parts.validation, features, config)
    unit = loss_unit(config)
    # The members of an ensemble have shares of their own.
    blended = any(layer.name == BLEND for layer in network.layers)
    blend = BlendFitter(train, validation) if blended else None

    def validate() -> dict[str, float]:
        alone = {} if blend is None else {NETWORK_METRIC: blend.fit(network)}
        measured = CalibrationErrors.measure(network, validation)
        network.get_layer(CALIBRATION).shift.assign(measured.shift(config.quantiles))
        return {METRIC: measured.squared_error(), f"validation_{unit}": _loss(config, measured), **alone}

    return Objective(
        loss=lambda outputs, batch: forecast_loss(config, outputs, batch["targets"]),
        batches=lambda start: train.training(batch_size=batch_size, seed=seed, start_step=start),
        validate=validate,
        metric=f"validation_{unit}",
        loss_unit=unit,
        sequences=sum(map(len, splits.parts.train)) / config.horizon_steps,
        terms=lambda batch: tf.math.count_nonzero(tf.math.is_finite(batch["targets"]["values"])),
    )


def _loss(config: ForecastModelConfig, measured: CalibrationErrors) -> float:
    """The training loss, over all values alike."""
    outputs = {name: tf.constant(value) for name, value in measured.outputs.items()}
    targets = {"values": tf.constant(measured.targets), "ratio": tf.constant(measured.ratio)}
    return float(forecast_loss(config, outputs, targets))
