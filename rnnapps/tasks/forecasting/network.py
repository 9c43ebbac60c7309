"""The network of a forecaster."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells import make_cell
from rnnapps.errors import ConfigError
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.side_by_side import mean_of, side_by_side
from rnnapps.layers.stack import RecurrentStack, recurrent_stack
from rnnapps.tasks.forecasting.blend.linear_maps import PARTS
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.layers.autoregressive_decoder import AutoregressiveDecoder
from rnnapps.tasks.forecasting.layers.channel_folding import ChannelVector, FoldChannels, Segments, UnfoldChannels
from rnnapps.tasks.forecasting.layers.forecast_distribution import (
    SMALLEST_SCALE,
    ConformalShift,
    ForecastDistribution,
    parameter_count,
)
from rnnapps.tasks.forecasting.layers.linear_blend import LinearBlend
from rnnapps.tasks.forecasting.layers.window_normalization import WindowNormalization
from rnnapps.types import NamedTensors, Tensor, Tensors

__all__ = ["BLEND", "CALIBRATION", "forecast_network", "joined_networks"]

RECURRENT, CALIBRATION, BLEND = "recurrent", "calibration", "blend"
COUNT_FLOOR = 1.0  # windows of equal counts have no spread; a count is uncertain by one


def forecast_network(
    config: ForecastModelConfig, *, channels: int, covariates: int = 0, static: int = 0, series: int = 0
) -> keras.Model:
    """History and what is known ahead -> mean and quantiles of the horizon.

    Args:
        config: sizes and options.
        channels: number of channels.
        covariates: columns known for history and horizon.
        static: columns that are constant within a series.
        series: number of known series, for `config.series_units`.

    Returns:
        Functional model {"history", "present": float32 `(batch, history, channels)`, "covariates": float32 `(batch,
        history + horizon, covariates)`, "static": float32 `(batch, static)`, "series": int32 `(batch,)`}, of which
        what is not used is left out, -> {"mean": `(batch, horizon, channels)`, "quantiles": `(batch, horizon,
        channels, quantiles)`, "spread": `(batch, 1, channels)`, and parameters of the distribution}, float32 in the
        units of the history.

    Raises:
        ConfigError: unknown cell, or an autoregressive decoder with a bidirectional encoder.
    """
    if config.bidirectional and config.decoder == "autoregressive":
        raise ConfigError("model.bidirectional: an autoregressive decoder starts from the states of one direction")
    inputs = _inputs(config, channels, covariates, static)
    normalization = WindowNormalization(
        config.normalization,
        floor=COUNT_FLOOR if config.distribution == "negative_binomial" else 0.0,
        name="normalization",
        dtype="float32",
    )
    history, centre, spread = normalization(inputs["history"], inputs["present"])
    folds = channels if config.channels == "independent" else 1
    rows = _rows(history, inputs["present"], folds, channels)
    known = _per_channel(inputs.get("covariates"), folds, "covariates")
    past = None if known is None else known[:, : config.history_steps]
    future = None if known is None else known[:, config.history_steps :]
    stack = recurrent_stack(config, name=RECURRENT)
    hidden, final = _encode(
        config, stack, rows, past=past, context=_context(config, inputs, series, folds), folds=folds
    )
    per_value = parameter_count(config.distribution, config.quantiles)
    width = per_value * (channels // folds)
    if config.decoder == "direct":
        numbers = _read_off(config, hidden, future, width)
    else:
        numbers = _walk(config, rows, final, future, width=width, per_value=per_value)
    numbers = keras.layers.Reshape((config.horizon_steps, channels // folds, per_value), name="numbers")(numbers)
    numbers = _by_channel(numbers, folds, channels, per_value)
    if config.linear:
        numbers = _add_linear(config, numbers, history)
    distribution = ForecastDistribution(config.distribution, config.quantiles, name="distribution", dtype="float32")
    outputs = distribution(numbers, centre, spread)
    outputs["mean"], outputs["quantiles"] = _blended(config, inputs, outputs)
    outputs["quantiles"] = _calibrated(config, outputs)
    return keras.Model(inputs, outputs, name="forecaster")


def joined_networks(config: ForecastModelConfig, networks: Sequence[keras.Model]) -> keras.Model:
    """The mean of the means and quantiles of several forecasters, calibrated anew; see `side_by_side`."""
    network = side_by_side(networks, dict.fromkeys(("mean", "quantiles", "spread"), mean_of))
    outputs = {**network.output, "quantiles": _calibrated(config, network.output)}
    return keras.Model(network.input, outputs, name=network.name)


def _blended(config: ForecastModelConfig, inputs: NamedTensors, outputs: NamedTensors) -> tuple[Tensor, Tensor]:
    """Mean and quantiles, mixed with linear forecasts of the history where the model is to be."""
    if config.blend == "none":
        return outputs["mean"], outputs["quantiles"]
    lowest = SMALLEST_SCALE if config.distribution == "negative_binomial" else float("-inf")
    blend = LinearBlend(len(PARTS), least=lowest, name=BLEND, dtype="float32")
    mixed: tuple[Tensor, Tensor] = blend(
        outputs["mean"], outputs["quantiles"], inputs["history"], present=inputs["present"]
    )
    return mixed


def _calibrated(config: ForecastModelConfig, outputs: NamedTensors) -> Tensor:
    """Quantiles, moved by what validation has shown."""
    least = 0.0 if config.distribution == "negative_binomial" else float("-inf")
    shift = ConformalShift(least=least, name=CALIBRATION, dtype="float32")
    return shift(outputs["quantiles"], outputs["spread"])


def _inputs(config: ForecastModelConfig, channels: int, covariates: int, static: int) -> dict[str, keras.KerasTensor]:
    """The inputs that the network has, by name."""
    steps = config.history_steps
    inputs = {name: keras.Input((steps, channels), name=name) for name in ("history", "present")}
    if covariates:
        inputs["covariates"] = keras.Input((steps + config.horizon_steps, covariates), name="covariates")
    if static:
        inputs["static"] = keras.Input((static,), name="static")
    if config.series_units:
        inputs["series"] = keras.Input((), dtype="int32", name="series")
    return inputs


def _rows(history: Tensor, present: Tensor, folds: int, channels: int) -> Tensor:
    """Values and whether they are present `(rows, history, features)`, a row for each channel or for each window."""
    steps = history.shape[1]
    shape = (steps, channels, 1)
    pair = [
        keras.layers.Reshape(shape, name=f"{name}_apart")(x) for name, x in (("values", history), ("flags", present))
    ]
    both = keras.layers.Concatenate(name="values_and_flags")(pair)
    if folds > 1:
        return FoldChannels(name="fold")(both)
    return keras.layers.Reshape((steps, 2 * channels), name="together")(both)


def _per_channel(known: Tensor | None, folds: int, name: str) -> Tensor | None:
    """`(batch, time, features)`, repeated for each channel where channels are rows of their own."""
    if known is None or folds == 1:
        return known
    apart = keras.layers.Reshape((known.shape[1], 1, known.shape[2]), name=f"{name}_apart")(known)
    repeated = keras.layers.Concatenate(axis=2, name=f"{name}_of_channels")([apart] * folds)
    return FoldChannels(name=f"fold_{name}")(repeated)


def _context(config: ForecastModelConfig, inputs: NamedTensors, series: int, folds: int) -> Tensor | None:
    """A vector `(rows, 1, units)` from static features and the series, or None."""
    parts = []
    if "static" in inputs:
        parts.append(keras.layers.Dense(config.units, name="static_features")(inputs["static"]))
    if "series" in inputs:
        embedded = keras.layers.Embedding(series + 1, config.series_units, name="series_vectors")(inputs["series"])
        parts.append(keras.layers.Dense(config.units, use_bias=False, name="of_series")(embedded))
    if not parts:
        return None
    total = keras.layers.Add(name="context")(parts) if len(parts) > 1 else parts[0]
    return _per_channel(keras.layers.Reshape((1, config.units), name="context_at_every_step")(total), folds, "context")


def _encode(
    config: ForecastModelConfig,
    stack: RecurrentStack,
    rows: Tensor,
    *,
    past: Tensor | None,
    context: Tensor | None,
    folds: int,
) -> tuple[Tensor, Tensors]:
    """Runs the recurrent stack over the segments of the history; returns (last output, final states)."""
    features = Segments(config.segment_steps, name="segments")(rows)
    parts = [keras.layers.Dense(config.units, name="segment")(features)]
    if past is not None:
        segments = Segments(config.segment_steps, name="covariate_segments")(past)
        parts.append(keras.layers.Dense(config.units, use_bias=False, name="covariate_segment")(segments))
    if context is not None:
        parts.append(context)
    hidden = keras.layers.Add(name="read")(parts) if len(parts) > 1 else parts[0]
    if folds > 1:
        hidden = ChannelVector(folds, name="channel")(hidden)
    if config.segment_steps > 1:
        hidden = keras.layers.Activation("relu", name="segment_activation")(hidden)
    hidden = dropout_of(config, "input_dropout")(hidden)
    outputs, final = stack(hidden)
    if config.bidirectional:
        half = outputs.shape[-1] // 2
        ends = [outputs[:, -1, :half], outputs[:, 0, half:]]
        return keras.layers.Concatenate(name="both_ends")(ends), final
    return outputs[:, -1], final


def _read_off(config: ForecastModelConfig, hidden: Tensor, future: Tensor | None, width: int) -> Tensor:
    """All steps of the horizon from the last output, `(rows, horizon, width)`."""
    hidden = dropout_of(config, "output_dropout")(hidden)
    flat = keras.layers.Dense(config.horizon_steps * width, name="horizon", dtype="float32")(hidden)
    numbers = keras.layers.Reshape((config.horizon_steps, width), name="horizon_steps")(flat)
    if future is None:
        return numbers
    spread = keras.layers.Dense(config.units, name="horizon_context")(hidden)
    spread = keras.layers.Reshape((1, config.units), name="horizon_context_at_every_step")(spread)
    ahead = keras.layers.Dense(config.units, use_bias=False, name="horizon_covariates")(future)
    mixed = keras.layers.Activation("relu", name="horizon_mixed")(keras.layers.Add(name="horizon_sum")([spread, ahead]))
    more = keras.layers.Dense(width, kernel_initializer="zeros", name="horizon_correction", dtype="float32")(mixed)
    return keras.layers.Add(name="horizon_numbers")([numbers, more])


def _walk(
    config: ForecastModelConfig, rows: Tensor, final: Tensors, future: Tensor | None, *, width: int, per_value: int
) -> Tensor:
    """The horizon segment by segment, `(rows, horizon, width)`."""
    segment, targets = config.segment_steps, width // per_value
    places = [(step * targets + target) * per_value for step in range(segment) for target in range(targets)]
    cells = [make_cell(config.cell, config.units, name=f"layer_{number}") for number in range(config.layers)]
    decoder = AutoregressiveDecoder(
        cells,
        steps=config.horizon_steps // segment,
        outputs=segment * width,
        fed_back=places,
        weight_drop=config.weight_drop,
        name="decoder",
    )
    last = keras.layers.Reshape((segment, targets, 2), name="last_segment")(rows[:, -segment:])
    first = keras.layers.Reshape((segment * targets,), name="last_values")(last[..., 0])
    known = None if future is None else Segments(segment, name="future_segments")(future)
    written = decoder(first, final) if known is None else decoder(first, final, known)
    numbers = keras.layers.Activation("linear", dtype="float32", name="written")(written)
    return keras.layers.Reshape((config.horizon_steps, width), name="horizon_steps")(numbers)


def _by_channel(numbers: Tensor, folds: int, channels: int, per_value: int) -> Tensor:
    """`(rows, horizon, targets, numbers)` -> `(batch, horizon, channels, numbers)`."""
    if folds == 1:
        return numbers
    flat = keras.layers.Reshape((numbers.shape[1], per_value), name="numbers_of_channel")(numbers)
    return UnfoldChannels(channels, name="unfold")(flat)


def _add_linear(config: ForecastModelConfig, numbers: Tensor, history: Tensor) -> Tensor:
    """Adds a linear map of the normalised history to the location, the first of the numbers."""
    turned = keras.layers.Permute((2, 1), name="by_channel")(history)
    zeros = keras.initializers.Zeros()
    ahead = keras.layers.Dense(config.horizon_steps, kernel_initializer=zeros, name="linear", dtype="float32")(turned)
    ahead = keras.layers.Permute((2, 1), name="by_step")(ahead)
    ahead = keras.layers.Reshape((*numbers.shape[1:3], 1), name="linear_location")(ahead)
    location = keras.layers.Add(name="location")([numbers[..., :1], ahead])
    return keras.layers.Concatenate(name="all_numbers")([location, numbers[..., 1:]])
