"""Whether a model beats its best baseline, and whether that is more than chance."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Set as AbstractSet

import numpy as np

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation, Outcome, Verdict
from rnnapps.metrics.verdict_sentence import FEWEST_PARTS, sentence
from rnnapps.types import Array

__all__ = ["judge", "redrawn_advantages"]

MOST_PARTS = 10_000
REDRAWN, CONFIDENCE, AT_ONCE = 2_000, 0.95, 100


def judge(evaluation: Evaluation, *, higher_is_better: AbstractSet[str]) -> Verdict:
    """Compares the model with its best baseline, by the metric of the evaluation's comparison.

    The best baseline is the one with the best value of that metric on the same examples. What is more than chance is
    told by a paired bootstrap: an interval of 95 % of the advantages on parts drawn again and again, the same ones for
    both (Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation"; Bisani and Ney 2004 for word
    error rates). It is the same each time.

    Args:
        evaluation: metrics, baselines and comparison.
        higher_is_better: metrics of which more is better; of all others less is.
    """
    comparison = evaluation.comparison
    metric = comparison.metric if comparison else _first_shared(evaluation)
    model = evaluation.metrics[metric]
    sign = 1.0 if metric in higher_is_better else -1.0
    rivals = {
        name: values[metric]
        for name, values in evaluation.baselines.items()
        if metric in values and math.isfinite(values[metric])
    }
    if not rivals or not math.isfinite(model):
        verdict = Verdict("not tested" if rivals else "no baseline", "", metric, model)
        return dataclasses.replace(verdict, sentence=sentence(verdict))
    baseline = max(rivals, key=lambda name: sign * rivals[name])
    outcome, interval, parts = _tested(comparison, baseline, sign)
    leaders = _leaders(evaluation, metric, higher_is_better)
    verdict = Verdict(
        outcome,
        "",
        metric=metric,
        model=model,
        baseline=baseline,
        baseline_value=rivals[baseline],
        advantage=sign * (model - rivals[baseline]),
        interval=interval,
        parts=parts,
        part=comparison.part if comparison else "",
        led_by={name: leader for name, leader in leaders.items() if leader},
        leads_by=tuple(name for name, leader in leaders.items() if leader is None),
    )
    return dataclasses.replace(verdict, sentence=sentence(verdict))


def redrawn_advantages(model: Array, baseline: Array, comparison: Comparison, *, sign: float = 1.0) -> Array:
    """By how much a model is better than a baseline on parts that are drawn again with replacement.

    Args:
        model: statistics of the model `(parts, statistics)`.
        baseline: those of the baseline on the same parts.
        comparison: whose `score` turns sums into the metric.
        sign: 1 where more is better, else -1.

    Returns:
        float64 `(2000,)`.
    """
    random = np.random.default_rng(0)
    both = np.concatenate([model, baseline], axis=1)
    if len(both) > MOST_PARTS:  # several parts, dealt at random, are drawn as one: they are independent all the same
        together = random.permutation(len(both)) % MOST_PARTS
        both = np.stack([np.bincount(together, weights=column) for column in both.T], axis=-1)
    advantages = []
    for _ in range(REDRAWN // AT_ONCE):
        drawn = random.integers(len(both), size=(AT_ONCE, len(both)))
        counts = np.stack([np.bincount(row, minlength=len(both)) for row in drawn])
        own, other = np.split(counts @ both, [model.shape[1]], axis=1)
        advantages.append(sign * (comparison.score(own) - comparison.score(other)))
    return np.concatenate(advantages)


def _tested(
    comparison: Comparison | None, baseline: str, sign: float
) -> tuple[Outcome, tuple[float, float] | None, int]:
    """What redrawing the parts says: the outcome, the interval, and how many parts there are."""
    if comparison is None or baseline not in comparison.statistics:
        return "not tested", None, 0
    model, other = (np.asarray(comparison.statistics[name], np.float64) for name in (MODEL, baseline))
    if len(model) < FEWEST_PARTS:
        return "too few examples", None, len(model)
    advantages = redrawn_advantages(model, other, comparison, sign=sign)
    if np.isnan(advantages).all():
        return "not tested", None, len(model)
    low, high = (float(bound) for bound in np.nanquantile(advantages, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    outcome: Outcome = "better" if low > 0 else "worse" if high < 0 else "level"
    return outcome, (low, high), len(model)


def _first_shared(evaluation: Evaluation) -> str:
    """The first metric that a baseline has too; else the first of all."""
    shared = (name for name in evaluation.metrics if any(name in own for own in evaluation.baselines.values()))
    return next(shared, next(iter(evaluation.metrics)))


def _leaders(evaluation: Evaluation, metric: str, higher_is_better: AbstractSet[str]) -> dict[str, str | None]:
    """Who is best by each other metric that baselines have too: the name of a baseline, None for the model.

    Metrics by which they are level are left out.
    """
    leaders: dict[str, str | None] = {}
    for other, own in evaluation.metrics.items():
        sign = 1.0 if other in higher_is_better else -1.0
        rivals = {name: sign * values[other] for name, values in evaluation.baselines.items() if other in values}
        best = max(rivals, key=lambda name: rivals[name], default=None)
        if other != metric and best is not None and rivals[best] != sign * own:
            leaders[other] = best if rivals[best] > sign * own else None
    return leaders
