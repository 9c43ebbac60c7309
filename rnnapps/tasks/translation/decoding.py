"""Sentences to translations, in graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf

from rnnapps.decoding.given_ids import ReadPart, judge_ids
from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.preprocessing.special_pieces import END, PADDING, START, UNKNOWN
from rnnapps.tasks.translation.attention_decoder import Memory
from rnnapps.tasks.translation.batches import decoder_reads
from rnnapps.tasks.translation.beam import Hypotheses, beam_search
from rnnapps.tasks.translation.beam_rules import DIGITS, NO_RULES, WORD, Copying, Repeats, Rules
from rnnapps.tasks.translation.model_config import DecodingConfig
from rnnapps.tasks.translation.network import Encoded, decoder_step, encode, go_on
from rnnapps.tasks.translation.span_pieces import SpanPieces
from rnnapps.tasks.translation.vocabularies import PairVocabularies, symbols_among, with_spans
from rnnapps.types import Size, Tensor, Tensors

__all__ = [
    "GREEDY",
    "LONGEST_TRANSLATION",
    "PART",
    "Translations",
    "Translator",
    "Written",
    "ended",
    "judge",
    "limits",
    "part_reader",
    "search",
    "translate",
    "translator",
]

LONGEST_TRANSLATION = 512
"""The most tokens of a translation, with its end."""
ROWS = 64
PART = 16
"""Tokens of a given translation that are read at once."""
GREEDY = DecodingConfig(beam_width=1)


class Written(NamedTuple):
    """A translation.

    Attributes:
        text: as it is printed.
        score: nats over the length norm.
        appended: how many spans stand at its end because the network had left them out.
    """

    text: str
    score: float
    appended: int


class Translator(Protocol):
    """Maps sentences to the n-best translations of each, the best first."""

    def __call__(self, sentences: Sequence[str], *, length_penalty: float | None = None) -> list[list[Written]]:
        """Translates; with another length penalty than that of the decoding, if one is given."""


class Translations(NamedTuple):
    """The best translations of each sentence, the best first, and what is known of the best.

    Attributes:
        texts: strings `(batch, n_best)`.
        scores: float32 `(batch, n_best)`, nats over the length norm; -1e30 where there are fewer translations.
        ids: int32 `(batch, n_best, time)`, 0 behind the end.
        lengths: int32 `(batch, n_best)`, tokens of each, without the end.
        pieces: strings `(batch, length)`, what each token of the best is written as, of which the longest has `length`;
            "" behind the end.
        log_probabilities: float32 `(batch, length + 1)`, nats of each token and of the end of the best; 0 behind it.
        attention: float32 `(batch, length + 1, places)`: where each token and the end of the best attended to.
        source_texts: strings `(batch, places)`, what each place stands for; "" for the end.
        source_lengths: int32 `(batch,)`, places of each sentence, its end among them.
        appended: int32 `(batch, n_best)`, how many spans had been left out, and stand at the end.
    """

    texts: Tensor
    scores: Tensor
    ids: Tensor
    lengths: Tensor
    pieces: Tensor
    log_probabilities: Tensor
    attention: Tensor
    source_texts: Tensor
    source_lengths: Tensor
    appended: Tensor


def ended(ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Puts the end behind each row: ids `(batch, places)` -> `(batch, places + 1)`, and the new lengths."""
    wider = tf.pad(ids, [[0, 0], [0, 1]], constant_values=PADDING)
    return tf.where(tf.equal(tf.range(tf.shape(wider)[1]), lengths[:, None]), END, wider), lengths + 1


def limits(source_lengths: Tensor) -> Tensor:
    """The most tokens of translations of sentences of these lengths: twice as many and ten, but 512 at most."""
    return tf.minimum(_times(source_lengths), LONGEST_TRANSLATION)


def _times(source_lengths: Size) -> Size:
    """Twice as many and ten."""
    return 2 * source_lengths + 10


def search(
    network: keras.Model,
    encoded: Encoded,
    lengths: Tensor,
    *,
    beams: int,
    n_best: int = 1,
    length_penalty: Tensor | float = 0.0,
    rules: Rules = NO_RULES,
) -> Hypotheses:
    """Beam search for translations of encoded sentences `(batch,)` of these lengths (with their end).

    In a graph for other runtimes it always takes the steps that the longest of its sentences may need.
    """
    places = encoded.memory.values.shape[1]
    return beam_search(
        decoder_step(network, encoded.memory),
        encoded.states,
        start_id=START,
        end_id=END,
        limits=limits(lengths),
        beams=beams,
        n_best=n_best,
        length_penalty=length_penalty,
        never=(PADDING, START),
        width=min(_times(places), LONGEST_TRANSLATION) if in_portable_graph() else None,
        rules=rules,
    )


