"""Signatures of translation models."""

from __future__ import annotations

import functools
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.decoding.given_ids import sum_of_rows
from rnnapps.export.row_rules import between, text_within
from rnnapps.tasks.translation.decoding import GREEDY, ended, judge, translate
from rnnapps.tasks.translation.export_config import TranslationExportConfig
from rnnapps.tasks.translation.id_endpoints import id_endpoints, id_examples
from rnnapps.tasks.translation.model_config import DecodingConfig
from rnnapps.tasks.translation.network import encode
from rnnapps.tasks.translation.vocabularies import PairVocabularies
from rnnapps.types import Array, Tensor

__all__ = ["translation_endpoints"]

LARGEST_PENALTY = 10.0
NO_SCORE = -1e9
"""The score of a translation that does not exist, where a sentence has fewer than were asked for."""

MEANINGS = {
    "sentence": "what is to be translated (batch,)",
    "translation": "the best translation (batch,)",
    "score": "its log-probability over its length norm (batch,)",
    "translations": "several translations, the best first (batch, n-best); empty where there are fewer",
    "scores": f"their scores (batch, n-best); {NO_SCORE:g} where there are fewer",
    "length_penalty": "higher favours long translations; 0 compares sums of log-probabilities (batch,)",
    "target_pieces": "the words or pieces of the translation (batch, time), empty behind the last",
    "target_lengths": "how many of them there are (batch,)",
    "source_pieces": "the words or pieces of the sentence (batch, places), its end the last, empty",
    "source_lengths": "how many of them there are, with the end (batch,)",
    "log_probability": "natural logarithm of the probability of the translation (batch,)",
    "log_probabilities": "that of each piece and of the end (batch, time + 1), zeros behind it",
    "appended": "addresses, placeholders, tags and numbers that the model had left out: they stand at its end (batch,)",
    "attention": "where each piece and the end attended to (batch, time + 1, places)",
}


def translation_endpoints(
    network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig, limits: TranslationExportConfig
) -> dict[str, Endpoint]:
    """`serving_default` translates, `greedy` faster, `n_best` with a penalty; `score` judges; the others take ids."""
    return {
        "serving_default": _translating(network, vocabularies, decoding, limits),
        "greedy": _translating(network, vocabularies, replace(GREEDY, no_repeat=decoding.no_repeat), limits),
        "n_best": _listing(network, vocabularies, decoding, limits),
        "score": _scoring(network, vocabularies, limits),
        **id_endpoints(network, vocabularies, limits),
    }


def _translating(
    network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig, limits: TranslationExportConfig
) -> Endpoint:
    """Sentences in, their translations out, the best with all that is known of it."""
    beams, penalty, again = decoding.beam_width, decoding.length_penalty, decoding.no_repeat
    search = functools.partial(translate, beams=beams, n_best=beams, length_penalty=penalty, no_repeat=again)

    def run(sentence: Tensor) -> dict[str, Tensor]:
        best = search(network, vocabularies, sentence)
        return {
            "translation": best.texts[:, 0],
            "score": best.scores[:, 0],
            **_listed(best.texts, best.scores),
            "target_pieces": best.pieces,
            "target_lengths": best.lengths[:, 0],
            "log_probabilities": best.log_probabilities,
            "attention": best.attention,
            "source_pieces": best.source_texts,
            "source_lengths": best.source_lengths,
            "appended": best.appended[:, 0],
        }

    return Endpoint(
        run,
        {"sentence": tf.TensorSpec((None,), tf.string)},
        {"sentence": _sentences(vocabularies)},
        rules=(text_within("sentence", limits.longest_sentence),),
        summary=f"Sentences in, their translations out, found with {beams} {'beams' if beams > 1 else 'beam'}.",
        meanings=MEANINGS,
    )


def _listing(
    network: keras.Model, vocabularies: PairVocabularies, decoding: DecodingConfig, limits: TranslationExportConfig
) -> Endpoint:
    """Sentences and penalties in, several translations of each out."""
    beams, again = decoding.beam_width, decoding.no_repeat

    def run(sentence: Tensor, length_penalty: Tensor) -> dict[str, Tensor]:
        options = {"n_best": beams, "length_penalty": length_penalty, "no_repeat": again}
        best = translate(network, vocabularies, sentence, beams=beams, **options)
        return _listed(best.texts, best.scores)

    signature = {"sentence": tf.TensorSpec((None,), tf.string), "length_penalty": tf.TensorSpec((None,), tf.float32)}
    penalties = np.array([1.0, 0.0, 0.6, 1.0, 2.0], np.float32)
    return Endpoint(
        run,
        signature,
        {"sentence": _sentences(vocabularies), "length_penalty": penalties},
        rules=(text_within("sentence", limits.longest_sentence), between("length_penalty", 0, LARGEST_PENALTY)),
        summary="Sentences and a length penalty for each in, several translations of each out.",
        meanings=MEANINGS,
        defaults={"length_penalty": 1.0},
    )


def _scoring(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """Sentences and translations in, how likely the model holds these out."""

    def run(sentence: Tensor, translation: Tensor) -> dict[str, Tensor]:
        read, given = vocabularies.read_both(sentence, translation)
        source, source_lengths = ended(read.ids, read.lengths)
        found, attention = judge(network, encode(network, source, source_lengths), given.ids, given.lengths)
        return {
            "log_probability": sum_of_rows(found),
            "log_probabilities": found,
            "target_pieces": given.texts,
            "target_lengths": given.lengths,
            "source_pieces": tf.pad(read.texts, [[0, 0], [0, 1]], constant_values=""),
            "source_lengths": source_lengths,
            "attention": attention,
        }

    examples = {"sentence": _sentences(vocabularies), "translation": _translations(vocabularies)}
    return Endpoint(
        run,
        {name: tf.TensorSpec((None,), tf.string) for name in examples},
        examples,
        rules=tuple(text_within(name, limits.longest_sentence) for name in examples),
        summary="Sentences and their translations in, the probability of each piece of these out.",
        meanings=MEANINGS | {"translation": "what is to be judged (batch,)"},
    )


def _listed(texts: Tensor, scores: Tensor) -> dict[str, Tensor]:
    """Translations `(batch, n_best)`, and what stands where there are fewer."""
    exists = scores > NO_SCORE
    return {"translations": tf.where(exists, texts, ""), "scores": tf.where(exists, scores, NO_SCORE)}


def _sentences(vocabularies: PairVocabularies) -> Array:
    """Sentences of known pieces, one with unknown characters and what is copied, and an empty one."""
    ids = id_examples("source", vocabularies.source.size)
    known = vocabularies.source.decode(ids["source"], ids["source_lengths"]).numpy()
    return np.array([known[0], b"", known[2], known[3] + b" \xe2\x98\x83 4711 {0}", known[4]], object)


def _translations(vocabularies: PairVocabularies) -> Array:
    """The same of the other side."""
    ids = id_examples("target", vocabularies.target.size)
    known = vocabularies.target.decode(ids["target"], ids["target_lengths"]).numpy()
    return np.array([known[0], known[1], b"", known[3] + b" \xe2\x98\x83 {0}", known[4]], object)
