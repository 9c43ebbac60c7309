"""A small exact step function and a NumPy twin of the sampler."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

VOCABULARY = 7
_GENERATOR = np.random.default_rng(3)
TABLE = _GENERATOR.normal(size=(VOCABULARY, VOCABULARY)).astype(np.float32) * 2


def step(ids, states):
    """A second-order chain: logits depend on the id and on a state that remembers older ones."""
    (memory,) = states
    new = (tf.gather(tf.constant(TABLE), ids) + memory) * 0.5
    return new, [new]


def start(rows):
    first = tf.constant(TABLE[np.arange(rows) % VOCABULARY])
    return [tf.zeros((rows, VOCABULARY))], first


def expected_distribution(logits, temperature, top_k, top_p):
    """Temperature, then top-k, then top-p, in float64 with explicit loops; ties with the last kept are kept."""
    if temperature == 0:
        result = np.zeros(len(logits))
        result[np.argmax(logits)] = 1
        return result
    scaled = np.asarray(logits, np.float64) / temperature
    probabilities = np.exp(scaled - scaled.max())
    probabilities /= probabilities.sum()
    if 0 < top_k < len(logits):
        smallest = sorted(probabilities, reverse=True)[top_k - 1]
        probabilities = np.where(probabilities >= smallest, probabilities, 0)
        probabilities /= probabilities.sum()
    if top_p < 1:
        total = 0.0
        for smallest in sorted(probabilities, reverse=True):
            total += smallest
            if total >= top_p:
                break
        probabilities = np.where(probabilities >= smallest, probabilities, 0)
        probabilities /= probabilities.sum()
    return probabilities
