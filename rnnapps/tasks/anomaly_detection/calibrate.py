"""What is learned of errors on held-out rows: their usual size, the usual height of scores, and the thresholds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.detection_config import MOST_SPANS, DetectionConfig
from rnnapps.tasks.anomaly_detection.extreme_value import extreme_value_threshold, tail_quantile
from rnnapps.tasks.anomaly_detection.scores import channel_errors, first_averages, join, smooth
from rnnapps.types import Array, Tensor

__all__ = ["HeldOut", "calibrate", "fit_threshold", "fit_widening", "score_errors"]

FEWEST_ROWS = 50
"""A series with fewer held-out rows is judged by those of all series."""

LEVEL_QUANTILE = 0.99
LEVEL_ROWS = 10
"""Rows that lie above a usual height at least, so that it is no accident."""

NEVER = 1e30
"""Usual height of a channel without any held-out value: its scores say nothing."""

SMALLEST = 1e-6


class HeldOut(NamedTuple):
    """Errors of one series on held-out rows.

    Attributes:
        group: its number.
        errors: `(rows, targets)`.
        valid: 1 where there is an error, else 0 `(rows, targets)`.
        normal: bool `(rows,)`, False where a fault is labelled.
    """

    group: int
    errors: Array
    valid: Array
    normal: Array


def calibrate(
    held_out: Sequence[HeldOut], groups: int, config: DetectionConfig, *, taught: Sequence[HeldOut] = ()
) -> dict[str, Array]:
    """Learns the numbers of `Calibration.values` from normal held-out rows.

    Args:
        held_out: errors of each series.
        groups: number of groups; group 0 is learned from all series.
        config: the settings.
        taught: errors of training rows, which may raise thresholds and do nothing else.

    Raises:
        DataError: no row is normal.
    """
    if not any(series.normal.any() for series in held_out):
        raise DataError(
            "validation rows", "are all labelled as faults; thresholds need normal ones", "split the data elsewhere"
        )
    members = [_members(held_out, group) for group in range(groups)]
    moments = [_moments(group_members) for group_members in members]
    targets = held_out[0].errors.shape[1]
    values = {name: np.stack([moment[name] for moment in moments]) for name in moments[0]}
    values["level"] = np.ones((groups, MOST_SPANS, targets), np.float32)
    values["threshold"] = np.zeros(groups, np.float32)
    # Three passes, for each needs the numbers of the one before: moments make heights, their usual level makes scores,
    # and the scores make the threshold. A series is smoothed once, although several groups may learn from it.
    smoothed = {id(series): _smoothed(series, values, config) for series in held_out}
    for group, group_members in enumerate(members):
        values["level"][group, : len(config.smoothing_steps)] = _levels(group_members, smoothed)
    scores = {id(series): _joined(series, smoothed[id(series)], values, config)[0] for series in held_out}
    for group, group_members in enumerate(members):
        normal = np.concatenate([scores[id(series)][_judged_rows(series)] for series in group_members])
        values["threshold"][group] = fit_threshold(normal, config)
    for series in taught:
        own = score_errors(series, values, config)[0][_judged_rows(series)]
        if len(own) >= FEWEST_ROWS:
            raised = np.maximum(values["threshold"][[0, series.group]], fit_threshold(own, config))
            values["threshold"][[0, series.group]] = raised
    return values


def _levels(members: Sequence[HeldOut], smoothed: Mapping[int, Array]) -> Array:
    """The usual height of each channel's scores of normal rows `(spans, targets)`, whatever the threshold is to be."""
    rows = np.concatenate([smoothed[id(series)][series.normal] for series in members])
    valid = np.concatenate([series.valid[series.normal] for series in members]) > 0
    levels = np.full(rows.shape[1:], NEVER)
    for target in np.flatnonzero(valid.any(axis=0)):
        own = rows[valid[:, target], :, target]
        share = min(LEVEL_QUANTILE, max(1 - LEVEL_ROWS / len(own), 0.5))
        levels[:, target] = np.maximum(np.quantile(own, share, axis=0), SMALLEST)
    return levels


def fit_widening(
    hidden: Sequence[tuple[int, HeldOut]], values: Mapping[str, Array], channels: int, config: DetectionConfig
) -> Array:
    """How many times higher scores are while a channel is silent, `Calibration.widening`.

    So many times that no normal row with the channel hidden comes to the threshold, but for its margin.

    Args:
        hidden: numbers of channels, each with the errors of a series in which it is hidden.
        values: the other numbers of `Calibration.values`.
        channels: number of measured channels.
        config: the settings.
    """
    targets, spans = values["centre"].shape[1], len(config.smoothing_steps)
    widening = np.ones((channels, MOST_SPANS, targets), np.float32)
    for channel, series in hidden:
        judged = (series.valid > 0) & series.normal[:, None]
        heights = np.where(judged[:, None], _smoothed(series, values, config), 0.0).max(axis=0, initial=0.0)
        usual = values["level"][series.group, :spans] if config.normalise else 1.0
        limit = values["threshold"][series.group] / (1.0 if config.threshold == "dynamic" else config.margin)
        widening[channel, :spans] = np.maximum(widening[channel, :spans], heights / (usual * max(limit, SMALLEST)))
    return widening


