"""The tail's fit against SciPy's, and its threshold against the distribution the scores were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import genpareto

from rnnapps.tasks.anomaly_detection.extreme_value import (
    extreme_value_threshold,
    fit_generalised_pareto,
    tail_quantile,
)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.1, 0.4])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_fit_is_as_likely_as_that_of_scipy(shape: float, seed: int) -> None:
    peaks = genpareto.rvs(shape, scale=2.0, size=500, random_state=seed)
    found = fit_generalised_pareto(peaks)
    other, _, scale = genpareto.fit(peaks, floc=0)
    ours, theirs = (float(genpareto.logpdf(peaks, c, scale=s).sum()) for c, s in (found, (other, scale)))
    assert ours >= theirs - 1e-2
    assert found[0] == pytest.approx(shape, abs=0.15)
    assert found[1] == pytest.approx(2.0, rel=0.2)


def test_the_threshold_is_the_quantile_of_the_distribution() -> None:
    scores = np.random.default_rng(0).exponential(size=20_000)
    assert extreme_value_threshold(scores, risk=1e-4) == pytest.approx(-np.log(1e-4), rel=0.1)


def test_few_scores_give_their_largest() -> None:
    assert extreme_value_threshold(np.arange(15.0), risk=1e-4) == 14


def test_a_quantile_beyond_the_rows_is_extrapolated() -> None:
    draws = [np.random.default_rng(seed).exponential(size=3000) for seed in range(20)]
    found = np.median([tail_quantile(scores, 0.9999) for scores in draws])
    assert found == pytest.approx(-np.log(1e-4), rel=0.1)  # the empirical quantile of 3,000 rows is about 8
    assert tail_quantile(draws[0], 0.99) == np.quantile(draws[0], 0.99)


@pytest.mark.parametrize("rows", [25, 100, 3000])
def test_a_higher_quantile_is_never_a_lower_threshold(rows: int) -> None:
    for seed in range(5):
        scores = np.random.default_rng(seed).standard_t(3, size=rows) ** 2
        found = [tail_quantile(scores, quantile) for quantile in (0.5, 0.9, 0.99, 0.995, 0.999, 0.9999, 0.99999)]
        assert found == sorted(found)