def part_reader(network: keras.Model, memory: Memory) -> ReadPart:
    """Reads a part of a target: logits and where each token attended, and the new states of the decoder."""

    def read(ids: Tensors, inside: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        logits, attention, new = go_on(network, ids[0], inside, Encoded(memory, states))
        return [logits, attention], new

    return read


def judge(network: keras.Model, encoded: Encoded, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What the decoder makes of given translations.

    Args:
        network: a translation network.
        encoded: their sources `(batch, ...)`.
        ids: int32 `(batch, time)`.
        lengths: int32 `(batch,)`.

    Returns:
        Nats of each token and of the end, `(batch, time + 1)`, and where they attended, `(batch, time + 1, places)`;
        zero behind a row's end.
    """
    wanted, wanted_lengths = ended(ids, lengths)
    begin, reads = encoded.states, decoder_reads(wanted)
    found, attention = judge_ids(
        part_reader(network, encoded.memory), reads, wanted, wanted_lengths, states=begin, part=PART, further=1
    )
    return found, attention


def translate(
    network: keras.Model,
    vocabularies: PairVocabularies,
    sentences: Tensor,
    *,
    beams: int,
    n_best: int = 1,
    length_penalty: Tensor | float = 0.0,
    no_repeat: int = 0,
) -> Translations:
    """Translates sentences, in graph.

    An unknown token becomes what the source has in the place it attended to most (Luong et al. 2015, arXiv:1410.8206).
    What is copied (`CopiedSpans`) is in each translation once; what the network leaves out stands at the end.

    Args:
        network: a translation network.
        vocabularies: its vocabularies.
        sentences: strings `(batch,)`; an empty one has the empty translation.
        beams: hypotheses kept; 1 is greedy.
        n_best: translations wanted, at most `beams`.
        length_penalty: see `beam.length_norm`.
        no_repeat: see `DecodingConfig`.
    """
    read = vocabularies.read(sentences)
    source, lengths = ended(read.ids, read.lengths)
    encoded = encode(network, source, lengths)
    rules = _rules(vocabularies, read.spans, no_repeat)
    best = search(network, encoded, lengths, beams=beams, n_best=n_best, length_penalty=length_penalty, rules=rules)
    best = best._replace(lengths=tf.where(tf.equal(lengths, 1)[:, None], 0, best.lengths))
    inside = tf.sequence_mask(best.lengths, tf.shape(best.ids)[2])
    written = tf.where(inside, best.ids, PADDING)[:, :, : _longest(best.lengths)]
    # No wider than the best themselves: what is told of them has the shape that their lengths say.
    first = written[:, 0, : _longest(best.lengths[:, 0])]
    found, attention = judge(network, encoded, first, best.lengths[:, 0])
    source_texts = tf.pad(read.texts, [[0, 0], [0, 1]], constant_values="")
    of_words = tf.where(symbols_among(vocabularies.source, source), "", source_texts)  # a span is copied as such only
    copied = _copied(attention, of_words)
    others = _copied_of_others(network, encoded, written[:, 1:], best.lengths[:, 1:], source_texts=of_words)
    texts = _texts(vocabularies, written, best.lengths, _with_first(copied, others), spans=read.spans)
    texts, appended = _appended(rules.copying, written, texts, read.spans)
    return Translations(
        texts,
        best.scores,
        written,
        best.lengths,
        _pieces(vocabularies, first, copied, read.spans),
        found,
        attention,
        source_texts,
        lengths,
        appended,
    )


def _pieces(vocabularies: PairVocabularies, ids: Tensor, copied: Tensor, spans: Tensor | None) -> Tensor:
    """What ids `(batch, time)` are written as, an unknown one as what is copied, strings of that shape."""
    texts = tf.where(tf.equal(ids, UNKNOWN), copied, vocabularies.target.look_up(ids))
    return with_spans(vocabularies.target, ids, texts, spans)


def _rules(vocabularies: PairVocabularies, spans: Tensor | None, no_repeat: int) -> Rules:
    """What holds of translations of sentences with these spans `(batch, symbols)`."""
    target = vocabularies.target
    kinds = [WORD if any(map(str.isalpha, text)) else DIGITS * any(map(str.isdecimal, text)) for text in target.texts]
    kinds[UNKNOWN] = WORD
    copying = None
    if spans is not None and isinstance(target, SpanPieces):
        copying = Copying(target.first_symbol, tf.not_equal(spans, ""))
    return Rules(Repeats(no_repeat, tf.constant(kinds)) if no_repeat else None, copying)


def _appended(copying: Copying | None, ids: Tensor, texts: Tensor, spans: Tensor | None) -> tuple[Tensor, Tensor]:
    """Puts what ids `(batch, n_best, time)` lack at the end of their texts `(batch, n_best)`.

    Returns:
        The texts, and how many spans `(batch, n_best)` were put there.
    """
    if copying is None or spans is None:
        return texts, tf.zeros_like(texts, tf.int32)
    missing = copying.missing(ids)
    more = tf.strings.reduce_join(tf.where(missing, tf.strings.join([" ", spans])[:, None], ""), axis=-1)
    appended = tf.reduce_sum(tf.cast(missing, tf.int32), axis=-1)
    return tf.strings.regex_replace(tf.strings.join([texts, more]), "^ ", ""), appended


def _longest(lengths: Tensor) -> Tensor:
    """The largest of some lengths; 0 of none."""
    return tf.reduce_max(tf.concat([tf.reshape(lengths, [-1]), [0]], axis=0))


def _copied(attention: Tensor, source_texts: Tensor) -> Tensor:
    """What stands in the source where each token attended to most, strings `(batch, time)`."""
    places = tf.argmax(attention[:, :-1], axis=-1, output_type=tf.int32)
    return tf.gather(source_texts, places, batch_dims=1)


def _with_first(first: Tensor, others: Tensor) -> Tensor:
    """Texts of the best translation `(batch, fewer)` and of others `(batch, several, time)` in one, all as wide."""
    behind = tf.shape(others)[2] - tf.shape(first)[1]
    return tf.concat([tf.pad(first, [[0, 0], [0, behind]], constant_values="")[:, None], others], axis=1)


def _copied_of_others(
    network: keras.Model, encoded: Encoded, ids: Tensor, lengths: Tensor, *, source_texts: Tensor
) -> Tensor:
    """`_copied` for further translations `(batch, several, time)`, which are read again only where it matters."""
    batch, several, time = tf.unstack(tf.shape(ids))

    def read_again() -> Tensor:
        repeated = tf.nest.map_structure(lambda part: tf.repeat(part, several, axis=0), encoded)
        flat = tf.reshape(ids, [batch * several, time])
        _, attention = judge(network, repeated, flat, tf.reshape(lengths, [-1]))
        copied = _copied(attention, tf.repeat(source_texts, several, axis=0))
        return tf.reshape(copied, [batch, several, time])

    any_unknown = tf.reduce_any(tf.equal(ids, UNKNOWN))
    return tf.cond(any_unknown, read_again, lambda: tf.fill([batch, several, time], ""))


def _texts(
    vocabularies: PairVocabularies, ids: Tensor, lengths: Tensor, copied: Tensor, *, spans: Tensor | None
) -> Tensor:
    """Texts `(batch, n_best)` of translations; an unknown token is copied, and so is a span `(batch, symbols)`."""
    batch, several, time = tf.unstack(tf.shape(ids))
    flat, unknown = (tf.reshape(part, [batch * several, time]) for part in (ids, copied))
    each = None if spans is None else tf.repeat(spans, several, axis=0)
    texts = vocabularies.write(flat, tf.reshape(lengths, [-1]), unknown, each)
    return tf.reshape(texts, [batch, several])


def translator(
    network: keras.Model,
    vocabularies: PairVocabularies,
    decoding: DecodingConfig,
    *,
    n_best: int = 1,
) -> Translator:
    """A function that translates sentences with the network's weights of that moment."""
    beams = decoding.beam_width

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string), tf.TensorSpec(())], autograph=False)
    def run(sentences: Tensor, penalty: Tensor) -> Tensors:
        best = translate(
            network,
            vocabularies,
            sentences,
            beams=beams,
            n_best=n_best,
            length_penalty=penalty,
            no_repeat=decoding.no_repeat,
        )
        return [best.texts, best.scores, best.appended]

    def apply(sentences: Sequence[str], *, length_penalty: float | None = None) -> list[list[Written]]:
        penalty = tf.constant(decoding.length_penalty if length_penalty is None else length_penalty)
        results: list[list[Written]] = [[] for _ in sentences]
        order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
        for start in range(0, len(order), ROWS):
            numbers = order[start : start + ROWS]
            found = (part.numpy() for part in run(tf.constant([sentences[number] for number in numbers]), penalty))
            for number, *row in zip(numbers, *found, strict=True):
                parts = zip(*row, strict=True)
                results[number] = [
                    Written(text.decode(), float(score), int(n)) for text, score, n in parts if score > -1e29
                ]
        return results

    return apply
