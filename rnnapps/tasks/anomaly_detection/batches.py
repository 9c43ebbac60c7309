"""Training batches of detectors, and the losses they are trained by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.data.series.series import SeriesPart
from rnnapps.data.series.windows import StoredSeries
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.hidden_sensors import hide_sensors
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.types import NamedTensors, Tensor

__all__ = ["counted_values", "detector_loss", "training_windows"]

Batch = Mapping[str, Any]
"""{"inputs", "targets": tensors by name}, and "reset" where the network has states."""

UNKNOWN_SHARE = 0.05
"""Share of windows whose series the network is not told, so that it also learns to judge series it never saw."""


def training_windows(
    network: keras.Model,
    rows: SensorRows,
    parts: Sequence[SeriesPart],
    *,
    window_steps: int,
    batch_size: int,
    seed: int,
    hidden_share: float = 0.0,
) -> Callable[[int], tf.data.Dataset]:
    """A function from a first step to the endless batches of a detector; a batch depends on (seed, step) only.

    Args:
        network: one of `rnnapps.tasks.anomaly_detection.detector_networks`.
        rows: scales, channels, series.
        parts: training parts.
        window_steps: rows a forecaster reads at a time; the windows of other networks have their own length.
        batch_size: windows of a batch.
        seed: chooses the windows.
        hidden_share: of the windows in which sensors are hidden, see `hide_sensors`.

    Raises:
        DataError: the parts are too short, or a classifier has no labels of both kinds.
    """
    if network.name == "forecaster":
        horizon = network.output["forecast"].shape[2]
        stored = StoredSeries(parts, history_steps=window_steps, horizon_steps=horizon, minimum_history=1)
    else:
        history = network.input["values"].shape[1]
        stored = StoredSeries(parts, history_steps=history, horizon_steps=0, minimum_history=1)
    if network.name == "classifier":
        _require_both_kinds(parts)
    groups = np.array([rows.group(part.series.name) for part in parts], np.int32)
    prepare = {"forecaster": _forecast, "autoencoder": _rebuild, "classifier": _judge}[network.name]

    def batches(start: int) -> tf.data.Dataset:
        drawn = stored.batches(batch_size=batch_size, seed=seed, start_step=start)
        steps = tf.data.Dataset.counter(start=start)

        def make(window: NamedTensors, step: Tensor) -> Batch:
            key = tf.stack([tf.constant(seed, tf.int64), step])
            told = tf.random.stateless_uniform((batch_size,), key, alg="philox") >= UNKNOWN_SHARE
            known = tf.gather(groups, window["part"])
            inputs = _inputs(rows, window, known) | {
                "series": tf.where(told, known, 0) if len(rows.series) > 1 else known
            }
            if hidden_share:
                shown = hide_sensors(inputs["present"], key, share=hidden_share)
                inputs |= {"values": inputs["values"] * shown, "present": shown}
            return prepare(network, rows, inputs, window)

        return tf.data.Dataset.zip(drawn, steps).map(make, num_parallel_calls=1).prefetch(2)

    return batches


def detector_loss(network: keras.Model) -> Callable[[NamedTensors, Batch], Tensor]:
    """The loss of a detector's training: (outputs, batch) -> scalar.

    Forecaster and autoencoder: the mean squared error of scaled values that are present and not labelled as faults;
    classifier: nats per labelled row.
    """

    def squared(outputs: NamedTensors, batch: Batch) -> Tensor:
        targets = batch["targets"]
        answers = outputs["forecast" if network.name == "forecaster" else "rebuilt"]
        errors = tf.square(tf.cast(answers, tf.float32) - targets["values"]) * targets["weight"]
        return tf.reduce_sum(errors) / tf.maximum(tf.reduce_sum(targets["weight"]), 1.0)

    def crossed(outputs: NamedTensors, batch: Batch) -> Tensor:
        targets = batch["targets"]
        nats = tf.nn.sigmoid_cross_entropy_with_logits(logits=outputs["logit"], labels=targets["values"])
        return tf.reduce_sum(nats * targets["weight"]) / tf.maximum(tf.reduce_sum(targets["weight"]), 1.0)

    return crossed if network.name == "classifier" else squared


def counted_values(batch: Batch) -> Tensor:
    """How many values of some rows of a batch count in `detector_loss`."""
    return tf.reduce_sum(batch["targets"]["weight"])


def _inputs(rows: SensorRows, window: NamedTensors, series: Tensor) -> dict[str, Tensor]:
    """What every network reads of a window of raw rows; scaled as its series is, told or not."""
    values, present = rows.scale(window["values"], series)
    inputs = {"values": values, "present": present}
    if rows.calendar:
        inputs["calendar"] = rows.calendar_of(window["times"])
    return inputs


def _weights(rows: SensorRows, inputs: NamedTensors, window: NamedTensors) -> tuple[Tensor, Tensor]:
    """Watched values and where they count: present, not hidden, and not labelled as a fault."""
    places = rows.target_places
    weight = tf.gather(inputs["present"], places, axis=-1)
    if "labels" in window:
        weight *= tf.cast(window["labels"] <= 0, tf.float32)[..., None]
    return tf.gather(inputs["values"], places, axis=-1), weight


def _forecast(network: keras.Model, rows: SensorRows, inputs: NamedTensors, window: NamedTensors) -> Batch:
    """Behind every row the next ones, `(batch, time, horizon, targets)`."""
    horizon = network.output["forecast"].shape[2]
    steps = inputs["values"].shape[1] - horizon
    values, weight = _weights(rows, inputs, window)
    ahead = [slice(lead, lead + steps) for lead in range(1, horizon + 1)]
    targets = {
        "values": tf.stack([values[:, rows_ahead] for rows_ahead in ahead], axis=2),
        "weight": tf.stack([weight[:, rows_ahead] for rows_ahead in ahead], axis=2),
    }
    own = {name: values if name == "series" else values[:, :steps] for name, values in inputs.items()}
    return {"inputs": own, "targets": targets, "reset": tf.constant(True)}


def _rebuild(network: keras.Model, rows: SensorRows, inputs: NamedTensors, window: NamedTensors) -> Batch:
    """The window itself, `(batch, history, targets)`."""
    values, weight = _weights(rows, inputs, window)
    return {"inputs": inputs, "targets": {"values": values, "weight": weight}}


def _judge(network: keras.Model, rows: SensorRows, inputs: NamedTensors, window: NamedTensors) -> Batch:
    """The label of the window's last row, `(batch,)`; unlabelled ones do not count."""
    label = window["labels"][:, -1]
    targets = {"values": tf.cast(label > 0, tf.float32), "weight": tf.cast(label >= 0, tf.float32)}
    return {"inputs": inputs, "targets": targets}


def _require_both_kinds(parts: Sequence[SeriesPart]) -> None:
    """Raises DataError, unless some rows are labelled as faults and some as normal."""
    own = [part.rows().labels for part in parts]
    source = parts[0].series.source
    if any(labels is None for labels in own):
        raise DataError(source, "has no labels, which a classifier learns from", "name them with --data.label")
    faults = sum(int((labels > 0).sum()) for labels in own if labels is not None)
    normal = sum(int((labels == 0).sum()) for labels in own if labels is not None)
    if not faults or not normal:
        problem = f"the training rows hold {faults:,} faults and {normal:,} normal rows"
        raise DataError(source, problem, "a classifier needs both; use another split, or a forecaster")
