"""A threshold from extreme value theory: peaks over a threshold follow a generalised Pareto distribution.

Source: Siffer et al. 2017, "Anomaly Detection in Streams with Extreme Value Theory", KDD, sections 3 and 4.1.
"""

from __future__ import annotations

import numpy as np

from rnnapps.types import Array

__all__ = ["extreme_value_threshold", "fit_generalised_pareto"]

INITIAL_QUANTILE = 0.98
FEWEST_PEAKS = 10
GRID = 2000


def extreme_value_threshold(scores: Array, *, risk: float, initial_quantile: float = INITIAL_QUANTILE) -> float:
    """The score that a normal row exceeds with probability `risk`.

    z = t + σ/γ((risk·n/N)^(-γ) - 1), equation 1 of the paper, for n scores of which N lie above t.

    Args:
        scores: those of normal rows `(rows,)`.
        risk: small, above 0.
        initial_quantile: t, as a share of the scores; the tail beyond it is fitted.

    Returns:
        The threshold, at least t; with fewer than 10 peaks, the largest score.
    """
    scores = np.asarray(scores, np.float64)
    base = float(np.quantile(scores, initial_quantile))
    peaks = scores[scores > base] - base
    if len(peaks) < FEWEST_PEAKS:
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
