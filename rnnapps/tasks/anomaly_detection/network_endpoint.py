"""The signature of a detector's bare network: numbers in, numbers out, without scales, scores and thresholds."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.export.row_rules import between, lengths_fit
from rnnapps.printable import name_list
from rnnapps.tasks.anomaly_detection.sensor_rows import FURTHEST
from rnnapps.tasks.anomaly_detection.streams import DetectorStream
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["network_endpoint"]

ROWS, STEPS = 5, 12


def network_endpoint(stream: DetectorStream, *, most_rows: int) -> Endpoint:
    """Scaled rows in; forecasts behind each row, the rebuilt window, or the log odds of a fault out.

    A forecaster reads any number of rows, from states of zeros on; the others read one window of `stream.history` rows.

    Args:
        stream: the detector.
        most_rows: the most rows that a forecaster reads.
    """
    return _forecasting(stream, most_rows) if stream.kind == "forecaster" else _of_windows(stream)


def _forecasting(stream: DetectorStream, most_rows: int) -> Endpoint:
    """Rows of any number."""

    def forecast(lengths: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        batch = tf.shape(lengths)[0]
        states = [tf.zeros([batch, *part.shape[1:]], part.dtype) for part in stream.network.input["states"]]
        outputs = stream.network({**_with_series(stream, inputs, batch), "states": states}, training=False)
        valid = tf.sequence_mask(lengths, tf.shape(inputs["values"])[1])[..., None, None]
        return {"forecast": tf.where(valid, outputs["forecast"], 0.0)}

    signature, examples = _inputs(stream, None, STEPS)
    return Endpoint(
        forecast,
        {**signature, "lengths": tf.TensorSpec((None,), tf.int32)},
        {**examples, "lengths": np.array([STEPS, 1, 5, STEPS, 0], np.int32)},
        rules=(
            lengths_fit("values", most=most_rows),
            *(between(name, *bounds, lengths="lengths") for name, bounds in _row_bounds(stream).items()),
            *(between(name, *bounds) for name, bounds in _series_bounds(stream).items()),
        ),
        most_steps=dict.fromkeys(_row_bounds(stream), most_rows),
        summary="Scaled rows in, what the network expects of the rows behind each of them out.",
        meanings=_meanings(stream),
    )


def _of_windows(stream: DetectorStream) -> Endpoint:
    """Windows of one size."""

    def judge(**inputs: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = stream.network(
            _with_series(stream, inputs, tf.shape(inputs["values"])[0]), training=False
        )
        return outputs

    signature, examples = _inputs(stream, stream.history, stream.history)
    bounds = _row_bounds(stream) | _series_bounds(stream)
    return Endpoint(
        judge,
        signature,
        examples,
        rules=tuple(between(name, *span) for name, span in bounds.items()),
        summary="Windows of scaled rows in, what the network makes of them out.",
        meanings=_meanings(stream),
    )


def _meanings(stream: DetectorStream) -> dict[str, str]:
    """What inputs and outputs are."""
    watched = name_list(stream.rows.targets)
    return {
        "values": f"scaled rows (batch, time, channels), 0 where missing; {name_list(stream.rows.channels)}",
        "present": "1 where there is a value, else 0 (batch, time, channels)",
        "calendar": "sines and cosines of the local day and week (batch, time, features)",
        "series": f"number of the series (batch,), 0 for one the model does not know; {name_list(stream.rows.series)}",
        "forecast": f"expected values, scaled, of the rows behind each (batch, time, horizon, channels); {watched}",
        "rebuilt": f"the window, scaled, made again from its code (batch, time, channels); {watched}",
        "logit": "log odds that the last row is a fault (batch,)",
    }


def _row_bounds(stream: DetectorStream) -> dict[str, tuple[int, int]]:
    """Inputs of rows, and between what their values lie."""
    bounds = {"values": (-int(FURTHEST), int(FURTHEST)), "present": (0, 1)}
    return bounds | ({"calendar": (-1, 1)} if stream.rows.calendar else {})


def _series_bounds(stream: DetectorStream) -> dict[str, tuple[int, int]]:
    """The number of the series, where there are several."""
    return {"series": (0, len(stream.rows.series))} if len(stream.rows.series) > 1 else {}


def _with_series(stream: DetectorStream, inputs: NamedTensors, batch: Tensor) -> NamedTensors:
    """The inputs with the number of the series, which is known where there are not several."""
    return {"series": tf.fill([batch], len(stream.rows.series)), **inputs}


def _inputs(
    stream: DetectorStream, length: int | None, steps: int
) -> tuple[dict[str, tf.TensorSpec], dict[str, Array]]:
    """Specifications of rows of a length, and examples of so many steps."""
    draw, rows = np.random.default_rng(0), stream.rows
    present = (draw.random((ROWS, steps, len(rows.channels))) < 0.9).astype(np.float32)
    examples = {"values": draw.normal(size=present.shape).astype(np.float32) * present, "present": present}
    if rows.calendar:
        phase = draw.random((ROWS, steps, rows.calendar_features)) * 2 * np.pi
        examples["calendar"] = np.sin(phase).astype(np.float32)
    signature = {name: tf.TensorSpec((None, length, array.shape[2]), tf.float32) for name, array in examples.items()}
    if len(rows.series) > 1:
        examples["series"] = (np.arange(ROWS) % (len(rows.series) + 1)).astype(np.int32)
        signature["series"] = tf.TensorSpec((None,), tf.int32)
    return signature, examples
