"""Signatures of translation models that take and give ids, for clients that cut sentences or search by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.contract.tensor_names import LENGTHS, STATE, next_state
from rnnapps.decoding.given_ids import read_in_parts
from rnnapps.export.row_rules import ids_below, lengths_fit
from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.preprocessing.special_pieces import END, PADDING, SPECIAL, START
from rnnapps.tasks.translation.attention_decoder import AttentionDecoder
from rnnapps.tasks.translation.decoding import PART, ended, judge, part_reader, search
from rnnapps.tasks.translation.export_config import TranslationExportConfig
from rnnapps.tasks.translation.network import Encoded, encode
from rnnapps.tasks.translation.vocabularies import PairVocabularies
from rnnapps.types import Array, Tensor

__all__ = ["id_endpoints", "id_examples"]

ROWS, PLACES = 5, 6
MEMORY, PLACES_READ = f"{STATE}memory", f"{STATE}lengths"
BEGIN = "encode"

MEANINGS = {
    "source": "ids of the sentence's pieces, without an end (batch, places)",
    "source_lengths": "how many of them there are (batch,)",
    "target": "ids of the translation's pieces, without an end (batch, time)",
    "target_lengths": "how many of them there are (batch,)",
    "tokens": f"a chunk of the target (batch, time); a translation begins with {START}, and {END} ends it",
    "translated": "ids of the translation (batch, time)",
    "translated_lengths": "how many of them there are (batch,)",
    "log_probability": "natural logarithm of the probability of the translation (batch,)",
    "nats": "minus the natural logarithm of the probability of each id and of the end (batch, time + 1)",
    "logits": "logits of the id that follows each (batch, time, ids)",
    "attention": "where each id and the end attended to (batch, time, places)",
    MEMORY: "the sentence as the decoder sees it (batch, places, size)",
    PLACES_READ: "how many of its places count (batch,)",
}


def id_endpoints(
    network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig
) -> dict[str, Endpoint]:
    """`tensors` translates ids, `score_tensors` judges them; `encode` and `step` are for searches of the client's."""
    return {
        "tensors": _translating(network, vocabularies, limits),
        "score_tensors": _scoring(network, vocabularies, limits),
        BEGIN: _encoding(network, vocabularies, limits),
        "step": _stepping(network, vocabularies, limits),
    }


