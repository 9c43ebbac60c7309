"""Signatures of translation models."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.export.row_rules import between, ids_below, lengths_fit, text_within
from rnnapps.preprocessing.special_pieces import END, PADDING, SPECIAL
from rnnapps.tasks.translation.batches import decoder_reads
from rnnapps.tasks.translation.decoding import GREEDY, attention_of, ended, search, translate
from rnnapps.tasks.translation.export_config import TranslationExportConfig
from rnnapps.tasks.translation.model_config import DecodingConfig
from rnnapps.tasks.translation.network import encode, read_target
from rnnapps.tasks.translation.vocabularies import PairVocabularies
from rnnapps.types import Array, Tensor

__all__ = ["translation_endpoints"]

ROWS, PLACES = 5, 6
LARGEST_PENALTY = 10.0
NO_SCORE = -1e9
"""The score of a translation that does not exist, where a sentence has fewer than were asked for."""


def translation_endpoints(
    network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig, limits: TranslationExportConfig
) -> dict[str, Endpoint]:
    """`serving_default` translates, `greedy` does so faster, `n_best` gives alternatives, `tensors` takes ids."""
    return {
        "serving_default": _translating(network, vocabularies, decoding, limits),
        "greedy": _translating(network, vocabularies, GREEDY, limits),
        "n_best": _listing(network, vocabularies, decoding.beam_width, limits),
        "tensors": _translating_ids(network, vocabularies, limits),
        "score": _scoring(network, vocabularies, limits),
    }


def _translating(
    network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig, limits: TranslationExportConfig
) -> Endpoint:
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

    return Endpoint(
        run,
        {"sentence": tf.TensorSpec((None,), tf.string)},
        {"sentence": _sentences(vocabularies)},
        rules=(text_within("sentence", limits.longest_sentence),),
    )


def _listing(
    network: keras.Model, vocabularies: PairVocabularies, beams: int, limits: TranslationExportConfig
) -> Endpoint:
    """Sentences in, several translations of each out."""

    def run(sentence: Tensor, length_penalty: Tensor) -> dict[str, Tensor]:
        best = translate(network, vocabularies, sentence, beams=beams, n_best=beams, length_penalty=length_penalty)
        exists = best.scores > NO_SCORE
        return {
            "translations": tf.where(exists, best.texts, ""),
            "scores": tf.where(exists, best.scores, NO_SCORE),
        }

    signature = {"sentence": tf.TensorSpec((None,), tf.string), "length_penalty": tf.TensorSpec((None,), tf.float32)}
    penalties = np.array([1.0, 0.0, 0.6, 1.0, 2.0], np.float32)
    rules = (text_within("sentence", limits.longest_sentence), between("length_penalty", 0, LARGEST_PENALTY))
    return Endpoint(run, signature, {"sentence": _sentences(vocabularies), "length_penalty": penalties}, rules=rules)


def _translating_ids(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """Ids in, ids of the greedy translation out, for clients that cut sentences into tokens themselves."""

    def run(source: Tensor, source_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = _ended(source, source_lengths)
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

    rules, most = _id_rules("source", vocabularies.source.size, limits)
    examples = _id_examples("source", vocabularies.source.size)
    return Endpoint(run, _ids("source"), examples, rules=rules, most_steps=most)


def _scoring(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """Ids of both sides in, nats of each target token out."""

    def run(source: Tensor, source_lengths: Tensor, target: Tensor, target_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = _ended(source, source_lengths)
        wanted, wanted_lengths = _ended(target, target_lengths)
        logits, attention = read_target(network, encode(network, ids, lengths), decoder_reads(wanted))
        valid = tf.cast(tf.sequence_mask(wanted_lengths, tf.shape(wanted)[1]), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        return {"nats": losses * valid, "attention": attention * valid[..., None]}

    signature = {**_ids("source"), **_ids("target")}
    examples = {
        **_id_examples("source", vocabularies.source.size),
        **_id_examples("target", vocabularies.target.size),
    }
    rules, most = _id_rules("source", vocabularies.source.size, limits)
    others, most_others = _id_rules("target", vocabularies.target.size, limits)
    return Endpoint(run, signature, examples, rules=rules + others, most_steps=most | most_others)


def _id_rules(side: str, size: int, limits: TranslationExportConfig) -> tuple[tuple[RowRule, ...], dict[str, int]]:
    """What must hold of the ids of one side, and how many of them are read."""
    lengths, most = f"{side}_lengths", limits.longest_sentence
    return (lengths_fit(side, lengths, most=most), ids_below(side, size, lengths)), {side: most}


def _ended(ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Ids with their end and their new lengths; what lies behind a row's end may be no id at all, and is left out."""
    return ended(tf.where(tf.sequence_mask(lengths, tf.shape(ids)[1]), ids, PADDING), lengths)


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
