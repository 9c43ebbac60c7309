from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.speech_recognition.preprocessing.resampling import is_convertible, resample

CONVERT = tf.function(resample, reduce_retracing=True, autograph=False)
PAIRS = [(44_100, 8_000), (48_000, 8_000), (16_000, 8_000), (8_000, 16_000), (22_050, 16_000), (11_025, 8_000)]


def tone(hertz: float, rate: int, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate + 0.3)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_tones_stay_and_what_does_not_fit_goes(before: int, after: int) -> None:
    kept = 0.3 * min(before, after)
    found = CONVERT(tf.constant(tone(kept, before, before // 2), tf.float32), tf.constant(before), after).numpy()
    assert len(found) == math.ceil(before // 2 * after / before)
    middle = slice(200, -200)
    np.testing.assert_allclose(found[middle], tone(kept, after, len(found))[middle], atol=1e-4)
    if after < before:
        gone = CONVERT(tf.constant(tone(0.6 * after, before, before // 2), tf.float32), tf.constant(before), after)
        assert np.abs(gone.numpy()[middle]).max() < 2e-4


def test_the_same_rate_changes_nothing_and_nothing_stays_nothing() -> None:
    sound = tf.constant([0.5, -0.25, 0.125])
    assert resample(sound, tf.constant(8000), 8000).numpy().tolist() == sound.numpy().tolist()
    assert resample(tf.zeros([0]), tf.constant(44_100), 8000).shape == (0,)
    assert resample(tf.ones([1]), tf.constant(44_100), 8000).shape == (1,)


# 383,992 Hz would need a matrix of 48,000 by 2,000 weights.
@pytest.mark.parametrize("rate", [44_101, 383_992, 500, 384_001, 0, -8000, 2**31 - 1])
def test_odd_rates_are_refused(rate: int) -> None:
    assert not is_convertible(tf.constant(rate), 16_000)


@pytest.mark.parametrize(
    "rate", [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000, 384_000]
)
def test_usual_rates_are_converted(rate: int) -> None:
    assert all(is_convertible(tf.constant(rate), to) for to in (8000, 16_000, 22_050, 44_100, 48_000))