def _translating(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """Ids in, ids of the greedy translation out."""

    def run(source: Tensor, source_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = _ended(source, source_lengths)
        encoded = encode(network, ids, lengths)
        best = search(network, encoded, lengths, beams=1)
        found, lengths = best.ids[:, 0], best.lengths[:, 0]
        written = tf.where(tf.sequence_mask(lengths, tf.shape(found)[1]), found, PADDING)
        if not in_portable_graph():
            written = written[:, : tf.reduce_max(tf.concat([lengths, [0]], axis=0))]
        _, attention = judge(network, encoded, written, lengths)
        return {
            "translated": written,
            "translated_lengths": lengths,
            "log_probability": best.log_probabilities[:, 0],
            "attention": attention,
        }

    summary = "Ids of sentences in, ids of their greedy translations out."
    return replace(_of_sources(run, vocabularies, limits), summary=summary)


def _scoring(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """Ids of both sides in, nats of each target token out."""

    def run(source: Tensor, source_lengths: Tensor, target: Tensor, target_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = _ended(source, source_lengths)
        inside = tf.sequence_mask(target_lengths, tf.shape(target)[1])
        found, attention = judge(
            network, encode(network, ids, lengths), tf.where(inside, target, PADDING), target_lengths
        )
        return {"nats": -found, "attention": attention}

    rules, most = _id_rules("source", vocabularies.source.size, limits)
    others, most_others = _id_rules("target", vocabularies.target.size, limits)
    return Endpoint(
        run,
        {**_ids("source"), **_ids("target")},
        {**id_examples("source", vocabularies.source.size), **id_examples("target", vocabularies.target.size)},
        rules=rules + others,
        most_steps=most | most_others,
        summary="Ids of sentences and of their translations in, nats of each id of these out.",
        meanings=MEANINGS,
    )


def _encoding(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """Ids of sentences in, what `step` begins with out."""

    def run(source: Tensor, source_lengths: Tensor) -> dict[str, Tensor]:
        ids, lengths = _ended(source, source_lengths)
        return _states_out(encode(network, ids, lengths), lengths)

    given = {next_state(name): MEANINGS[name] for name in (MEMORY, PLACES_READ)}
    summary = "Ids of sentences in, the first states of `step` out."
    return replace(_of_sources(run, vocabularies, limits), summary=summary, meanings=MEANINGS | given)


def _of_sources(
    run: Callable[..., dict[str, Tensor]], vocabularies: PairVocabularies, limits: TranslationExportConfig
) -> Endpoint:
    """An endpoint of ids of sentences."""
    size = vocabularies.source.size
    rules, most = _id_rules("source", size, limits)
    return Endpoint(run, _ids("source"), id_examples("source", size), rules=rules, most_steps=most, meanings=MEANINGS)


def _stepping(network: keras.Model, vocabularies: PairVocabularies, limits: TranslationExportConfig) -> Endpoint:
    """A chunk of targets and states in, logits and new states out."""
    decoder: AttentionDecoder = network.get_layer("decoder")

    def run(tokens: Tensor, lengths: Tensor, **states: Tensor) -> dict[str, Tensor]:
        values, read = states.pop(MEMORY), states.pop(PLACES_READ)
        memory = decoder.attend_to(values, tf.sequence_mask(read, tf.shape(values)[1]))
        before = [states[f"{STATE}{number}"] for number in range(len(states))]
        reader = part_reader(network, memory)
        (logits, attention), after = read_in_parts(reader, [tokens], lengths, before, part=PART, ranks=(3, 3))
        return {"logits": logits, "attention": attention, **_states_out(Encoded(memory, after), read)}

    size = vocabularies.target.size
    tokens = id_examples("target", size)["target"]
    tokens[:, 0] = START
    ids = {name: tf.constant(array) for name, array in id_examples("source", vocabularies.source.size).items()}
    source, lengths = _ended(ids["source"], ids["source_lengths"])
    first = _states_out(encode(network, source, lengths), lengths)
    states = {name.removeprefix(next_state("")): np.asarray(value) for name, value in first.items()}
    most = limits.longest_sentence
    return Endpoint(
        run,
        {
            "tokens": tf.TensorSpec((None, None), tf.int32),
            LENGTHS: tf.TensorSpec((None,), tf.int32),
            **{name: _spec(name, value) for name, value in states.items()},
        },
        {"tokens": tokens, LENGTHS: np.array([PLACES, 0, 3, 1, 2], np.int32), **states},
        rules=(
            lengths_fit("tokens", most=most),
            ids_below("tokens", size),
            lengths_fit(MEMORY, PLACES_READ, least=1, most=most + 1),
        ),
        most_steps={"tokens": most, MEMORY: most + 1},
        one_step=True,
        summary="A chunk of a translation and states in, logits of the ids that follow and new states out.",
        meanings=MEANINGS,
        begins=BEGIN,
    )


def _states_out(encoded: Encoded, lengths: Tensor) -> dict[str, Tensor]:
    """The states by name; what lies behind a sentence is zero."""
    values = encoded.memory.values
    inside = tf.sequence_mask(lengths, tf.shape(values)[1])[..., None]
    kept = {MEMORY: tf.where(inside, values, tf.zeros_like(values)), PLACES_READ: tf.identity(lengths)}
    kept |= {f"{STATE}{number}": state for number, state in enumerate(encoded.states)}
    return {next_state(name): value for name, value in kept.items()}


def _spec(name: str, value: Array) -> tf.TensorSpec:
    """Of a state; the places of a sentence are of any number."""
    return tf.TensorSpec((None, None, *value.shape[2:]) if name == MEMORY else (None, *value.shape[1:]), value.dtype)


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


def id_examples(side: str, size: int) -> dict[str, Array]:
    """Ids that are neither padding nor start, in rows of different lengths."""
    first = len(SPECIAL)
    count = max(size - first, 1)
    ids = (first + np.arange(ROWS * PLACES, dtype=np.int32).reshape(ROWS, PLACES) * 7 % count).clip(END, size - 1)
    return {side: ids.astype(np.int32), f"{side}_lengths": np.array([PLACES, 1, 3, PLACES, 2], np.int32)}
