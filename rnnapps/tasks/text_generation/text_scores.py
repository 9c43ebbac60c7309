"""How likely a model holds given texts, in graph."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.decoding.given_ids import judge_ids, sum_of_rows
from rnnapps.layers.token_network import TokenModel
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.preprocessing.joined_rows import join_rows
from rnnapps.tasks.text_generation.prompts import begun
from rnnapps.types import Tensor, Tensors

__all__ = ["score_texts"]

PART = 64
"""Characters that are read at once."""


def score_texts(
    model: TokenModel, vocabulary: CharacterVocabulary, prompts: Tensor, texts: Tensor
) -> dict[str, Tensor]:
    """Log-probabilities of texts behind prompts.

    Args:
        model: what predicts the next character.
        vocabulary: its characters.
        prompts: strings `(batch,)`; an empty one stands for the beginning of a line.
        texts: strings `(batch,)`.

    Returns:
        "log_probability" float32 `(batch,)`, in nats; "log_probabilities" float32 `(batch, time)`, of each character,
        zero behind the last; "characters" and "unknown_characters" int32 `(batch,)`.
    """
    first, first_lengths = vocabulary.encode(begun(prompts))
    second, lengths = vocabulary.encode(texts)
    time = tf.shape(second)[1]
    ids = join_rows(first, first_lengths, second)

    def read_part(ids: Tensors, inside: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        logits, new = model.read(ids[0], inside, states)
        return [logits], new

    # Each id but the first is predicted from those before it.
    begin = model.zero_states(tf.shape(ids)[0])
    (following,) = judge_ids(read_part, ids[:, :-1], ids[:, 1:], first_lengths + lengths - 1, states=begin, part=PART)
    places = first_lengths[:, None] - 1 + tf.range(time)
    found = tf.gather(following, places, batch_dims=1) * tf.sequence_mask(lengths, time, tf.float32)
    return {
        "log_probability": sum_of_rows(found),
        "log_probabilities": found,
        "characters": lengths,
        "unknown_characters": vocabulary.count_unknown(second, lengths),
    }
