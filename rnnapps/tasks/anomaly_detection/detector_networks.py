"""Networks behind detectors: forecaster, autoencoder and classifier of rows of sensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.layers.dense import Dense, DenseHeads
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.stack import recurrent_stack
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = [
    "Calibration",
    "Repeat",
    "autoencoder",
    "channel_axes",
    "classifier",
    "forecast_rows",
    "forecaster",
    "series_axes",
    "target_axes",
]

MOST_SPANS = 4
"""Smoothing spans a calibration has room for, so that its shape does not depend on how scores are made."""

RECURRENT, DROPOUT, FORECAST = "recurrent", "input_dropout", "forecast"


@keras.saving.register_keras_serializable(package="rnnapps")
class Calibration(keras.layers.Layer):
    """Hands its input on; keeps what is learned of the errors on held-out rows among the weights of the network.

    Group 0 is that of series unknown to the model, the others are the known series in their order.

    Args:
        groups: number of groups.
        targets: number of watched channels.
        channels: number of measured channels.
        settings: how errors become scores, as JSON values; whoever has the network knows them.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Attributes:
        centre: mean error `(groups, targets)`.
        scale: standard deviation of the errors `(groups, targets)`.
        whitening: makes errors uncorrelated with unit variance `(groups, targets, targets)`.
        level: usual height of each channel's smoothed score `(groups, spans, targets)`.
        fitted_for: `DetectionConfig.digest` of the settings that all of it was fitted for; 0 before.
        widening: how many times higher scores are while a channel is silent `(channels, spans, targets)`.
        threshold: score above which a row is flagged `(groups,)`.
    """

    def __init__(
        self, groups: int, targets: int, channels: int, settings: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(trainable=False, **kwargs)
        self.groups, self.targets, self.channels, self.settings = groups, targets, channels, dict(settings or {})
        shapes = {
            "centre": (groups, targets),
            "scale": (groups, targets),
            "whitening": (groups, targets, targets),
            "level": (groups, MOST_SPANS, targets),
            "threshold": (groups,),
            "widening": (channels, MOST_SPANS, targets),
        }
        for name, shape in shapes.items():
            initializer = "zeros" if name == "centre" else "ones"
            weight = self.add_weight(name=name, shape=shape, initializer=initializer, trainable=False, dtype="float32")
            setattr(self, name, weight)
        self.fitted_for = self.add_weight(
            name="fitted_for", shape=(), initializer="zeros", trainable=False, dtype="int32"
        )
        self.built = True

    def values(self) -> dict[str, Tensor]:
        """All numbers by name, as tensors."""
        names = ("centre", "scale", "whitening", "level", "threshold", "widening", "fitted_for")
        return {name: tf.convert_to_tensor(getattr(self, name).value) for name in names}

    def assign(self, values: Mapping[str, Array]) -> None:
        """Replaces the numbers."""
        for name, value in values.items():
            getattr(self, name).assign(value)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Lets the numbers be others for a while, and restores them."""
        before = {name: value.numpy() for name, value in self.values().items()}
        try:
            yield
        finally:
            self.assign(before)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the inputs."""
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        config.pop("trainable", None)
        return config | {
            "groups": self.groups,
            "targets": self.targets,
            "channels": self.channels,
            "settings": self.settings,
        }


def forecaster(
    config: RecurrentConfig,
    *,
    channels: int,
    targets: int,
    groups: int,
    calendar: int = 0,
    series_units: int = 0,
    horizon_steps: int = 1,
    settings: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Predicts the next rows of the watched channels after every row.

    Args:
        config: the recurrent part.
        channels: measured channels.
        targets: watched channels.
        groups: known series and 1.
        calendar: calendar features.
        series_units: size of the vector of a series; 0 or a single known series: none.
        horizon_steps: rows predicted.
        settings: see `Calibration`.

    Returns:
        Functional model {"values", "present": float32 `(batch, time, channels)`, "series": int32 `(batch,)`,
        "calendar": float32 `(batch, time, calendar)`, "states"} ->
        {"forecast": float32 `(batch, time, horizon, targets)`, "states"}.
    """
    stack = recurrent_stack(config, name=RECURRENT)
    inputs = _inputs(channels, calendar)
    states = [keras.Input(shape, name=f"state_{number}") for number, shape in enumerate(stack.state_shapes)]
    hidden = _read(config, inputs, groups, series_units)
    hidden, final = stack(hidden, states=states)
    hidden = dropout_of(config, "output_dropout")(hidden)
    head = DenseHeads("btu,uhc->bthc", (None, horizon_steps, targets), bias_axes="hc", name=FORECAST, dtype="float32")
    forecast = Calibration(groups, targets, channels, settings, name="calibration", dtype="float32")(head(hidden))
    return keras.Model({**inputs, "states": states}, {"forecast": forecast, "states": final}, name="forecaster")


def forecast_rows(network: keras.Model, inputs: NamedTensors, inside: Tensor | None) -> dict[str, Any]:
    """Runs a forecaster over rows of which some do not count; these leave its states as they are.

    Args:
        network: what `forecaster` returned.
        inputs: its inputs.
        inside: bool `(batch, time)`, True where a row counts; None where all do.

    Returns:
        Its outputs.
    """
    if inside is None:
        outputs: dict[str, Any] = network(inputs, training=False)
        return outputs
    given = {name: value for name, value in inputs.items() if name != "states"}
    read = keras.Model({name: network.input[name] for name in given}, network.get_layer(DROPOUT).output)
    hidden, final = network.get_layer(RECURRENT)(read(given, training=False), states=inputs["states"], mask=inside)
    return {"forecast": network.get_layer(FORECAST)(tf.identity(hidden)), "states": final}


