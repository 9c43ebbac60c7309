"""Baselines of classifiers are the best of their settings on validation rows, whatever the seed."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnapps.data.series.series import SplitSeries
from rnnapps.tasks.anomaly_detection import boosting
from rnnapps.tasks.anomaly_detection.boosting import classifier_baselines
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.watched import read_watched
from rnnapps.types import Array
from tests.tasks.anomaly_detection.watched import write_events

SIZES = {"ROUNDS": 40, "RATES": (0.3, 0.01), "LEAVES": (31, 3), "EVERY": 20, "PENALTIES": (10.0, 1e-6)}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> SplitSeries:
    path = write_events(tmp_path_factory.mktemp("events") / "cards.csv", 1500)
    return read_watched(AnomalyDataConfig(source=str(path), entity="card", label="fraud")).parts


@pytest.fixture(autouse=True)
def few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SIZES.items():
        monkeypatch.setattr(boosting, name, value)


def table(parts: SplitSeries, split: str) -> tuple[Array, Array]:
    own = [part.rows() for part in getattr(parts, split)]
    return np.concatenate([rows.values for rows in own]), np.concatenate([rows.labels for rows in own]) > 0


def test_the_best_on_validation_rows_is_taken(parts: SplitSeries) -> None:
    """Every setting fitted anew by scikit-learn, each alone."""
    (rows, truth), (judged, labels), (tested, _) = (table(parts, split) for split in ("train", "validation", "test"))
    found = classifier_baselines(parts.train, parts.validation, parts.test, seed=0)
    boosted = [
        HistGradientBoostingClassifier(
            learning_rate=rate, max_leaf_nodes=leaves, max_iter=trees, early_stopping=False
        ).fit(rows, truth)
        for rate in SIZES["RATES"] for leaves in SIZES["LEAVES"] for trees in (40, 20)
    ]  # fmt: skip
    regressed = [
        make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=1000)).fit(rows, truth)
        for penalty in SIZES["PENALTIES"]
    ]
    for name, models in (("gradient boosting", boosted), ("logistic regression", regressed)):
        precisions = [average_precision_score(labels, model.decision_function(judged)) for model in models]
        # One amount is ranked alike by every penalty.
        assert (max(precisions) > min(precisions)) == (name == "gradient boosting")
        best = models[int(np.argmax(precisions))]
        np.testing.assert_allclose(found[name], best.decision_function(tested), rtol=1e-9)


def test_seeds_change_nothing(parts: SplitSeries) -> None:
    one, other = (classifier_baselines(parts.train, parts.validation, parts.test, seed=seed) for seed in (0, 1))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_without_faults_to_choose_by_the_first_setting_counts(parts: SplitSeries) -> None:
    rows, truth = table(parts, "train")
    tested, _ = table(parts, "test")
    healthy = [part for part in parts.validation if not (part.rows().labels > 0).any()]
    assert healthy
    found = classifier_baselines(parts.train, healthy, parts.test, seed=0)
    first = HistGradientBoostingClassifier(learning_rate=0.3, max_leaf_nodes=31, max_iter=40, early_stopping=False)
    expected = first.fit(rows, truth).decision_function(tested)
    np.testing.assert_allclose(found["gradient boosting"], expected, rtol=1e-9)
