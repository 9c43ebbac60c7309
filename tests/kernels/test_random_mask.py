"""Random masks: the right share, no pattern, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.kernels.random_mask import drawn_for_part, random_mask


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 0.7, 1.0])
def test_share(probability: float) -> None:
    mask = random_mask((200, 500), probability, tf.constant([7, 1])).numpy()
    deviation = np.sqrt(probability * (1 - probability) / mask.size)
    assert abs(mask.mean() - probability) <= 4.5 * deviation


def test_elements_are_independent() -> None:
    """No correlation with the neighbour, the next row, or the mask of the next seed."""
    mask, after, other = (
        random_mask((300, 400), 0.5, tf.constant(seed)).numpy() * 2.0 - 1 for seed in ([3, 0], [3, 1], [4, 0])
    )
    pairs = [(mask[:, :-1], mask[:, 1:]), (mask[:-1], mask[1:]), (mask, after), (mask, other)]
    for another in (after, other):  # the next seed's mask must not be this one, moved on by a place
        pairs += [(mask.ravel()[1:], another.ravel()[:-1]), (mask.ravel()[:-1], another.ravel()[1:])]
    for a, b in pairs:
        assert abs(np.mean(a * b)) < 4.5 / np.sqrt(a.size)


def test_runs_of_equal_elements_have_the_lengths_chance_gives() -> None:
    mask = random_mask((1_000_000,), 0.5, tf.constant([11, 5])).numpy()
    words = mask.reshape(-1, 8) @ (1 << np.arange(8))
    counts = np.bincount(words, minlength=256)
    expected = counts.sum() / 256
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert 255 - 4 * np.sqrt(510) < chi_square < 255 + 4 * np.sqrt(510)


def test_same_seed_same_mask_compiled_or_not() -> None:
    def draw() -> tf.Tensor:
        return random_mask((5, 7), 0.4, tf.constant([1, 2]))

    np.testing.assert_array_equal(tf.function(draw, jit_compile=True)(), draw())


@pytest.mark.parametrize("shape", [(6, 5), (6, 2, 3)])
def test_parts_of_a_batch_draw_what_the_whole_does(shape: tuple[int, ...]) -> None:
    seed = tf.constant([5, 9])
    part_shape = (2, *shape[1:])
    parts = []
    for number in range(3):
        with drawn_for_part(number):
            parts.append(random_mask(part_shape, 0.5, seed).numpy())
    np.testing.assert_array_equal(np.concatenate(parts), random_mask(shape, 0.5, seed))
