"""Signatures of detectors: raw rows in; score, threshold, flag, the share of each sensor and who is silent out."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.export.row_rules import YEARS, between, lengths_fit
from rnnapps.tasks.anomaly_detection.export_config import DetectorExportConfig
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Rows
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["MISSING", "detection_endpoints"]

MISSING = 1e30
"""Values of this size or larger, and NaN, are missing: JSON has no NaN."""

EXAMPLES = 5
EXAMPLE_STEPS = 48
FIRST_SECONDS = 1_700_000_000
MOST_ROWS = 1 << 30
"""Rows of a stream that its state can count."""


def detection_endpoints(stream: DetectorStream, limits: DetectorExportConfig) -> dict[str, Endpoint]:
    """`serving_default` judges windows of rows, `step` one row after another from given states."""
    return {"serving_default": _windows(stream, limits), "step": _step(stream)}


def _windows(stream: DetectorStream, limits: DetectorExportConfig) -> Endpoint:
    """Judges the rows of windows, which begin without a past."""
    channels = len(stream.rows.channels)

    def judge(rows: Tensor, lengths: Tensor, **others: Tensor) -> dict[str, Tensor]:
        valid = tf.sequence_mask(lengths, tf.shape(rows)[1])
        known = tf.where(valid[..., None], _with_gaps(rows), tf.constant(np.nan, tf.float64))
        seconds = others.get("seconds", tf.zeros(tf.shape(rows)[:2], tf.int64))
        given = Rows(known, _groups(stream, others, tf.shape(rows)[0]), seconds)
        flags, _ = stream.advance(given, stream.first_state(tf.shape(rows)[0]))
        counted = tf.cast(valid, tf.float32)
        return {
            "score": flags.score * counted,
            "threshold": flags.threshold * counted,
            "flag": flags.flag & valid,
            "contribution": flags.contribution * counted[..., None],
            "missing": flags.missing & valid[..., None],
            "silent": flags.silent & valid,
        }

    signature = {
        "rows": tf.TensorSpec((None, None, channels), tf.float64),
        "lengths": tf.TensorSpec((None,), tf.int32),
        **_other_inputs(stream, (None, None)),
    }
    rows = _example_rows(stream)
    seconds = FIRST_SECONDS + 60 * np.arange(EXAMPLE_STEPS, dtype=np.int64) + np.zeros((EXAMPLES, 1), np.int64)
    examples = {"rows": rows, "lengths": np.array([EXAMPLE_STEPS, 1, 40, EXAMPLE_STEPS, 7], np.int32)}
    calendar = ("seconds",) if stream.rows.calendar else ()
    return Endpoint(
        judge,
        signature,
        examples | _other_examples(stream, seconds),
        rules=(lengths_fit("rows", most=limits.longest_window), *(between(name, *YEARS) for name in calendar)),
        most_steps=dict.fromkeys(("rows", *calendar), limits.longest_window),
        missing=("rows",),
    )


def _step(stream: DetectorStream) -> Endpoint:
    """Judges one row, which goes on from states."""
    channels, state_names = len(stream.rows.channels), list(stream.first_state(1))

    def step(row: Tensor, **others: Tensor) -> dict[str, Tensor]:
        seconds = others["seconds"][:, None] if "seconds" in others else tf.zeros([tf.shape(row)[0], 1], tf.int64)
        given = Rows(_with_gaps(row)[:, None], _groups(stream, others, tf.shape(row)[0]), seconds)
        flags, after = stream.advance(given, {name: others[name] for name in state_names})
        return {
            "score": flags.score[:, 0],
            "threshold": flags.threshold[:, 0],
            "flag": flags.flag[:, 0],
            "contribution": flags.contribution[:, 0],
            "missing": flags.missing[:, 0],
            "silent": flags.silent[:, 0],
            **after,
        }

    first = stream.first_state(EXAMPLES)
    states = {name: tf.TensorSpec((None, *state.shape[1:]), state.dtype) for name, state in first.items()}
    signature = {
        "row": tf.TensorSpec((None, channels), tf.float64),
        **_other_inputs(stream, (None,)),
        **states,
    }
    seconds = FIRST_SECONDS + 60 * np.arange(EXAMPLES, dtype=np.int64)
    examples = {"row": _example_rows(stream)[:, 0], **_other_examples(stream, seconds)}
    calendar = ("seconds",) if stream.rows.calendar else ()
    return Endpoint(
        step,
        signature,
        examples | {name: state.numpy() for name, state in first.items()},
        rules=(
            *(between(name, 0, MOST_ROWS) for name in ("rows_seen", "absent", "unsettled")),
            *(between(name, *YEARS) for name in calendar),
        ),
        missing=("row",),
    )


def _with_gaps(rows: Tensor) -> Tensor:
    """The rows with NaN where a value is missing, in whatever way that was said."""
    return tf.where(tf.abs(rows) < MISSING, rows, tf.constant(np.nan, tf.float64))


def _groups(stream: DetectorStream, others: NamedTensors, batch: Tensor) -> Tensor:
    """Numbers of the named series, 0 for unknown names."""
    if "series" not in others:
        return tf.fill([batch], len(stream.rows.series))
    match = tf.equal(others["series"][:, None], tf.constant(stream.rows.series)[None])
    return tf.reduce_max(tf.where(match, tf.range(1, len(stream.rows.series) + 1), 0), axis=1)


def _other_inputs(stream: DetectorStream, time_shape: tuple[None, ...]) -> dict[str, tf.TensorSpec]:
    """The name where there are several series, and the time where it matters."""
    inputs = {"series": tf.TensorSpec((None,), tf.string)} if len(stream.rows.series) > 1 else {}
    return inputs | ({"seconds": tf.TensorSpec(time_shape, tf.int64)} if stream.rows.calendar else {})


def _other_examples(stream: DetectorStream, seconds: Array) -> dict[str, Array]:
    """Values of `_other_inputs`, a name that the model does not know among them."""
    names = [*stream.rows.series[: EXAMPLES - 1], *["no such series"] * EXAMPLES][:EXAMPLES]
    examples = {"series": np.array([name.encode() for name in names])} if len(stream.rows.series) > 1 else {}
    return examples | ({"seconds": seconds} if stream.rows.calendar else {})


def _example_rows(stream: DetectorStream) -> Array:
    """Rows around the centre of each channel, one with a gap."""
    scaler, generator = stream.rows.scaler, np.random.default_rng(0)
    noise = generator.normal(size=(EXAMPLES, EXAMPLE_STEPS, len(scaler.channels)))
    rows: Array = noise * scaler.unit[0] + scaler.centre[0]
    rows[2, 3, 0] = MISSING
    return rows
