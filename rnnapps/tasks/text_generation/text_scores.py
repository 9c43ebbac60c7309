"""How likely a model holds given texts, in graph."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.decoding.given_ids import judge_ids, sum_of_rows
from rnnapps.layers.token_network import TokenModel
from rnnapps.tasks.text_generation.tokens.vocabulary import TextVocabulary
from rnnapps.types import Tensor, Tensors

__all__ = ["score_texts"]

PART = 64
"""Tokens that are read at once."""


def score_texts(model: TokenModel, vocabulary: TextVocabulary, prompts: Tensor, texts: Tensor) -> dict[str, Tensor]:
    """Log-probabilities of texts behind prompts.

    Args:
        model: what predicts the next token.
        vocabulary: its tokens.
        prompts: strings `(batch,)`; an empty one stands for the beginning of a line.
        texts: strings `(batch,)`.

    Returns:
        "log_probability" float32 `(batch,)`, in nats; "log_probabilities" float32 `(batch, time)`, of each token, zero
        behind the last, and "pieces" string `(batch, time)`, what it is written as; "characters" and
        "unknown_characters" int32 `(batch,)`.
    """
    ids, begins, lengths = vocabulary.encode_behind(prompts, texts)

    def read_part(ids: Tensors, inside: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        logits, new = model.read(ids[0], inside, states)
        return [logits], new

    # Each id but the first is predicted from those before it.
    begin = model.zero_states(tf.shape(ids)[0])
    (following,) = judge_ids(read_part, ids[:, :-1], ids[:, 1:], begins + lengths - 1, states=begin, part=PART)
    time = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
    inside = tf.sequence_mask(lengths, time)
    places = tf.where(inside, begins[:, None] - 1 + tf.range(time), 0)
    found = tf.where(inside, tf.gather(following, places, batch_dims=1), 0.0)
    judged = tf.where(inside, tf.gather(ids, places + 1, batch_dims=1), 0)
    return {
        "log_probability": sum_of_rows(found),
        "log_probabilities": found,
        "pieces": tf.where(inside, vocabulary.look_up(judged), ""),
        "characters": vocabulary.count_characters(texts),
        "unknown_characters": vocabulary.count_unknown_of(texts),
    }
