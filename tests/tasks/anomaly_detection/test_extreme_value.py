"""The tail's fit against SciPy's, and its threshold against the distribution the scores were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import genpareto

from rnnapps.tasks.anomaly_detection.extreme_value import extreme_value_threshold, fit_generalised_pareto


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
    assert extreme_value_threshold(np.arange(50.0), risk=1e-4) == 49
