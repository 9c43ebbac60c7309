"""Signatures of networks that predict the next token: ids in, logits out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.tensor_names import STATE, next_state
from rnnapps.export.row_rules import ids_below, lengths_fit
from rnnapps.layers.token_network import read, zero_states
from rnnapps.types import Tensor

__all__ = ["token_endpoints"]

ROWS = 5
STEPS = 6
LARGEST_ANSWER = 1 << 24
"""The most logits of a row: 64 MB."""


def token_endpoints(network: keras.Model, vocabulary_size: int, *, most_steps: int) -> dict[str, Endpoint]:
    """`tensors` scores ids, `step` goes on from given states.

    Args:
        network: as `token_network` builds it.
        vocabulary_size: number of ids.
        most_steps: the most ids of a row, fewer where the vocabulary is so large that the answer would be too.
    """
    most = max(1, min(most_steps, LARGEST_ANSWER // vocabulary_size))
    return {"tensors": _scoring(network, vocabulary_size, most), "step": _stepping(network, vocabulary_size, most)}


def _scoring(network: keras.Model, vocabulary_size: int, most_steps: int) -> Endpoint:
    """Tokens `(batch, time)` -> logits `(batch, time, vocabulary)`."""

    def score(tokens: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        return {"logits": read(network, tokens, lengths, zero_states(network, tf.shape(tokens)[0]))[0]}

    endpoint = _endpoint(score, vocabulary_size, most_steps)
    return replace(endpoint, summary="Ids of tokens in, logits of the token that follows each out.")


def _stepping(network: keras.Model, vocabulary_size: int, most_steps: int) -> Endpoint:
    """The same with states, each `(batch, size)`, as inputs and outputs: a sequence may come in chunks."""
    shapes = [state.shape[1:] for state in network.input["states"]]
    names = [f"{STATE}{number}" for number in range(len(shapes))]

    def step(tokens: Tensor, lengths: Tensor, **states: Any) -> dict[str, Tensor]:
        logits, final = read(network, tokens, lengths, [states[name] for name in names])
        return {"logits": logits, **dict(zip(map(next_state, names), final, strict=True))}

    kind = zero_states(network, 1)[0].dtype
    signature = {name: tf.TensorSpec((None, *shape), kind) for name, shape in zip(names, shapes, strict=True)}
    zeros = {name: np.zeros((ROWS, *shape), kind.as_numpy_dtype) for name, shape in zip(names, shapes, strict=True)}
    endpoint = _endpoint(step, vocabulary_size, most_steps)
    return replace(
        endpoint,
        input_signature=endpoint.input_signature | signature,
        examples=endpoint.examples | zeros,
        one_step=True,
        summary="A chunk of ids of tokens and states in, logits of the token that follows each and new states out.",
    )


def _endpoint(function: Callable[..., dict[str, Tensor]], vocabulary_size: int, most_steps: int) -> Endpoint:
    """An endpoint of ids `(batch, time)` and their number in each row."""
    tokens = np.arange(ROWS * STEPS, dtype=np.int32).reshape(ROWS, STEPS) % vocabulary_size
    return Endpoint(
        function,
        {"tokens": tf.TensorSpec((None, None), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)},
        {"tokens": tokens, "lengths": np.array([STEPS, 1, 3, STEPS, 2], np.int32)},
        rules=(lengths_fit("tokens", most=most_steps), ids_below("tokens", vocabulary_size)),
        most_steps={"tokens": most_steps},
        meanings={
            "tokens": "ids of tokens (batch, time)",
            "logits": "logits of each token that may follow (batch, time, vocabulary)",
        },
    )
