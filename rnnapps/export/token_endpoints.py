"""Signatures of networks that predict the next token: ids in, logits out."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.layers.token_network import read, zero_states
from rnnapps.types import Arrays, Tensor

__all__ = ["token_endpoints"]

ROWS = 5
STEPS = 6


def token_endpoints(network: keras.Model, vocabulary_size: int) -> dict[str, Endpoint]:
    """`tensors` scores ids, `step` goes on from given states.

    Args:
        network: as `token_network` builds it.
        vocabulary_size: number of ids.
    """
    return {"tensors": _scoring(network, vocabulary_size), "step": _stepping(network, vocabulary_size)}


def _scoring(network: keras.Model, vocabulary_size: int) -> Endpoint:
    """Tokens `(batch, time)` -> logits `(batch, time, vocabulary)`."""

    def score(tokens: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        states = zero_states(network, tf.shape(tokens)[0])
        return {"logits": read(network, tokens, _checked(lengths, tokens), states)[0]}

    return Endpoint(score, _token_signature(), _token_examples(vocabulary_size))


def _stepping(network: keras.Model, vocabulary_size: int) -> Endpoint:
    """The same with states, each `(batch, size)`, as inputs and outputs: a sequence may come in chunks."""
    sizes = [state.shape[-1] for state in network.input["states"]]
    names = [f"state_{number}" for number in range(len(sizes))]

    def step(tokens: Tensor, lengths: Tensor, **states: Any) -> dict[str, Tensor]:
        logits, final = read(network, tokens, _checked(lengths, tokens), [states[name] for name in names])
        return {"logits": logits, **dict(zip(names, final, strict=True))}

    state_type = zero_states(network, 1)[0].dtype
    signature = {name: tf.TensorSpec((None, size), state_type) for name, size in zip(names, sizes, strict=True)}
    examples = {
        name: np.zeros((ROWS, size), state_type.as_numpy_dtype) for name, size in zip(names, sizes, strict=True)
    }
    return Endpoint(step, _token_signature() | signature, _token_examples(vocabulary_size) | examples)


def _checked(lengths: Tensor, tokens: Tensor) -> Tensor:
    """The lengths, once it is known that they lie within the tokens."""
    checks = [
        tf.debugging.assert_greater_equal(lengths, 0, "lengths must be at least 0"),
        tf.debugging.assert_less_equal(lengths, tf.shape(tokens)[1], "lengths must be at most the number of tokens"),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(lengths)


def _token_signature() -> dict[str, tf.TensorSpec]:
    """Ids, and how many of each row count."""
    return {"tokens": tf.TensorSpec((None, None), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)}


def _token_examples(vocabulary_size: int) -> Arrays:
    """Five rows of different lengths."""
    tokens = np.arange(ROWS * STEPS, dtype=np.int32).reshape(ROWS, STEPS) % vocabulary_size
    return {"tokens": tokens, "lengths": np.array([STEPS, 1, 3, STEPS, 2], np.int32)}
