"""How much of a gradient is left after many steps back, in a new cell."""

from __future__ import annotations

import math
import time

import keras
import numpy as np
import tensorflow as tf

from rnnapps.certificates.subjects import Certified, parameters_of, units_within
from rnnapps.certificates.trials import Trial
from rnnapps.layers import Recurrent
from rnnapps.types import Tensors

__all__ = ["STEPS", "gradient_trial", "score_of_ratio"]

STEPS, BEFORE, ROWS, FEATURES = 1000, 20, 8, 8
DECADES, LOST = 3, 12
"""A cell holds if the gradient changes by less than so many powers of ten; behind the second its score is 0."""


def gradient_trial(subject: Certified, *, parameters: int, seed: int) -> Trial:
    """Compares the gradient of an output by the states 1,000 steps before with that by the states one step before.

    Inputs are normal, the weights those of a new cell; the states have seen 20 steps.
    """
    begun, units = time.perf_counter(), units_within(subject.make, FEATURES, parameters)
    keras.utils.set_random_seed(seed)
    cell = subject.make(units)
    layer = Recurrent(cell, return_state=True)
    random = np.random.default_rng(seed)
    inputs = tf.constant(random.normal(size=(ROWS, BEFORE + STEPS, FEATURES)), tf.float32)
    direction = tf.constant(random.normal(size=(ROWS, cell.output_size)), tf.float32)
    _, *states = layer(inputs[:, :BEFORE])

    def gradients(steps: int) -> Tensors:
        with tf.GradientTape() as tape:
            tape.watch(states)
            output, *_ = layer(inputs[:, BEFORE : BEFORE + steps], initial_state=states, training=True)
            along = tf.reduce_sum(output * direction)
        gradient: Tensors = tape.gradient(along, states, unconnected_gradients="zero")
        return gradient

    def norm(steps: int) -> float:
        once = tf.function(lambda: gradients(steps), autograph=False).get_concrete_function()
        return float(tf.linalg.global_norm(once()))

    near, far = norm(1), norm(STEPS)
    ratio = far / near if near > 0 else math.nan
    return Trial(
        seed, units, parameters_of(cell, FEATURES), ratio, score_of_ratio(ratio), 0, time.perf_counter() - begun
    )


def score_of_ratio(ratio: float) -> float:
    """1 for a gradient that neither vanishes nor explodes, less by a twelfth for each power of ten; 0 if not finite."""
    if not math.isfinite(ratio) or ratio <= 0:
        return 0.0
    return max(0.0, 1 - abs(math.log10(ratio)) / LOST)


HOLDS = 1 - DECADES / LOST