def fit_threshold(scores: Array, config: DetectionConfig) -> float:
    """The threshold of the scores of normal held-out rows `(rows,)`, by the configured method.

    For "dynamic" it is the largest of them: what adapts to the scores around it never flags less than that, and where
    rows come one by one it is all there is. A quantile that the rows cannot tell is extrapolated, see `tail_quantile`.
    """
    if not len(scores):
        return float("inf")
    if config.threshold == "dynamic":
        return float(scores.max())
    if config.threshold == "extreme_value":
        return config.margin * extreme_value_threshold(scores, risk=config.risk)
    return config.margin * tail_quantile(scores, config.quantile)


def score_errors(held_out: HeldOut, values: Mapping[str, Array], config: DetectionConfig) -> tuple[Array, Array]:
    """Scores `(rows,)` and contributions `(rows, targets)` of errors that are all known."""
    return _joined(held_out, _smoothed(held_out, values, config), values, config)


def _joined(
    held_out: HeldOut, smoothed: Array, values: Mapping[str, Array], config: DetectionConfig
) -> tuple[Array, Array]:
    """Scores and contributions of smoothed heights `(rows, spans, targets)`."""
    valid, group = tf.constant(held_out.valid[None], tf.float32), tf.constant([held_out.group])
    scores = join(tf.constant(smoothed[None]), valid, calibration=values, group=group, config=config)
    return scores.score.numpy()[0], scores.contribution.numpy()[0]


def _members(held_out: Sequence[HeldOut], group: int) -> list[HeldOut]:
    """The series a group learns from: its own if they have rows enough, else all."""
    own = [series for series in held_out if series.group == group]
    return own if group and sum(int(series.normal.sum()) for series in own) >= FEWEST_ROWS else list(held_out)


def _judged_rows(series: HeldOut) -> Array:
    """Bool `(rows,)`: normal rows with an error in some channel."""
    judged: Array = series.normal & (series.valid > 0).any(axis=1)
    return judged


def _moments(members: Sequence[HeldOut]) -> dict[str, Array]:
    """Mean μ and deviation of the normal errors of each target, and Σ^(-1/2), which whitens e - μ."""
    errors = np.concatenate([series.errors[series.normal] for series in members]).astype(np.float64)
    valid = np.concatenate([series.valid[series.normal] for series in members]).astype(bool)
    counts = np.maximum(valid.sum(axis=0), 1)
    centre = (errors * valid).sum(axis=0) / counts
    centred = (errors - centre) * valid
    scale = np.sqrt((centred**2).sum(axis=0) / counts)
    covariance = centred.T @ centred / max(len(centred), 1)
    floor = max(SMALLEST, 1e-3 * float(np.median(scale)))
    return {
        "centre": centre.astype(np.float32),
        "scale": np.maximum(scale, floor).astype(np.float32),
        "whitening": _inverse_root(covariance, floor**2).astype(np.float32),
    }


def _inverse_root(covariance: Array, floor: float) -> Array:
    """The symmetric inverse square root; directions without variance get that of `floor`."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root: Array = (vectors / np.sqrt(np.maximum(eigenvalues, floor))) @ vectors.T
    return root


def _smoothed(held_out: HeldOut, values: Mapping[str, Array], config: DetectionConfig) -> Array:
    """Smoothed heights of a series from its first row on, `(rows, spans, targets)`."""
    valid = tf.constant(held_out.valid[None], tf.float32)
    errors = tf.constant(held_out.errors[None], tf.float32)
    heights = channel_errors(errors, valid, calibration=values, group=tf.constant([held_out.group]), config=config)
    smoothed: Array = _smoother(config, heights.shape[-1])(heights, valid).numpy()[0]
    return smoothed


@functools.lru_cache(maxsize=16)
def _smoother(config: DetectionConfig, targets: int) -> Callable[[Tensor, Tensor], Tensor]:
    """`smooth` from the first row on, traced once: outside of a function its loop would run step by step in Python."""
    rows = tf.TensorSpec((1, None, targets), tf.float32)

    def smoother(heights: Tensor, valid: Tensor) -> Tensor:
        return smooth(heights, valid, first_averages(1, config, targets), config)[0]

    compiled: Callable[[Tensor, Tensor], Tensor] = tf.function(smoother, input_signature=(rows, rows), autograph=False)
    return compiled
