"""Signatures of networks that predict the next token: ids in, logits out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.tensor_names import STATE, next_state
from rnnapps.export.row_rules import between, ids_below, lengths_fit
from rnnapps.layers.token_network import TokenModel
from rnnapps.types import Tensor

__all__ = ["token_endpoints"]

ROWS = 5
STEPS = 6
LARGEST_ANSWER = 1 << 24
"""The most logits of a row: 64 MB."""


def token_endpoints(model: TokenModel, *, most_steps: int) -> dict[str, Endpoint]:
    """`tensors` scores ids, `step` goes on from given states.

    Args:
        model: what predicts the next token.
        most_steps: the most ids of a row, fewer where the vocabulary is so large that the answer would be too.
    """
    most = max(1, min(most_steps, LARGEST_ANSWER // model.vocabulary_size))
    return {"tensors": _scoring(model, most), "step": _stepping(model, most)}


def _scoring(model: TokenModel, most_steps: int) -> Endpoint:
    """Tokens `(batch, time)` -> logits `(batch, time, vocabulary)`."""

    def score(tokens: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        return {"logits": model.read(tokens, lengths, model.zero_states(tf.shape(tokens)[0]))[0]}

    endpoint = _endpoint(score, model, most_steps)
    return replace(endpoint, summary="Ids of tokens in, logits of the token that follows each out.")


def _stepping(model: TokenModel, most_steps: int) -> Endpoint:
    """The same with states, each `(batch, size)`, as inputs and outputs: a sequence may come in chunks."""
    zeros = {f"{STATE}{number}": state.numpy() for number, state in enumerate(model.zero_states(ROWS))}
    names = list(zeros)
    limits = zip(names, model.state_limits, strict=True)

    def step(tokens: Tensor, lengths: Tensor, **states: Any) -> dict[str, Tensor]:
        logits, final = model.read(tokens, lengths, [states[name] for name in names])
        return {"logits": logits, **dict(zip(map(next_state, names), final, strict=True))}

    signature = {name: tf.TensorSpec((None, *state.shape[1:]), state.dtype) for name, state in zeros.items()}
    endpoint = _endpoint(step, model, most_steps)
    return replace(
        endpoint,
        input_signature=endpoint.input_signature | signature,
        examples=endpoint.examples | zeros,
        rules=(*endpoint.rules, *(between(name, 0, most) for name, most in limits if most is not None)),
        one_step=True,
        summary="A chunk of ids of tokens and states in, logits of the token that follows each and new states out.",
    )


def _endpoint(function: Callable[..., dict[str, Tensor]], model: TokenModel, most_steps: int) -> Endpoint:
    """An endpoint of ids `(batch, time)` and their number in each row."""
    tokens = np.arange(ROWS * STEPS, dtype=np.int32).reshape(ROWS, STEPS) % model.vocabulary_size
    return Endpoint(
        function,
        {"tokens": tf.TensorSpec((None, None), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)},
        {"tokens": tokens, "lengths": np.array([STEPS, 1, 3, STEPS, 2], np.int32)},
        rules=(lengths_fit("tokens", most=most_steps), ids_below("tokens", model.vocabulary_size)),
        most_steps={"tokens": most_steps},
        trackables=model.trackables,
        meanings={
            "tokens": "ids of tokens (batch, time)",
            "logits": "logits of each token that may follow (batch, time, vocabulary)",
        },
    )
