"""Signatures of detectors: raw rows in; score, threshold, flag, the share of each sensor and who is silent out."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.export.row_rules import YEARS, between, lengths_fit
from rnnapps.printable import name_list
from rnnapps.tasks.anomaly_detection.export_config import DetectorExportConfig
from rnnapps.tasks.anomaly_detection.network_endpoint import network_endpoint
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Flags, Rows
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["MISSING", "detection_endpoints"]

MISSING = 1e30
"""Values of this size or larger, and NaN, are missing: JSON has no NaN."""

EXAMPLES = 5
EXAMPLE_STEPS, FEW = 48, 4
FIRST_SECONDS = 1_700_000_000
MOST_ROWS = 1 << 30
"""Rows of a stream that its state can count."""

MOST_DOUBLINGS = 200
"""Of the threshold, by a budget of alarms; no score lies above so many."""

DEFAULTS = {"series": ""}


def detection_endpoints(stream: DetectorStream, limits: DetectorExportConfig) -> dict[str, Endpoint]:
    """`serving_default` judges windows of rows, `step` rows that go on from states, `tensors` is the bare network."""
    return {
        "serving_default": _windows(stream, limits),
        "tensors": network_endpoint(stream, most_rows=limits.longest_window),
        "step": _step(stream, limits),
    }


def _windows(stream: DetectorStream, limits: DetectorExportConfig) -> Endpoint:
    """Judges the rows of windows, which begin without a past."""

    def judge(rows: Tensor, lengths: Tensor, **others: Tensor) -> dict[str, Tensor]:
        valid = tf.sequence_mask(lengths, tf.shape(rows)[1])
        known = tf.where(valid[..., None], _with_gaps(rows), tf.constant(np.nan, tf.float64))
        given = Rows(known, _groups(stream, others, tf.shape(rows)[0]), _seconds(rows, others))
        flags, _ = stream.advance(given, stream.first_state(tf.shape(rows)[0]))
        return _told(flags, valid)

    return Endpoint(
        judge,
        _row_inputs(stream),
        _row_examples(stream, EXAMPLE_STEPS, [EXAMPLE_STEPS, 1, 40, EXAMPLE_STEPS, 7]),
        rules=_row_rules(stream, limits, least=0),
        most_steps=_most_rows(stream, limits),
        missing=("rows",),
        summary="Windows of raw rows in, the score of each row and whether it is flagged out.",
        meanings=_meanings(stream),
        defaults=DEFAULTS,
    )


def _step(stream: DetectorStream, limits: DetectorExportConfig) -> Endpoint:
    """Judges the next rows of series, which go on from states."""
    names = {f"state_{name}": name for name in stream.first_state(1)}

    def step(rows: Tensor, lengths: Tensor, **others: Tensor) -> dict[str, Tensor]:
        groups = _groups(stream, others, tf.shape(rows)[0])
        given = Rows(rows, groups, _seconds(rows, others), lengths, missing_from=MISSING)
        flags, after = stream.advance(given, {name: others[key] for key, name in names.items()})
        return _told(flags, given.inside) | {f"next_{key}": after[name] for key, name in names.items()}

    first = {key: stream.first_state(EXAMPLES)[name].numpy() for key, name in names.items()}
    states = {key: tf.TensorSpec((None, *state.shape[1:]), state.dtype) for key, state in first.items()}
    most = {**dict.fromkeys(("rows_seen", "absent", "unsettled", "open_rows"), MOST_ROWS), "doublings": MOST_DOUBLINGS}
    counted = tuple(between(key, 0, most[name]) for key, name in names.items() if name in most)
    return Endpoint(
        step,
        {**_row_inputs(stream), **states},
        {**_row_examples(stream, FEW, [FEW, 1, 3, FEW, 0]), **first},
        rules=(*_row_rules(stream, limits, least=0), *counted),
        one_step=True,
        most_steps=_most_rows(stream, limits),
        missing=("rows",),
        summary="The next raw rows of series and states in, scores, flags and new states out.",
        meanings=_meanings(stream),
        defaults=DEFAULTS,
        words={"series": [stream.rows.series]},
    )


def _meanings(stream: DetectorStream) -> dict[str, str]:
    """What inputs and outputs are."""
    channels = name_list(stream.rows.channels)
    watched = channels if stream.kind == "classifier" else name_list(stream.rows.targets)
    return {
        "rows": f"raw rows (batch, time, channels); NaN, or {MISSING:g} and more, where a value is missing; {channels}",
        "seconds": "Unix time of each row, in seconds (batch, time)",
        "series": f"name of the series (batch,), or any other; the model knows {name_list(stream.rows.series)}",
        "score": "how unusual each row is (batch, time); 0 in the first rows of a series",
        "threshold": "score above which a row is flagged (batch, time)",
        "flag": "whether the score is above the threshold (batch, time)",
        "contribution": f"share of each watched channel in the score (batch, time, channels); {watched}",
        "missing": f"whether a channel has been silent for unusually long (batch, time, channels); {channels}",
        "silent": "whether all channels together have (batch, time)",
    }


def _told(flags: Flags, inside: Tensor) -> dict[str, Tensor]:
    """What each row gets, nothing where it does not count: bool `(batch, time)`."""
    counted = tf.cast(inside, tf.float32)
    return {
        "score": flags.score * counted,
        "threshold": flags.threshold * counted,
        "flag": flags.flag & inside,
        "contribution": flags.contribution * counted[..., None],
        "missing": flags.missing & inside[..., None],
        "silent": flags.silent & inside,
    }


def _with_gaps(rows: Tensor) -> Tensor:
    """The rows with NaN where a value is missing, in whatever way that was said."""
    return tf.where(tf.abs(rows) < MISSING, rows, tf.constant(np.nan, tf.float64))


def _seconds(rows: Tensor, others: NamedTensors) -> Tensor:
    """Times of rows, zeros where they do not matter."""
    return others["seconds"] if "seconds" in others else tf.zeros(tf.shape(rows)[:2], tf.int64)


def _groups(stream: DetectorStream, others: NamedTensors, batch: Tensor) -> Tensor:
    """Numbers of the named series, 0 for unknown names; where numbers are given, these."""
    if "series" not in others:
        return tf.fill([batch], len(stream.rows.series))
    if others["series"].dtype != tf.string:
        return others["series"]
    match = tf.equal(others["series"][:, None], tf.constant(stream.rows.series)[None])
    return tf.reduce_max(tf.where(match, tf.range(1, len(stream.rows.series) + 1), 0), axis=1)


def _row_inputs(stream: DetectorStream) -> dict[str, tf.TensorSpec]:
    """Rows and their number, the name where there are several series, and the time where it matters."""
    inputs = {
        "rows": tf.TensorSpec((None, None, len(stream.rows.channels)), tf.float64),
        "lengths": tf.TensorSpec((None,), tf.int32),
    }
    if len(stream.rows.series) > 1:
        inputs["series"] = tf.TensorSpec((None,), tf.string)
    return inputs | ({"seconds": tf.TensorSpec((None, None), tf.int64)} if stream.rows.calendar else {})


def _row_rules(stream: DetectorStream, limits: DetectorExportConfig, *, least: int) -> tuple[RowRule, ...]:
    """What must hold of the number of rows, and of their times."""
    times = (between("seconds", *YEARS, lengths="lengths"),) if stream.rows.calendar else ()
    return (lengths_fit("rows", least=least, most=limits.longest_window), *times)


def _most_rows(stream: DetectorStream, limits: DetectorExportConfig) -> dict[str, int]:
    """How many rows are read."""
    return dict.fromkeys(("rows", "seconds") if stream.rows.calendar else ("rows",), limits.longest_window)


def _row_examples(stream: DetectorStream, steps: int, lengths: list[int]) -> dict[str, Array]:
    """Values of `_row_inputs`: rows around the centre of each channel, a gap, and a series that the model lacks."""
    scaler, generator = stream.rows.scaler, np.random.default_rng(0)
    noise = generator.normal(size=(EXAMPLES, steps, len(scaler.channels)))
    rows: Array = noise * scaler.unit[0] + scaler.centre[0]
    rows[2, 2, 0] = MISSING
    names = [*stream.rows.series[: EXAMPLES - 1], *["no such series"] * EXAMPLES][:EXAMPLES]
    examples: dict[str, Array] = {"rows": rows, "lengths": np.array(lengths, np.int32)}
    if len(stream.rows.series) > 1:
        examples["series"] = np.array([name.encode() for name in names])
    if stream.rows.calendar:
        examples["seconds"] = FIRST_SECONDS + 60 * np.arange(steps, dtype=np.int64) + np.zeros((EXAMPLES, 1), np.int64)
    return examples
