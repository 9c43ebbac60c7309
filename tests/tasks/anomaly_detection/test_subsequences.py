"""Windows as vectors, their scores as scores of rows, and what baselines of windows and their tuning make of faults."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.tasks.anomaly_detection.injected_faults import with_faults
from rnnapps.tasks.anomaly_detection.metrics import average_precision, intervals
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.subsequences import Fitted, cluster_distance, window_residual
from rnnapps.tasks.anomaly_detection.windows_of_rows import row_windows, scores_of_rows

CHANNELS = ("a", "b")


@pytest.fixture(scope="module")
def wave() -> tuple[SensorRows, SeriesPart, SeriesPart]:
    """Two sensors of one rhythm: training rows, and rows in which one of them loses it."""
    turn = 2 * np.pi * np.arange(900) / 25
    values = np.stack([np.sin(turn), 5 + np.cos(turn)], axis=1) + np.random.default_rng(0).normal(size=(900, 2)) * 0.05
    values[700:740, 1] = values[700, 1]
    series = Series("wave", None, values, CHANNELS)
    names = {"targets": CHANNELS, "series": ("wave",), "calendar": False, "row_seconds": 0.0}
    rows = SensorRows.fit({"wave": values[:500]}, CHANNELS, **names)
    return rows, SeriesPart(series, 0, 500), SeriesPart(series, 500, 900)


def test_windows_are_successive_rows() -> None:
    rows = np.arange(8).reshape(4, 2)
    assert row_windows(rows, 3).tolist() == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7]]
    assert len(row_windows(np.zeros((1000, 1)), 10, most=7)) == 7


def test_the_score_of_a_row_is_the_mean_of_the_windows_that_hold_it() -> None:
    assert scores_of_rows(np.array([1.0, 3.0, 8.0]), 2).tolist() == [1, 2, 5.5, 8]


@pytest.mark.parametrize("learn", [cluster_distance, window_residual])
def test_windows_that_training_does_not_know_stand_out(
    learn: object, wave: tuple[SensorRows, SeriesPart, SeriesPart]
) -> None:
    rows, train, tested = wave
    judge: Fitted = learn([train], rows, 0, 16)  # type: ignore[operator]
    scores, valid = judge(tested)
    assert scores.shape == valid.shape == (400, 1)
    assert 195 <= scores[:, 0].argmax() <= 245
    truth = np.zeros(400, bool)
    truth[200:240] = True
    assert average_precision(truth, scores[:, 0]) > 0.9


def test_faults_are_written_where_their_labels_say(wave: tuple[SensorRows, SeriesPart, SeriesPart]) -> None:
    rows, train, _ = wave
    faulty = with_faults(train, rows, np.random.default_rng(1)).rows()
    changed = (faulty.values != train.rows().values).any(axis=1)
    assert faulty.labels is not None
    assert len(intervals(faulty.labels > 0)) == 2
    assert not changed[faulty.labels == 0].any()
    assert changed[faulty.labels > 0].mean() > 0.9
