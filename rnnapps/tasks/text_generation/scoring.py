"""How well a text model predicts a text: the network alone, and blended with n-grams."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from rnnapps.layers.token_network import zero_states
from rnnapps.metrics.text import TextScore, nats, read_text
from rnnapps.tasks.text_generation.blend.evidence import Evidence, NetworkScores
from rnnapps.tasks.text_generation.blend.gate import GATE
from rnnapps.tasks.text_generation.blend.grams import GramTable
from rnnapps.tasks.text_generation.held_text import HeldText
from rnnapps.types import Array, Tensor, Tensors

__all__ = ["ModelScore", "Reader", "network_reader", "read_evidence", "text_scorer"]

ROWS, WINDOW = 64, 128

MOST_KEPT = 500_000
"""Symbols of a text for which what n-grams say of them is looked up but once; of a longer one at each score."""

Reader = Callable[[Array], NetworkScores]


@dataclass(frozen=True)
class ModelScore:
    """The score of a text.

    Attributes:
        model: that of the whole model.
        network: that of its network alone; None where that is the whole model.
    """

    model: TextScore
    network: TextScore | None = None

    def metrics(self) -> dict[str, float]:
        """What `TextScore` has of the model, and the nats of its network alone."""
        alone = {} if self.network is None else {"network_nats_per_character": self.network.nats_per_character}
        return self.model.metrics() | alone


def network_reader(network: keras.Model) -> Reader:
    """A function that reads texts with the network's weights of that moment."""

    @tf.function(autograph=False)
    def apply(tokens: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        outputs = network({"tokens": tokens, "states": states}, training=False)
        return outputs["logits"], outputs["states"]

    def read(ids: Array) -> NetworkScores:
        rows = max(1, min(ROWS, len(ids) // WINDOW))
        states = zero_states(network, rows)
        found = read_text(apply, states, ids, measure=_measure, batch_size=rows, window_steps=WINDOW)
        return NetworkScores(-found[:, 0], found[:, 1])

    return read


def text_scorer(
    network: keras.Model, read: Reader, text: HeldText, table: GramTable | None
) -> Callable[[], ModelScore]:
    """A function that scores a text with the weights of that moment.

    Args:
        network: the network; with n-grams it has a `BlendGate`.
        read: what `network_reader` made of it.
        text: the text.
        table: the n-grams it is blended with; None for none.
    """
    ids = text.ids
    if table is None:
        return lambda: ModelScore(text.score(-read(ids).log_probability))
    look_up = functools.partial(Evidence.in_parts, table, ids)
    parts = functools.cache(lambda: list(look_up())) if len(ids) <= MOST_KEPT else look_up

    def score() -> ModelScore:
        scores, kernel = read(ids), _gate_of(network)
        blended = [part.blended(scores[places], kernel) for places, part in parts()]
        return ModelScore(text.score(-np.log(np.concatenate(blended))), text.score(-scores.log_probability))

    return score


def read_evidence(
    network: keras.Model, read: Reader, ids: Array, table: GramTable
) -> tuple[Evidence, NetworkScores, Array]:
    """What n-grams and network say of a text, and the weights of the gate between them; arguments as above."""
    return Evidence.of(table, ids), read(ids), _gate_of(network)


def _gate_of(network: keras.Model) -> Array:
    """The weights of the gate, float64 `(contexts, features)`."""
    return np.asarray(network.get_layer(GATE).kernel, np.float64)


def _measure(logits: Tensor, targets: Tensor) -> Tensor:
    """Nats of the symbols that came, and the entropy of what was expected `(batch, time, 2)`."""
    scores = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    entropy = -tf.reduce_sum(tf.exp(scores) * scores, axis=-1)
    return tf.stack([nats(logits, targets), entropy], axis=-1)