def autoencoder(
    config: RecurrentConfig,
    *,
    channels: int,
    targets: int,
    groups: int,
    history_steps: int,
    code_units: int,
    calendar: int = 0,
    series_units: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Reads a window into a code, and rebuilds the window from the code.

    Source: Malhotra et al. 2016, arXiv:1607.00148, section 2; here the decoder gets the code at every step.

    Returns:
        Functional model {"values", "present": float32 `(batch, history, channels)`, "series", "calendar"} ->
        {"rebuilt": float32 `(batch, history, targets)`}.
    """
    inputs = _inputs(channels, calendar, history_steps)
    hidden, _ = recurrent_stack(config, name=RECURRENT)(_read(config, inputs, groups, series_units))
    last = hidden[:, -1]
    code = keras.layers.Dense(code_units, activation="tanh", name="code")(last)
    repeated = Repeat(history_steps, name="repeated_code")(code)
    decoded, _ = recurrent_stack(config, name="decoder")(repeated)
    head = keras.layers.EinsumDense("btu,uc->btc", (None, targets), bias_axes="c", name="rebuild", dtype="float32")
    rebuilt = Calibration(groups, targets, channels, settings, name="calibration", dtype="float32")(head(decoded))
    return keras.Model(inputs, {"rebuilt": rebuilt}, name="autoencoder")


def classifier(
    config: RecurrentConfig,
    *,
    channels: int,
    groups: int,
    history_steps: int,
    calendar: int = 0,
    series_units: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Judges the last row of a window by the rows before it.

    Returns:
        Functional model {"values", "present": float32 `(batch, history, channels)`, "series", "calendar"} ->
        {"logit": float32 `(batch,)`}, the log odds of a fault.
    """
    inputs = _inputs(channels, calendar, history_steps)
    hidden, _ = recurrent_stack(config, name=RECURRENT)(_read(config, inputs, groups, series_units))
    last = dropout_of(config, "output_dropout")(hidden[:, -1])
    dense = keras.layers.Dense(config.units, activation="relu", name="hidden")(last)
    logit = keras.layers.Dense(1, name="logit", dtype="float32")(dense)
    logit = Calibration(groups, channels, channels, settings, name="calibration", dtype="float32")(logit)
    return keras.Model(inputs, {"logit": keras.layers.Reshape((), name="scalar")(logit)}, name="classifier")


@keras.saving.register_keras_serializable(package="rnnapps")
class Repeat(keras.layers.Layer):
    """Repeats a vector over time, `(batch, units)` -> `(batch, steps, units)`.

    Args:
        steps: time steps.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, inputs: Tensor) -> Tensor:
        """Repeats."""
        return tf.repeat(inputs[:, None], self.steps, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, int]) -> tuple[int | None, int, int]:
        """`(batch, steps, units)`."""
        return (input_shape[0], self.steps, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"steps": self.steps}


def channel_axes(network: keras.Model) -> dict[str, int]:
    """The weights that are indexed by the measured channels: path -> axis."""
    axes = {"from_values/kernel": 0, "from_missing/kernel": 0}
    return {weight.path: axes[weight.path] for weight in network.weights if weight.path in axes}


def target_axes(network: keras.Model) -> dict[str, int]:
    """The weights that are indexed by the watched channels: path -> axis."""
    axes = {"forecast/kernel": 2, "forecast/bias": 1, "rebuild/kernel": 1, "rebuild/bias": 0}
    return {weight.path: axes[weight.path] for weight in network.weights if weight.path in axes}


def series_axes(network: keras.Model) -> dict[str, int]:
    """The weights that are indexed by the series, the unknown one first: path -> axis."""
    return {weight.path: 0 for weight in network.weights if weight.path == "series_vector/embeddings"}


def _inputs(channels: int, calendar: int, steps: int | None = None) -> dict[str, keras.KerasTensor]:
    """The inputs that every network has, by name."""
    inputs = {
        "values": keras.Input((steps, channels), name="values"),
        "present": keras.Input((steps, channels), name="present"),
        "series": keras.Input((), dtype="int32", name="series"),
    }
    if calendar:
        inputs["calendar"] = keras.Input((steps, calendar), name="calendar")
    return inputs


def _read(config: RecurrentConfig, inputs: NamedTensors, groups: int, series_units: int) -> Tensor:
    """One vector a row from its values, from what is missing, the time and the series; a kernel for each of them."""
    missing = keras.layers.Rescaling(-1.0, offset=1.0, name="is_missing")(inputs["present"])
    parts = [
        Dense(config.units, name="from_values")(inputs["values"]),
        Dense(config.units, use_bias=False, name="from_missing")(missing),
    ]
    if "calendar" in inputs:
        parts.append(Dense(config.units, use_bias=False, name="from_calendar")(inputs["calendar"]))
    if series_units and groups > 2:
        vector = keras.layers.Embedding(groups, series_units, name="series_vector")(inputs["series"])
        spread = keras.layers.Dense(config.units, use_bias=False, name="of_series")(vector)
        parts.append(keras.layers.Reshape((1, config.units), name="at_every_step")(spread))
    hidden = keras.layers.Add(name="row")(parts)
    return dropout_of(config, DROPOUT)(hidden)
