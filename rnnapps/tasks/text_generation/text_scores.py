"""How likely a token network holds given texts, in graph."""

from __future__ import annotations

import keras
import tensorflow as tf

from rnnapps.layers.token_network import read, zero_states
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.tasks.text_generation.prompts import begun
from rnnapps.types import Tensor

__all__ = ["score_texts"]

PART = 64
"""Characters that are read at once."""


def score_texts(
    network: keras.Model, vocabulary: CharacterVocabulary, prompts: Tensor, texts: Tensor
) -> dict[str, Tensor]:
    """Log-probabilities of texts behind prompts.

    Args:
        network: a token network.
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
    ids = _joined(first, first_lengths, second)
    # Each id but the first is predicted from those before it.
    following = _log_probabilities(network, ids, first_lengths + lengths - 1)
    places = first_lengths[:, None] - 1 + tf.range(time)
    found = tf.gather(following, places, batch_dims=1) * tf.sequence_mask(lengths, time, tf.float32)
    return {
        # One number after the other: how many zeros follow must not change a bit.
        "log_probability": tf.cumsum(tf.pad(found, [[0, 0], [1, 0]]), axis=1)[:, -1],
        "log_probabilities": found,
        "characters": lengths,
        "unknown_characters": vocabulary.count_unknown(second, lengths),
    }


def _log_probabilities(network: keras.Model, ids: Tensor, lengths: Tensor) -> Tensor:
    """That of each id that follows another, float32 `(batch, time)`, zero behind the first `lengths`.

    Parts of one size are read one after the other, so that neither memory nor the order of a product's sums depends on
    the longest row.
    """
    batch, parts = tf.shape(ids)[0], (tf.shape(ids)[1] + PART - 1) // PART
    ids = tf.pad(ids, [[0, 0], [0, parts * PART + 1 - tf.shape(ids)[1]]])
    written = tf.TensorArray(tf.float32, parts, element_shape=(None, PART))

    def body(part: Tensor, written: tf.TensorArray, *states: Tensor) -> tuple[Tensor | tf.TensorArray, ...]:
        start = part * PART
        logits, new = read(
            network, ids[:, start : start + PART], tf.clip_by_value(lengths - start, 0, PART), list(states)
        )
        wanted = ids[:, start + 1 : start + 1 + PART]
        found = tf.reshape(tf.gather(tf.nn.log_softmax(logits), wanted, batch_dims=2), [batch, PART])
        for state, old in zip(new, states, strict=True):
            state.set_shape(old.shape)
        return part + 1, written.write(part, found), *new

    begin = (tf.constant(0), written, *zero_states(network, batch))
    _, written, *_ = tf.while_loop(lambda part, *_: part < parts, body, begin, parallel_iterations=1)
    return tf.reshape(tf.transpose(written.stack(), [1, 0, 2]), [batch, parts * PART])


def _joined(first: Tensor, lengths: Tensor, second: Tensor) -> Tensor:
    """Ids `(batch, time)` of both, the second where each row of the first ends."""
    place = tf.range(tf.shape(first)[1] + tf.shape(second)[1])[None]
    begin = lengths[:, None]
    source = tf.where(place < begin, place, tf.shape(first)[1] + place - begin)
    both = tf.concat([first, second], axis=1)
    return tf.gather(both, tf.minimum(source, tf.shape(both)[1] - 1), batch_dims=1)
