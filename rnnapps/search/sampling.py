"""Which configuration is tried next, and what the ones so far say about the settings: by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnapps.ranges import Choices, Range
from rnnapps.search.halving import BASELINE, Record

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

    from rnnapps.search.space import Space

__all__ = ["distributions", "importances", "suggest"]

DIGITS = 3
"""Of a suggested number: settings are typed by people too."""

FEWEST = 5
"""Configurations below which nothing is said about the importance of settings."""


def suggest(space: Space, records: Sequence[Record], *, higher_is_better: bool, seed: int) -> dict[str, Any]:
    """Settings to try next, by a tree-structured Parzen estimator (Bergstra et al. 2011) of all that is known.

    The same records and seed give the same settings.

    Args:
        space: what may vary.
        records: the configurations so far. Those that came further count for more; open ones for what they have
            reached, and failed ones as the worst.
        higher_is_better: of the metric.
        seed: decides everything random.
    """
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = _study(space, records, higher_is_better)
        study.sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=8)
        found = study.ask(distributions(space)).params
    return {key: _rounded(space[key], value) for key, value in found.items()}


def importances(space: Space, records: Sequence[Record], step: int, *, higher_is_better: bool) -> dict[str, float]:
    """Setting -> its share in what decides about the value at a rung, the largest first; empty if too few are known.

    By PED-ANOVA (arXiv:2304.10255): how the values of the best configurations are spread, beside those of all.
    """
    import optuna

    arrived = [record for record in records if step in record.values]
    varying = [key for key in space if len({str(record.settings[key]) for record in arrived}) > 1]
    if len(arrived) < FEWEST or not varying:
        return {}
    study = optuna.create_study(direction=_direction(higher_is_better))
    kinds = distributions(space)
    study.add_trials(
        [
            optuna.trial.create_trial(params=dict(record.settings), distributions=kinds, value=record.values[step])
            for record in arrived
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(study, params=varying)
    return {key: float(share) for key, share in found.items()}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The space in Optuna's types."""
    return {key: _distribution(tried) for key, tried in space.items()}


def _distribution(tried: Range | Choices) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(tried, Choices):
        return CategoricalDistribution(tried.values)
    if _whole(tried):
        return IntDistribution(int(tried.low), int(tried.high), log=tried.logarithmic)
    return FloatDistribution(tried.low, tried.high, log=tried.logarithmic)


def _whole(tried: Range) -> bool:
    return isinstance(tried.low, int) and isinstance(tried.high, int)


def _rounded(tried: Range | Choices, value: Any) -> Any:
    """A number with few digits that is still within its range."""
    if not isinstance(tried, Range) or isinstance(value, int):
        return value
    return min(max(float(f"{value:.{DIGITS}g}"), tried.low), tried.high)


def _study(space: Space, records: Sequence[Record], higher_is_better: bool) -> Study:
    """What is known, as the sampler reads it: of open configurations the furthest rung decides."""
    import optuna

    states, kinds = optuna.trial.TrialState, distributions(space)
    study = optuna.create_study(direction=_direction(higher_is_better))
    for record in records:
        state = states.COMPLETE if record.state == "done" else states.PRUNED
        if record.state == "open" and not record.values and record.number != BASELINE:
            state = states.RUNNING
        trial = optuna.trial.create_trial(
            state=state,
            value=record.value if state == states.COMPLETE else None,
            params=dict(record.settings),
            distributions=kinds,
            intermediate_values={} if record.state == "failed" else dict(record.values),
        )
        study.add_trial(trial)
    return study


def _direction(higher_is_better: bool) -> str:
    return "maximize" if higher_is_better else "minimize"
