"""How often a threshold will be crossed by normal rows, as far as held-out rows can tell."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.extreme_value import FEWEST_ABOVE
from rnnapps.tasks.anomaly_detection.metrics.events import intervals
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.types import Array

__all__ = ["AlarmRate", "alarm_rate", "promised_alarms", "tell_extrapolation"]

CONFIDENCE = 0.95


class AlarmRate(NamedTuple):
    """False alarms of a threshold on normal rows.

    Attributes:
        alarms: stretches of held-out normal rows above the threshold; those close together are one.
        rows: held-out normal rows.
        low: alarms per 1,000 rows that are likely at least (95 % interval).
        high: alarms per 1,000 rows that are likely at most (95 % interval).
    """

    alarms: int
    rows: int
    low: float
    high: float

    def words(self) -> str:
        """The rate with its interval."""
        return (
            f"{1000 * self.alarms / max(self.rows, 1):.2g} per 1,000 normal rows, 95 % interval {self.low:.2g} to "
            f"{self.high:.2g}: {self.alarms:,} in {self.rows:,} held-out rows"
        )


def promised_alarms(runner: PartRunner, parts: Sequence[SeriesPart], config: DetectionConfig) -> AlarmRate:
    """What the thresholds of a calibrated network promise, by the normal rows of parts.

    Args:
        runner: runs the network.
        parts: held-out parts.
        config: the settings.
    """
    scores: list[Array] = []
    thresholds: list[Array] = []
    for part, flags in zip(parts, runner.flags(parts, explain=False), strict=True):
        labels = part.rows().labels
        normal = np.ones(len(part), bool) if labels is None else labels <= 0
        normal[: max(config.warmup_steps - part.start, 0)] = False
        scores.append(np.asarray(flags.score)[normal])
        thresholds.append(np.asarray(flags.threshold)[normal])
    return alarm_rate(scores, thresholds, apart=max(config.join_steps, *config.smoothing_steps))


def tell_extrapolation(parts: Sequence[SeriesPart], config: DetectionConfig) -> None:
    """Tells where a threshold lies beyond what the validation rows can tell."""
    rows = sum(len(part) if (own := part.rows().labels) is None else int((own == 0).sum()) for part in parts)
    share = {"quantile": 1 - config.quantile, "extreme_value": config.risk}.get(config.threshold)
    if share is None or rows * share >= FEWEST_ABOVE:
        return
    needed = round(FEWEST_ABOVE / share)
    print(
        f"note: a threshold that {share:.3g} of the normal rows exceed needs {needed:,} of them to be seen; there are "
        f"{rows:,} validation rows, so it is extrapolated from their largest scores (peaks over threshold); `evaluate` "
        f"says what rate of false alarms they can promise",
        file=sys.stderr,
    )


def alarm_rate(scores: Sequence[Array], thresholds: Sequence[float | Array], *, apart: int) -> AlarmRate:
    """What thresholds promise.

    Alarms are counted, not rows: smoothed scores stay above a threshold for a while, so that rows are not independent,
    alarms that lie apart nearly are. The interval is the exact one of a Poisson count (Garwood 1936); it holds although
    the threshold was chosen on the same rows, for a row that is new exceeds the largest of n with probability
    1 / (n + 1), and the upper bound allows 3.7 / n.

    Args:
        scores: of normal held-out rows of each series, each `(rows,)`.
        thresholds: that of each series, or those of its rows `(rows,)`.
        apart: rows between two alarms that are two.
    """
    from scipy.stats import chi2

    alarms, rows = 0, sum(map(len, scores))
    for own, threshold in zip(scores, thresholds, strict=True):
        firsts = np.array([first for first, _ in intervals(own > threshold)])
        lasts = np.array([last for _, last in intervals(own > threshold)])
        alarms += int(len(firsts) > 0) + int((firsts[1:] - lasts[:-1] > apart).sum())
    tail = (1 - CONFIDENCE) / 2
    low = chi2.ppf(tail, 2 * alarms) / 2 if alarms else 0.0
    high = chi2.ppf(1 - tail, 2 * alarms + 2) / 2
    return AlarmRate(alarms, rows, 1000 * float(low) / max(rows, 1), 1000 * float(high) / max(rows, 1))
