"""Signatures of translation models."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.preprocessing.special_pieces import END, SPECIAL
from rnnapps.tasks.translation.batches import decoder_reads
from rnnapps.tasks.translation.decoding import GREEDY, attention_of, ended, search, translate
from rnnapps.tasks.translation.model_config import DecodingConfig
from rnnapps.tasks.translation.network import encode, read_target
from rnnapps.tasks.translation.vocabularies import PairVocabularies
from rnnapps.types import Array, Tensor

__all__ = ["translation_endpoints"]

ROWS, PLACES = 5, 6
NO_SCORE = -1e9
"""The score of a translation that does not exist, where a sentence has fewer than were asked for."""


def translation_endpoints(
    network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig
) -> dict[str, Endpoint]:
    """`serving_default` translates, `greedy` does so faster, `n_best` gives alternatives, `tensors` takes ids."""
    return {
        "serving_default": _translating(network, vocabularies, decoding),
        "greedy": _translating(network, vocabularies, GREEDY),
        "n_best": _listing(network, vocabularies, decoding.beam_width),
        "tensors": _translating_ids(network, vocabularies),
        "score": _scoring(network, vocabularies),
    }


def _translating(network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig) -> Endpoint:
    """Sentences in, their best translations out."""
    beams, penalty = decoding.beam_width, decoding.length_penalty

    def run(sentence: Tensor) -> dict[str, Tensor]:
        best = translate(network, vocabularies, sentence, beams=beams, length_penalty=penalty)
        return {
            "translation": best.texts[:, 0],
            "score": best.scores[:, 0],
            "attention": best.attention[:, 0],
            "tokens": best.lengths[:, 0],
            "source_tokens": best.source_lengths,
        }

    return Endpoint(run, {"sentence": tf.TensorSpec((None,), tf.string)}, {"sentence": _sentences(vocabularies)})


def _listing(network: keras.Model, vocabularies: PairVocabularies, beams: int) -> Endpoint:
    """Sentences in, several translations of each out."""

    def run(sentence: Tensor, length_penalty: Tensor) -> dict[str, Tensor]:
        fine = tf.debugging.assert_greater_equal(length_penalty, 0.0, "length_penalty must be at least 0")
        with tf.control_dependencies([fine]):
            penalty = tf.identity(length_penalty)
        best = translate(network, vocabularies, sentence, beams=beams, n_best=beams, length_penalty=penalty)
        exists = best.scores > NO_SCORE
        return {
            "translations": tf.where(exists, best.texts, ""),
            "scores": tf.where(exists, best.scores, NO_SCORE),
        }

    signature = {"sentence": tf.TensorSpec((None,), tf.string), "length_penalty": tf.TensorSpec((None,), tf.float32)}
    penalties = np.array([1.0, 0.0, 0.6, 1.0, 2.0], np.float32)
    return Endpoint(run, signature, {"sentence": _sentences(vocabularies), "length_penalty": penalties})


def _translating_ids(network: keras.Model, vocabularies: PairVocabularies) -> Endpoint:
    """Ids in, ids of the greedy translation out, for clients that cut sentences into tokens themselves."""

    def run(source: Tensor, source_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = ended(*_checked(source, source_lengths, vocabularies.source.size))
        encoded = encode(network, ids, lengths)
        best = search(network, encoded, lengths, beams=1)
        inside = tf.sequence_mask(best.lengths, tf.shape(best.ids)[2])
        written = tf.where(inside, best.ids, 0)[:, :, : tf.reduce_max(tf.concat([best.lengths[:, 0], [0]], axis=0))]
        attention = attention_of(network, encoded, written)[:, 0]
        rows = tf.sequence_mask(best.lengths[:, 0] + 1, tf.shape(attention)[1])
        return {
            "ids": written[:, 0],
            "lengths": best.lengths[:, 0],
            "log_probability": best.log_probabilities[:, 0],
            "attention": attention * tf.cast(rows[..., None], tf.float32),
        }

    return Endpoint(run, _ids("source"), _id_examples("source", vocabularies.source.size))


def _scoring(network: keras.Model, vocabularies: PairVocabularies) -> Endpoint:
    """Ids of both sides in, nats of each target token out."""

    def run(source: Tensor, source_lengths: Tensor, target: Tensor, target_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = ended(*_checked(source, source_lengths, vocabularies.source.size))
        wanted, wanted_lengths = ended(*_checked(target, target_lengths, vocabularies.target.size))
        logits, attention = read_target(network, encode(network, ids, lengths), decoder_reads(wanted))
        valid = tf.cast(tf.sequence_mask(wanted_lengths, tf.shape(wanted)[1]), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        return {"nats": losses * valid, "attention": attention * valid[..., None]}

    signature = {**_ids("source"), **_ids("target")}
    examples = {
        **_id_examples("source", vocabularies.source.size),
        **_id_examples("target", vocabularies.target.size),
    }
    return Endpoint(run, signature, examples)


def _checked(ids: Tensor, lengths: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Ids and lengths, once it is known that they are within bounds; what lies behind a row's end is padding."""
    checks = [
        tf.debugging.assert_greater_equal(lengths, 0, "lengths must be at least 0"),
        tf.debugging.assert_less_equal(lengths, tf.shape(ids)[1], "lengths must be at most the length of the rows"),
    ]
    with tf.control_dependencies(checks):
        inside = tf.sequence_mask(lengths, tf.shape(ids)[1])
    ids = tf.where(inside, ids, 0)
    bounds = [
        tf.debugging.assert_greater_equal(ids, 0, "ids must be at least 0"),
        tf.debugging.assert_less(ids, size, f"ids must be below {size}"),
    ]
    with tf.control_dependencies(bounds):
        return tf.identity(ids), tf.identity(lengths)


def _ids(side: str) -> dict[str, tf.TensorSpec]:
    """The signature of ids `(batch, places)` of one side, and of their lengths."""
    return {side: tf.TensorSpec((None, None), tf.int32), f"{side}_lengths": tf.TensorSpec((None,), tf.int32)}


def _id_examples(side: str, size: int) -> dict[str, Array]:
    """Ids that are neither padding nor start, in rows of different lengths."""
    first = len(SPECIAL)
    count = max(size - first, 1)
    ids = (first + np.arange(ROWS * PLACES, dtype=np.int32).reshape(ROWS, PLACES) * 7 % count).clip(END, size - 1)
    return {side: ids.astype(np.int32), f"{side}_lengths": np.array([PLACES, 1, 3, PLACES, 2], np.int32)}


def _sentences(vocabularies: PairVocabularies) -> Array:
    """Sentences of known pieces, one with unknown characters, and an empty one."""
    ids = _id_examples("source", vocabularies.source.size)
    known = vocabularies.source.decode(ids["source"], ids["source_lengths"]).numpy()
    return np.array([known[0], b"", known[2], known[3] + b" \xe2\x98\x83", known[4]], object)
