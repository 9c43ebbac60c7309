"""A small distribution over frames of a few keys, and all its frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.tasks.music_generation.key_distribution import KeyDistribution

__all__ = ["FRAMES", "KEYS", "layer"]

KEYS = 4
FRAMES = np.array([[int(digit) for digit in f"{number:04b}"] for number in range(16)], np.float32)


def layer(hidden_units: int) -> tuple[KeyDistribution, Any]:
    """A layer with weights far from zero, and a context."""
    draw = np.random.default_rng(0)
    found = KeyDistribution(KEYS, hidden_units=hidden_units)
    context = tf.constant(draw.normal(size=(1, 3)), tf.float32)
    found(context, tf.zeros((1, KEYS)))
    for weight in found.weights:
        weight.assign(draw.normal(size=weight.shape))
    return found, context
