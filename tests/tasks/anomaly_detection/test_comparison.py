"""Parts of a ranking: their sums give the average precision of the whole, and of any parts drawn again."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.contract.evaluation import MODEL
from rnnapps.tasks.anomaly_detection.comparison import compare_rankings, event_segments
from rnnapps.tasks.anomaly_detection.metrics import average_precision


def series(seed: int, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    truth = np.zeros(rows, bool)
    for first in range(20, rows, 40):
        truth[first : first + 6] = True
    return truth, draw.normal(size=rows) + truth


def test_a_series_is_cut_in_the_middle_between_its_events() -> None:
    truth = np.array([0, 1, 1, 0, 0, 0, 1, 0, 1, 0], bool)
    assert event_segments(truth).tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert event_segments(np.zeros(3, bool)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("pooled", [True, False])
def test_sums_of_parts_give_the_average_precision(pooled: bool) -> None:
    truths, scores = zip(*(series(seed) for seed in (0, 1)), strict=True)
    comparison = compare_rankings("auc_pr", truths, {MODEL: scores}, pooled=pooled)
    table = comparison.statistics[MODEL]
    assert len(table) == 20  # ten events in each of two series
    joined = average_precision(np.concatenate(truths), np.concatenate(scores))
    apart = np.mean([average_precision(*pair) for pair in zip(truths, scores, strict=True)])
    assert comparison.score(table.sum(axis=0)) == pytest.approx(joined if pooled else apart, abs=1e-9)
    # Drawn again: the first series' first part twice, its second not at all.
    times = np.ones(20, int)
    times[:2] = 2, 0
    segments = event_segments(truths[0])
    rows = np.concatenate(
        [np.flatnonzero(segments == part) for part, count in enumerate(times[:10]) for _ in range(count)]
    )
    pairs = [(truths[0][rows], scores[0][rows]), (truths[1], scores[1])]
    expected = (
        average_precision(*(np.concatenate(column) for column in zip(*pairs, strict=True)))
        if pooled
        else np.mean([average_precision(*pair) for pair in pairs])
    )
    assert comparison.score(times @ table) == pytest.approx(expected, abs=1e-9)


def test_many_series_are_parts_of_their_own() -> None:
    truths, scores = (list(column) for column in zip(*(series(seed, 80) for seed in range(25)), strict=True))
    truths[3] = np.zeros(80, bool)
    comparison = compare_rankings("auc_pr", truths, {MODEL: scores}, pooled=False)
    assert (len(comparison.statistics[MODEL]), comparison.part) == (24, "series")
    own = [average_precision(*pair) for pair in zip(truths, scores, strict=True) if pair[0].any()]
    assert comparison.score(comparison.statistics[MODEL].sum(axis=0)) == pytest.approx(np.mean(own))
