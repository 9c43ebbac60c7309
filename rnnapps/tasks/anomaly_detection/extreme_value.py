"""A threshold from extreme value theory: peaks over a threshold follow a generalised Pareto distribution.

Source: Siffer et al. 2017, "Anomaly Detection in Streams with Extreme Value Theory", KDD, sections 3 and 4.1.
"""

from __future__ import annotations

import numpy as np

from rnnapps.types import Array

__all__ = ["FEWEST_ABOVE", "extreme_value_threshold", "fit_generalised_pareto", "tail_quantile"]

INITIAL_QUANTILE = 0.98
FEWEST_PEAKS = 20
FEWEST_ABOVE = 10
"""Scores above a quantile that make it one that rows can tell; beyond, the tail is extrapolated."""

GRID = 2000


def tail_quantile(scores: Array, quantile: float) -> float:
    """The quantile of scores, extrapolated by their tail where fewer than 10 of them lie above it.

    It never falls when `quantile` rises: what is extrapolated is at least the last quantile that rows can tell.

    Args:
        scores: those of normal rows `(rows,)`.
        quantile: share of the scores below, above 0 and below 1.
    """
    told = 1 - FEWEST_ABOVE / max(len(scores), 1)
    if quantile <= told:
        return float(np.quantile(scores, quantile))
    last = float(np.quantile(scores, max(told, 0.0)))
    return max(extreme_value_threshold(scores, risk=1 - quantile), last)


def extreme_value_threshold(scores: Array, *, risk: float, initial_quantile: float = INITIAL_QUANTILE) -> float:
    """The score that a normal row exceeds with probability `risk`.

    z = t + σ/γ((risk·n/N)^(-γ) - 1), equation 1 of the paper, for n scores of which N lie above t.

    Args:
        scores: those of normal rows `(rows,)`.
        risk: small, above 0.
        initial_quantile: t, as a share of the scores; the tail beyond it is fitted. Of few scores a longer tail is
            taken, of 20 scores at least, or of half of them.

    Returns:
        The threshold, at least t; with fewer than 10 peaks, the largest score.
    """
    scores = np.asarray(scores, np.float64)
    begin = min(initial_quantile, max(1 - FEWEST_PEAKS / len(scores), 0.5))
    base = float(np.quantile(scores, begin))
    peaks = scores[scores > base] - base
    if len(peaks) < FEWEST_PEAKS // 2:
        return float(scores.max())
    shape, scale = fit_generalised_pareto(peaks)
    ratio = risk * len(scores) / len(peaks)
    beyond = -scale * np.log(ratio) if abs(shape) < 1e-8 else scale / shape * (ratio**-shape - 1)
    return base + max(float(beyond), 0.0)


def fit_generalised_pareto(peaks: Array) -> tuple[float, float]:
    """Maximum likelihood shape γ and scale σ of positive peaks.

    With θ = γ/σ the likelihood depends on one number: γ(θ) = mean log(1 + θy) and σ = γ/θ (Grimshaw 1993,
    Technometrics 35(2)), which is searched on a grid and refined around its best point. The exponential distribution,
    θ = 0, is one of the candidates.
    """
    peaks = np.asarray(peaks, np.float64)
    mean, largest = float(peaks.mean()), float(peaks.max())
    # Below -1 / largest there is no log(1 + θy); θ has another sign on each side of 0, and each has its own grid.
    low, high = -1 / largest * (1 - 1e-6), 20 / mean
    negative = low * np.linspace(1e-4, 1, GRID // 2)[::-1]
    positive = np.geomspace(1e-6 / mean, high, GRID // 2)
    candidates = np.concatenate([negative, positive])
    for _ in range(3):
        values = np.array([_profile(theta, peaks) for theta in candidates])
        best = int(values.argmax())
        around = candidates[max(best - 1, 0)], candidates[min(best + 1, len(candidates) - 1)]
        theta, likelihood = float(candidates[best]), float(values[best])
        candidates = np.linspace(*around, 200)
        candidates = candidates[candidates != 0]
    if likelihood <= -len(peaks) * (np.log(mean) + 1):  # that of the exponential distribution with this mean
        return 0.0, mean
    shape = float(np.log1p(theta * peaks).mean())
    return shape, shape / theta


def _profile(theta: float, peaks: Array) -> float:
    """Log likelihood at θ with the best γ and σ for it: -N log σ - (1 + 1/γ) Σ log(1 + θy), where the sum is Nγ."""
    shape = np.log1p(theta * peaks).mean()
    scale = shape / theta
    if not scale > 0 or shape < -1:  # below -1 the likelihood has no maximum
        return -np.inf
    return float(-len(peaks) * np.log(scale) - (1 + 1 / shape) * len(peaks) * shape)
