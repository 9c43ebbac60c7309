from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from rnnapps.tasks.video_recognition.classification import classification_metrics, confusion_matrix, recall_by_class


def test_figures_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])
    found = classification_metrics(probabilities, np.array([0, 1, 2, 1]), item="video")
    assert found == {
        "accuracy": 0.75,
        "mean_recall": pytest.approx((1 + 0.5 + 1) / 3),
        "nats_per_video": pytest.approx(-np.log([0.7, 0.3, 0.8, 0.5]).mean()),
    }


def test_figures_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    probabilities = draw.dirichlet(np.ones(9), 200)
    targets = draw.integers(0, 9, 200)
    found = classification_metrics(probabilities, targets)
    best = probabilities.argmax(axis=1)
    assert found["accuracy"] == metrics.accuracy_score(targets, best)
    assert found["top_5_accuracy"] == metrics.top_k_accuracy_score(targets, probabilities, k=5)
    assert found["mean_recall"] == pytest.approx(metrics.balanced_accuracy_score(targets, best))
    assert found["nats_per_example"] == pytest.approx(metrics.log_loss(targets, probabilities))
    np.testing.assert_array_equal(confusion_matrix(best, targets, 9), metrics.confusion_matrix(targets, best))


def test_classes_that_do_not_occur_have_no_recall() -> None:
    matrix = confusion_matrix([0, 1, 1], [0, 0, 1], 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(recall_by_class(matrix), [0.5, 1.0, np.nan])
