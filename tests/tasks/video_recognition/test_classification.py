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


def test_equal_probabilities_count_as_likelier_in_the_order_of_classes() -> None:
    """Six classes alike: the first five are the top five; the first alone is the best."""
    found = classification_metrics(np.full((2, 6), 1 / 6), np.array([4, 5]))
    assert (found["accuracy"], found["top_5_accuracy"]) == (0, 0.5)
    assert classification_metrics(np.full((1, 6), 1 / 6), np.array([0]))["accuracy"] == 1
    assert "top_5_accuracy" not in classification_metrics(np.full((1, 5), 0.2), np.array([0]))


def test_an_impossible_class_costs_a_finite_number_of_nats() -> None:
    found = classification_metrics(np.array([[1.0, 0.0]]), np.array([1]))
    assert found["nats_per_example"] == pytest.approx(12 * np.log(10))


def test_ties_among_many_classes_keep_the_order_of_classes() -> None:
    """Of forty classes every second one is likelier: 1, 3, 5, 7, 9 come first."""
    probabilities = np.tile([1 / 60, 2 / 60], 20)[None]
    found = [classification_metrics(probabilities, np.array([target]))["top_5_accuracy"] for target in (9, 11)]
    assert found == [1, 0]
