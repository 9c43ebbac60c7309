"""Sensors that fall silent: hidden in training, followed row by row, and left out of scores."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.hidden_sensors import hide_sensors
from rnnapps.tasks.anomaly_detection.scores import fill_expected, join, widen_levels
from rnnapps.tasks.anomaly_detection.silence import Silence, follow_silence, longest_gaps, silent_sensors


def followed(present: list[int], *, usual: int, settling_steps: int, pieces: int = 1) -> list[np.ndarray]:
    state = Silence(tf.zeros([1, 1], tf.int32), tf.zeros([1, 1], tf.int32))
    found: list[list[np.ndarray]] = [[], [], []]
    for piece in np.array_split(np.array(present, np.float32), pieces):
        rows = tf.constant(piece.reshape(1, -1, 1))
        silence, out, state = follow_silence(rows, state, usual=[usual], settling_steps=settling_steps)
        for kept, new in zip(found, (silence.absent, silence.unsettled, out), strict=True):
            kept.append(new.numpy()[0, :, 0])
    return [np.concatenate(kept) for kept in found]


def test_a_silence_longer_than_usual_is_out_until_it_has_settled() -> None:
    present = [1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    absent, unsettled, out = followed(present, usual=1, settling_steps=3)
    assert absent.tolist() == [0, 1, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0]
    assert unsettled.tolist() == [0, 0, 0, 0, 2, 3, 3, 2, 1, 0, 0, 0]
    assert out.tolist() == [False] * 4 + [True] * 6 + [False] * 2
    for expected, found in zip(
        (absent, unsettled, out), followed(present, usual=1, settling_steps=3, pieces=5), strict=True
    ):
        assert np.array_equal(expected, found)


def test_silences_are_those_of_one_row_after_another() -> None:
    draw, usual, settling = np.random.default_rng(4), [0, 2, 5], 4
    present = (draw.random((6, 41, 3)) < draw.random((6, 1, 3))).astype(np.float32)
    lengths = np.array([41, 40, 17, 1, 0, 33])
    first = draw.integers(0, 9, (2, 6, 3)).astype(np.int32)
    inside = tf.sequence_mask(lengths, 41)
    silence, out, after = follow_silence(
        tf.constant(present), Silence(*first), usual=usual, settling_steps=settling, inside=inside
    )
    for row, length in enumerate(lengths):
        for channel in range(3):
            absent, unsettled = first[:, row, channel]
            for time in range(length):
                was_unsettled = unsettled > 0
                if present[row, time, channel]:
                    absent, unsettled = 0, max(unsettled - 1, 0)
                else:
                    absent += 1
                    unsettled = max(unsettled, min(absent, settling)) if absent > usual[channel] else unsettled
                assert silence.absent[row, time, channel] == absent
                assert silence.unsettled[row, time, channel] == unsettled
                assert bool(out[row, time, channel]) == (absent > usual[channel] or was_unsettled)
            assert (int(after.absent[row, channel]), int(after.unsettled[row, channel])) == (absent, unsettled)


def test_a_short_silence_settles_as_quickly_as_it_was_long() -> None:
    assert followed([1, 0, 1, 1, 0, 0, 1, 1, 1], usual=0, settling_steps=9)[2].tolist() == [
        *(False, True, True, False),
        *(True, True, True, True, False),
    ]


def test_the_longest_gaps_of_each_channel_and_of_all_together() -> None:
    nan = np.nan
    one = np.array([[nan, 1, 1], [nan, nan, 1], [nan, nan, nan], [1, 1, 1]])
    other = np.array([[1, nan, 1], [1, nan, 1], [1, nan, np.inf]])
    assert longest_gaps([one, other]) == ((3, 3, 1), 1)
    assert silent_sensors(np.array([True, False, True]), False, ("a", "b", "c")) == "a; c"
    assert silent_sensors(np.array([True, True, True]), True, ("a", "b", "c")) == "(all)"


def test_training_hides_some_sensors_over_stretches_and_always_the_same() -> None:
    present = tf.ones((2000, 40, 4))
    shown = [hide_sensors(present, tf.constant([3, step], tf.int64), share=0.5).numpy() for step in (1, 1, 2)]
    assert np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[0], shown[2])
    hidden = shown[0] == 0
    touched = hidden.any(axis=(1, 2))
    assert 0.3 < touched.mean() < 0.5  # half of them are chosen, and in some no channel is drawn
    sensors = hidden.any(axis=1)[touched].sum(axis=1)
    assert set(sensors.tolist()) == {1, 2, 3, 4}
    throughout = hidden.all(axis=1).any(axis=1)[touched].mean()
    assert 0.35 < throughout < 0.7
    edges = np.abs(np.diff(hidden.astype(int), axis=1)).sum(axis=1)
    assert edges.max() == 2  # one stretch a channel
    assert not hide_sensors(present, tf.constant([3, 1], tf.int64), share=0.0).numpy().min() < 1


def test_what_is_missing_is_as_expected_by_the_rest() -> None:
    """The distance is that of the channels that are there, by their own covariance (closed form)."""
    draw = np.random.default_rng(0)
    root = draw.normal(size=(4, 4))
    covariance = root @ root.T + 0.1 * np.eye(4)
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    errors = draw.normal(size=(1, 3, 4))
    valid = np.array([[[1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]]], float)
    filled = fill_expected(*(tf.constant(part, tf.float32) for part in (errors * valid, valid, whitening[None])))
    squared = ((filled.numpy() @ whitening) ** 2).sum(axis=-1)[0]
    there = [0, 2]
    known = errors[0, 0, there]
    assert np.isclose(squared[0], known @ np.linalg.inv(covariance[np.ix_(there, there)]) @ known, rtol=1e-4)
    assert np.array_equal(filled[0, 1], errors[0, 1].astype(np.float32))
    assert not filled[0, 2].numpy().any()


def test_scores_are_those_of_the_channels_that_are_there() -> None:
    smoothed = tf.constant([[[[5.0, 1.0, 3.0]], [[5.0, 1.0, 3.0]], [[5.0, 1.0, 3.0]]]])
    valid = tf.constant([[[1.0, 1, 1], [0, 1, 1], [0, 0, 0]]])
    calibration = {"level": tf.ones((1, 4, 3))}
    for aggregate, expected in (("max", [5, 3, 0]), ("mean", [3, 2, 0])):
        config = DetectionConfig(smoothing_steps=(1,), aggregate=aggregate)
        score, share = join(smoothed, valid, calibration=calibration, group=tf.constant([0]), config=config)
        assert score.numpy().tolist() == [expected]
        assert share.numpy()[0, 1, 0] == 0


def test_variances_of_several_silent_sensors_add_up() -> None:
    widening = np.ones((2, 4, 1), np.float32)
    widening[:, 0, 0] = 3, 2
    out = tf.constant([[[0.0, 0], [1, 0], [1, 1]]])
    heights = widen_levels(tf.fill((1, 3, 1, 1), 6.0), out, tf.constant(widening)).numpy()[0, :, 0, 0]
    assert np.allclose(heights, [6, 2, 6 / np.sqrt(12)])
