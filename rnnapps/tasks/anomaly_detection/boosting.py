"""What classifiers without a memory reach on the same labelled rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.evaluate import labels_of
from rnnapps.tasks.anomaly_detection.metrics import area_under_roc, average_precision
from rnnapps.types import Array

__all__ = ["classifier_baselines", "ranking_metrics"]


def ranking_metrics(labels: Array, scores: Array) -> dict[str, float]:
    """Threshold-free metrics of labelled rows; rows of label -1 are left out."""
    judged = labels >= 0
    truth = labels[judged] > 0
    return {
        "average_precision": average_precision(truth, scores[judged]),
        "roc_auc": area_under_roc(truth, scores[judged]),
    }


def classifier_baselines(train: Sequence[SeriesPart], tested: Sequence[SeriesPart], *, seed: int) -> dict[str, Array]:
    """Scores of all rows by gradient boosting and logistic regression, by scikit-learn, on single rows `(rows,)`."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    values, labels = _table(train)
    learned = labels >= 0
    others, _ = _table(tested)
    models = {
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }
    scores = {}
    for name, model in models.items():
        model.fit(np.nan_to_num(values[learned]), labels[learned] > 0)
        scores[name] = model.predict_proba(np.nan_to_num(others))[:, 1]
    return scores


def _table(parts: Sequence[SeriesPart]) -> tuple[Array, Array]:
    """Values `(rows, channels)` and labels `(rows,)` of all parts, one behind the other."""
    return np.concatenate([part.rows().values for part in parts]), labels_of(parts)
