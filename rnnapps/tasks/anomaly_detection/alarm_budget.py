"""A threshold that keeps a budget of alarms: it rises with each alarm, and falls back while there is none.

Source: quantile tracking, Angelopoulos et al. 2023, "Conformal PID Control for Time Series Prediction",
arXiv:2307.16895, section 2.1, q_(t+1) = q_t + η(err_t - α), which goes back to adaptive conformal inference (Gibbs &
Candès 2021, arXiv:2106.00234, equation 2). Three things are as alarms want them:

- q is the logarithm of the threshold, to base 2 and with η = 1, so that scores of any scale are followed;
- err_t is 1 where an alarm begins, not in each of its rows, so that α is alarms a row: the budget;
- q never falls below the calibrated threshold, for a budget is spent where there is reason to, not used up.

Each step obeys q_(t+1) >= q_t + err_t - α, and no alarm begins where q is above the largest score. So N alarms in T
rows, from the calibrated threshold on, hold N <= αT + 1 + log2(largest score / calibrated threshold), whatever the
scores are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.kernels.loop import loop
from rnnapps.tasks.anomaly_detection.alarms import SECONDS_PER_DAY
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.types import Array, Tensor, Tensors

__all__ = ["AlarmBudget", "AlarmState", "budget_of", "keep_budget", "raised_thresholds"]

LEAST_THRESHOLD = 1e-6
"""Doubling leaves 0 where it is."""


class AlarmBudget(NamedTuple):
    """What alarms may cost.

    Attributes:
        alarms_per_row: α, the budget.
        join_steps: rows below the threshold within an alarm.
        probabilities: whether scores are probabilities, of which the odds are doubled.
    """

    alarms_per_row: float
    join_steps: int
    probabilities: bool = False


class AlarmState(NamedTuple):
    """What is known of each series; zeros before its first row.

    Attributes:
        doublings: how often the calibrated threshold is doubled for the next alarm, float64 `(batch,)`.
        open_rows: rows below the threshold after which the open alarm is over, int32 `(batch,)`; 0 when none is open.
    """

    doublings: Tensor
    open_rows: Tensor


def budget_of(config: DetectionConfig, rows: SensorRows, *, probabilities: bool = False) -> AlarmBudget | None:
    """What alarms may cost; None without a budget, or with the dynamic threshold, which looks ahead.

    Raises:
        ConfigError: rows have no times, or no usual distance of them.
    """
    if not config.budget_per_day or config.threshold == "dynamic":
        return None
    if not rows.row_seconds > 0:
        raise ConfigError(
            "detection.budget_per_day needs rows with times, one row after another, to know how many a day has; name "
            "their column by data.time, or leave the budget at 0"
        )
    return AlarmBudget(config.budget_per_day * rows.row_seconds / SECONDS_PER_DAY, config.join_steps, probabilities)


def keep_budget(
    scores: Tensor, calibrated: Tensor, before: AlarmState, budget: AlarmBudget, *, inside: Tensor | None = None
) -> tuple[Tensor, AlarmState]:
    """Thresholds that rise with each alarm.

    An alarm that is open is held to the threshold at which it began, plus what it has lasted: while it is open the
    threshold rises by α doublings a row, so that what never ends becomes the usual state.

    Args:
        scores: `(batch, time)`.
        calibrated: threshold of each series `(batch,)`.
        before: what came before.
        budget: see `AlarmBudget`.
        inside: bool `(batch, time)`, True where a row counts; the others leave the state as it is. All by default.

    Returns:
        The threshold of each row `(batch, time)`, and the state after the last.
    """
    base = tf.maximum(calibrated, LEAST_THRESHOLD)
    counted = tf.ones_like(scores, tf.bool) if inside is None else inside

    def row(_: Tensor, state: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
        (doublings, open_rows), (score, counts) = state, now
        is_open = open_rows > 0
        # Its own doubling does not end an alarm.
        held = tf.where(is_open, tf.maximum(doublings - 1, 0.0), doublings)
        threshold = _doubled(base, tf.cast(held, tf.float32), budget)
        above = score > threshold
        rate = tf.constant(budget.alarms_per_row, tf.float64)
        change = tf.cast(above & ~is_open, tf.float64) + tf.where(is_open, rate, -rate)
        risen = tf.maximum(doublings + change, 0.0)
        left = tf.where(above, budget.join_steps + 1, tf.maximum(open_rows - 1, 0))
        return [tf.where(counts, risen, doublings), tf.where(counts, left, open_rows)], [threshold]

    reads = [tf.transpose(scores), tf.transpose(counted)]
    steps = scores.shape[1] if scores.shape[1] is not None else tf.shape(scores)[1]
    after, _, (thresholds,) = loop(row, steps, list(before), reads, backwards=False)
    return tf.transpose(thresholds), AlarmState(*after)


def raised_thresholds(scores: Array, calibrated: float, budget: AlarmBudget) -> Array:
    """The thresholds of a whole series of scores `(rows,)`, float32 `(rows,)`."""
    rows, series = tf.constant(scores[None], tf.float32), tf.constant([calibrated], tf.float32)
    thresholds: Array = _whole_series(budget)(rows, series).numpy()[0]
    return thresholds


@functools.lru_cache(maxsize=4)
def _whole_series(budget: AlarmBudget) -> Callable[[Tensor, Tensor], Tensor]:
    """Thresholds from the first row on, traced once."""
    rows = tf.TensorSpec((1, None), tf.float32)

    def thresholds(scores: Tensor, calibrated: Tensor) -> Tensor:
        first = AlarmState(tf.zeros([1], tf.float64), tf.zeros([1], tf.int32))
        return keep_budget(scores, calibrated, first, budget)[0]

    compiled: Callable[[Tensor, Tensor], Tensor] = tf.function(
        thresholds, input_signature=(rows, tf.TensorSpec((1,), tf.float32)), autograph=False
    )
    return compiled


def _doubled(base: Tensor, doublings: Tensor, budget: AlarmBudget) -> Tensor:
    """Thresholds `(batch,)` doubled so often; of probabilities their odds p / (1 - p) are."""
    factor = tf.pow(np.float32(2), doublings)
    return base * factor / (1 + base * (factor - 1)) if budget.probabilities else base * factor
