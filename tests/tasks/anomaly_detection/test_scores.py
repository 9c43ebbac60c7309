"""Scores against NumPy and pandas, and their independence of how a series is cut."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from rnnapps.tasks.anomaly_detection.calibrate import HeldOut, calibrate, score_errors
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.scores import channel_errors, first_averages, join, smooth

ROWS, TARGETS = 400, 3
CONFIG = DetectionConfig(smoothing_steps=(1, 9), scorer="absolute")


@pytest.fixture(scope="module")
def errors() -> np.ndarray:
    draw = np.random.default_rng(0)
    mixing = np.array([[1, 0.8, 0], [0, 0.4, 0], [0, 0, 3]])
    return (draw.normal(size=(ROWS, TARGETS)) @ mixing + 0.5).astype(np.float32)


def held_out(errors: np.ndarray, **changes: object) -> HeldOut:
    ones = np.ones_like(errors)
    return HeldOut(0, errors, ones, np.ones(len(errors), bool))._replace(**changes)


def test_averages_are_those_of_pandas(errors: np.ndarray) -> None:
    heights, valid = np.abs(errors)[None], np.ones((1, ROWS, TARGETS), np.float32)
    smoothed, _ = smooth(tf.constant(heights), tf.constant(valid), first_averages(1, CONFIG, TARGETS), CONFIG)
    assert np.allclose(smoothed[0, :, 0], heights[0], atol=1e-5)
    assert np.allclose(smoothed[0, :, 1], pd.DataFrame(heights[0]).ewm(span=9).mean(), atol=1e-5)


def test_missing_errors_leave_the_averages_as_they_are(errors: np.ndarray) -> None:
    valid = np.ones((1, ROWS, TARGETS), np.float32)
    valid[0, 100:120, 1] = 0
    heights = np.abs(errors)[None]
    smoothed, _ = smooth(tf.constant(heights), tf.constant(valid), first_averages(1, CONFIG, TARGETS), CONFIG)
    expected = np.where(valid[0] > 0, heights[0], np.nan)
    expected = pd.DataFrame(expected).ewm(span=9, ignore_na=True).mean()
    assert np.allclose(smoothed[0, :, 1], expected, atol=1e-5)


def test_any_division_gives_the_same_averages(errors: np.ndarray) -> None:
    heights, valid = tf.constant(np.abs(errors)[None]), tf.ones((1, ROWS, TARGETS))
    whole, _ = smooth(heights, valid, first_averages(1, CONFIG, TARGETS), CONFIG)
    averages, pieces = first_averages(1, CONFIG, TARGETS), []
    for start, stop in ((0, 1), (1, 2), (2, 150), (150, ROWS)):
        piece, averages = smooth(heights[:, start:stop], valid[:, start:stop], averages, CONFIG)
        pieces.append(piece)
    assert np.allclose(tf.concat(pieces, axis=1), whole, atol=1e-6)


def test_whitened_heights_are_the_mahalanobis_distance(errors: np.ndarray) -> None:
    config = DetectionConfig(smoothing_steps=(1,), scorer="mahalanobis")
    values = calibrate([held_out(errors)], 1, config)
    heights = channel_errors(
        tf.constant(errors[None]),
        tf.ones((1, ROWS, TARGETS)),
        calibration=values,
        group=tf.constant([0]),
        config=config,
    )
    centred = errors - errors.mean(axis=0)
    inverse = np.linalg.inv(np.cov(centred.T, bias=True))
    distance = np.sqrt(np.einsum("ti,ij,tj->t", centred, inverse, centred))
    assert np.allclose(np.linalg.norm(heights[0], axis=1), distance, rtol=1e-3)


def test_scores_and_shares_by_hand() -> None:
    values = {"level": np.array([[[2.0, 1.0], [1.0, 4.0]]], np.float32)}
    smoothed = tf.constant([[[[4.0, 1.0], [1.0, 2.0]]]])  # one row: spans (4, 1) and (1, 2)
    config = dataclasses.replace(CONFIG, aggregate="max")
    judged = {"valid": tf.ones((1, 1, 2)), "calibration": values, "group": tf.constant([0])}
    score, share = join(smoothed, config=config, **judged)
    assert score.numpy().item() == 2.0
    assert share.numpy().ravel() == pytest.approx([0.8, 0.2])
    mean = join(smoothed, config=dataclasses.replace(CONFIG, aggregate="mean"), **judged)
    assert mean.score.numpy().item() == 1.5


def test_the_quantile_of_held_out_scores_is_the_threshold(errors: np.ndarray) -> None:
    config = dataclasses.replace(CONFIG, quantile=0.9, margin=1.0)
    values = calibrate([held_out(errors)], 1, config)
    scores, share = score_errors(held_out(errors), values, config)
    assert (scores > values["threshold"][0]).mean() == pytest.approx(0.1, abs=0.005)
    assert np.allclose(share.sum(axis=1), 1, atol=1e-5)


def test_a_higher_quantile_gives_fewer_alarms() -> None:
    draw = np.random.default_rng(1)
    known, later = (draw.standard_t(4, size=(3000, 8)).astype(np.float32) for _ in range(2))
    flagged = []
    for quantile in (0.99, 0.999, 0.9999):
        config = DetectionConfig(quantile=quantile, margin=1.0)
        values = calibrate([held_out(known)], 1, config)
        flagged.append(int((score_errors(held_out(later), values, config)[0] > values["threshold"][0]).sum()))
    assert flagged[0] == pytest.approx(30, abs=15)
    assert flagged[0] > flagged[1] > flagged[2]


def test_training_rows_can_only_raise_thresholds(errors: np.ndarray) -> None:
    plain, low, high = (
        calibrate([held_out(errors)], 1, CONFIG, taught=taught)
        for taught in ([], [held_out(errors / 2 + 0.25)], [held_out(errors * 3)])
    )
    assert low["threshold"][0] == plain["threshold"][0]
    assert high["threshold"][0] > 2 * plain["threshold"][0]
    assert all(np.array_equal(high[name], plain[name]) for name in plain if name != "threshold")


def test_labelled_faults_teach_nothing(errors: np.ndarray) -> None:
    faulty = errors.copy()
    faulty[50:60] = 1000
    normal = np.ones(ROWS, bool)
    normal[50:60] = False
    config = dataclasses.replace(CONFIG, smoothing_steps=(1,))
    values = calibrate([held_out(faulty, normal=normal)], 1, config)
    assert values["scale"][0].max() < 10
    assert values["threshold"][0] < 10


def test_series_with_few_rows_are_judged_by_all(errors: np.ndarray) -> None:
    small = held_out(errors[:10] * 100, group=2)
    values = calibrate([held_out(errors, group=1), small], 3, CONFIG)
    assert np.allclose(values["scale"][2], values["scale"][0])
    assert not np.allclose(values["scale"][1], values["scale"][0])
