"""What classifiers without a memory reach on the same labelled rows, tuned as a network is: on validation rows."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.evaluate import labels_of
from rnnapps.tasks.anomaly_detection.metrics import area_under_roc, average_precision
from rnnapps.types import Array

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["classifier_baselines", "ranking_metrics"]

ROUNDS, RATES, LEAVES = 100, (0.1, 0.03), (31, 7)
"""Of boosting: trees, and what is tried; how many of the trees count is chosen too."""

EVERY = 10
"""Each so manieth tree is a candidate for the last."""

PENALTIES = (1.0, 0.1, 0.01, 0.001)
"""Inverse penalties of the logistic regression that are tried."""


def ranking_metrics(labels: Array, scores: Array) -> dict[str, float]:
    """Threshold-free metrics of labelled rows; rows of label -1 are left out."""
    judged = labels >= 0
    truth = labels[judged] > 0
    return {
        "average_precision": average_precision(truth, scores[judged]),
        "roc_auc": area_under_roc(truth, scores[judged]),
    }


def classifier_baselines(
    train: Sequence[SeriesPart], validation: Sequence[SeriesPart], tested: Sequence[SeriesPart], *, seed: int
) -> dict[str, Array]:
    """Scores of tested rows `(rows,)` by gradient boosting and logistic regression of scikit-learn, on single rows.

    Both learn from training rows; their settings are those with the highest average precision on validation rows, or,
    where these are all of one kind, the first that are tried.
    """
    values, labels = _table(train)
    learned = labels >= 0
    rows, truth = np.nan_to_num(values[learned]), labels[learned] > 0
    judged, judged_labels = _table(validation)
    others, _ = _table(tested)
    scores = {}
    for name, way in {"gradient boosting": _boosted, "logistic regression": _regressed}.items():
        tried = way(rows, truth, np.nan_to_num(judged), seed)
        _, score = max(tried, key=lambda pair: _precision(judged_labels, pair[0]))
        scores[name] = score(np.nan_to_num(others))
    return scores


Tried = tuple[Array, Callable[[Array], Array]]
"""The scores of the validation rows by one setting, and what scores any rows so."""


def _boosted(rows: Array, truth: Array, judged: Array, seed: int) -> Iterator[Tried]:
    """Each setting, and of each so many trees; all of them first."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    for rate, leaves in itertools.product(RATES, LEAVES):
        model = HistGradientBoostingClassifier(
            learning_rate=rate, max_leaf_nodes=leaves, max_iter=ROUNDS, early_stopping=False, random_state=seed
        ).fit(rows, truth)
        stages = [scores.copy() for scores in _stages(model, judged)]
        for number in reversed(range(len(stages))):
            yield stages[number], functools.partial(_of_stage, model, number)


def _stages(model: HistGradientBoostingClassifier, rows: Array) -> Iterator[Array]:
    """The scores by the first `EVERY` trees, by twice as many..."""
    return itertools.islice(model.staged_decision_function(rows), EVERY - 1, None, EVERY)


def _of_stage(model: HistGradientBoostingClassifier, number: int, rows: Array) -> Array:
    return next(itertools.islice(_stages(model, rows), number, None))


def _regressed(rows: Array, truth: Array, judged: Array, seed: int) -> Iterator[Tried]:
    """Each penalty."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    for penalty in PENALTIES:
        regression = LogisticRegression(C=penalty, max_iter=1000, random_state=seed)
        model = make_pipeline(StandardScaler(), regression).fit(rows, truth)
        yield model.decision_function(judged), model.decision_function


def _precision(labels: Array, scores: Array) -> float:
    """Average precision on validation rows, -1 where it is not defined."""
    precision = ranking_metrics(labels, scores)["average_precision"] if (labels >= 0).any() else np.nan
    return -1.0 if np.isnan(precision) else float(precision)


def _table(parts: Sequence[SeriesPart]) -> tuple[Array, Array]:
    """Values `(rows, channels)` and labels `(rows,)` of all parts, one behind the other."""
    return np.concatenate([part.rows().values for part in parts]), labels_of(parts)
