from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.music_generation.key_distribution import KeyDistribution
from tests.tasks.music_generation.key_layers import FRAMES, KEYS, layer


def probabilities(distribution: KeyDistribution, context: Any) -> Any:
    on = 1 / (1 + np.exp(-distribution(tf.repeat(context, 16, 0), FRAMES).numpy().astype(np.float64)))
    return np.prod(np.where(FRAMES > 0, on, 1 - on), axis=1)


@pytest.mark.parametrize("hidden_units", [0, 1, 6, 50])
def test_the_probabilities_of_all_frames_sum_to_one(hidden_units: int) -> None:
    assert probabilities(*layer(hidden_units)).sum() == pytest.approx(1.0, abs=1e-6)


def test_no_key_sees_itself_or_one_above_it() -> None:
    distribution, context = layer(50)
    logits = distribution(tf.repeat(context, 16, 0), FRAMES).numpy()
    for key in range(KEYS):
        by_below = logits[:, key].reshape(2**key, -1)  # rows: the keys below
        np.testing.assert_allclose(by_below, by_below[:, :1] + np.zeros_like(by_below), rtol=1e-6)
        assert len(np.unique(by_below[:, 0].round(5))) == 2**key  # and it does see all of those


@pytest.mark.parametrize("hidden_units", [0, 6])
def test_logits_with_one_key_more_are_those_of_the_frame_that_has_it(hidden_units: int) -> None:
    distribution, context = layer(hidden_units)
    terms = distribution.given(tf.concat([context, -context], 0))
    frames, row, key = (
        np.array([[0, 1, 0, 0], [1, 0, 0, 0]], np.float32),
        np.array([0, 1, 1, 0]),
        np.array([0, 2, 1, 3]),
    )
    told = terms.with_key(tf.constant([1, 0]), tf.constant([True, True]))
    told = told.with_key(tf.constant([3, KEYS]), tf.constant([False, False]))
    np.testing.assert_allclose(told.logits(), terms.logits(tf.constant(frames)), atol=1e-5)
    fuller = frames[row] + np.eye(KEYS, dtype=np.float32)[key]
    each = terms.with_sums([tf.gather(part, row) for part in terms.sums])
    np.testing.assert_allclose(told.logits_with(row, key), each.logits(fuller), atol=1e-5)
