"""Recordings in, transcripts with confidence and times of words out: one graph for evaluation and serving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.character_model import CharacterModel
from rnnapps.tasks.speech_recognition.decoding.ctc import greedy_symbols
from rnnapps.tasks.speech_recognition.decoding.ctc_alignment import align, log_probability
from rnnapps.tasks.speech_recognition.decoding.ctc_beam import beam_search
from rnnapps.tasks.speech_recognition.decoding.hot_words import Favoured, read_hot_words
from rnnapps.tasks.speech_recognition.decoding.symbol_model import SymbolModel
from rnnapps.tasks.speech_recognition.decoding.symbol_ngram import SymbolNgram
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.network import read_frames, zero_states
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["Transcriber", "Transcript", "padded"]

ROWS = 16
SIGNATURE = (tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32))
"""Of waveforms and lengths of any size."""

GIVEN = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32))
"""Of symbols and how many there are."""


@dataclass(frozen=True)
class Transcript:
    """What was recognised in one recording.

    Attributes:
        text: the transcript.
        confidence: probability of the transcript given the sound, by the network alone, 0 to 1.
        words: (word, its beginning and end in seconds).
    """

    text: str
    confidence: float
    words: tuple[tuple[str, float, float], ...]


class Transcriber:
    """Applies a network to recordings.

    Args:
        network: what `speech_network` returned.
        features: front end and alphabet.
        decoding: how transcripts are found.

    Attributes:
        trackables: what a graph of this class uses beside the network.

    Raises:
        ConfigError: a language model is asked for, but there is none, or it does not fit; hot words cannot be read.
        ExportError: the language model cannot be read.
    """

    def __init__(self, network: keras.Model, features: SpeechFeatures, decoding: DecodingConfig | None = None) -> None:
        self.network, self.features, self.decoding = network, features, decoding or DecodingConfig()
        self.language_model = _language_model(features, self.decoding)
        if self.decoding.language_model_weight and self.language_model is None:
            problem = "must be 0: the model was trained with data.language_model_order 0"
            raise ConfigError(f"decoding.language_model_weight {problem}, and there is no decoding.language_model")
        own, alphabet = self.decoding, features.alphabet
        self.hot_words = read_hot_words(own.hot_words, alphabet, boost=own.hot_word_boost) if own.hot_words else None
        self.trackables = (self.language_model.loaded,) if isinstance(self.language_model, CharacterModel) else ()
        self._compiled = tf.function(self.graph, input_signature=SIGNATURE, autograph=False)
        self._aligned = tf.function(self._given, input_signature=(*SIGNATURE, *GIVEN), autograph=False)

    def logits(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the network.

        Args:
            waveforms: float32 `(batch, samples)` of full scale 1.
            lengths: int32 `(batch,)`.

        Returns:
            Logits `(batch, outputs, symbols)`, zero behind a row's end, and the outputs of each row, int32 `(batch,)`.
        """
        spectra, frames = self.features(waveforms, lengths)
        states = zero_states(self.network, tf.shape(waveforms)[0])
        logits, counts, _ = read_frames(self.network, spectra, frames, states)
        return logits, counts

    def graph(self, waveforms: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Transcripts of waveforms, in graph.

        Returns:
            `transcript` string and `confidence` float32 `(batch,)`; `words` string, `word_starts` and `word_ends`
            float32 seconds `(batch, most words)`, and `word_counts` int32 `(batch,)`.
        """
        return self.answers(*self.logits(waveforms, lengths), lengths)

    def answers(self, logits: Tensor, outputs: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """What `graph` returns, of the logits of waveforms with these lengths."""
        scores = tf.nn.log_softmax(logits)
        symbols, counts = self.symbols(scores, outputs)
        return self._described(scores, outputs, lengths, symbols=symbols, counts=counts)

    def _given(self, waveforms: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor) -> dict[str, Tensor]:
        """What `graph` returns, of known transcripts: symbols `(batch, most symbols)` and their number `(batch,)`."""
        logits, outputs = self.logits(waveforms, lengths)
        return self._described(tf.nn.log_softmax(logits), outputs, lengths, symbols=symbols, counts=counts)

    def _described(
        self, scores: Tensor, outputs: Tensor, lengths: Tensor, *, symbols: Tensor, counts: Tensor
    ) -> dict[str, Tensor]:
        """What `graph` returns, of symbols."""
        first, last = align(scores, outputs, symbols, counts)
        confidence = tf.exp(log_probability(scores, outputs, symbols, counts))
        seconds = tf.cast(lengths, tf.float32) / self.features.sample_rate_hz
        return {
            "transcript": self.features.alphabet.decode(symbols, counts),
            "confidence": tf.clip_by_value(confidence, 0.0, 1.0),
            **self._words(symbols, counts, first=first, last=last, seconds=seconds),
        }

    def symbols(self, scores: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Symbols `(batch, most symbols)` and their number `(batch,)` of log-probabilities, greedily or by beam."""
        if self.decoding.beam_width == 1:
            symbols, counts, _ = greedy_symbols(scores, outputs)
            return symbols, counts
        return self._by_beam(scores, outputs, self.decoding.language_model_weight, self.decoding.symbol_bonus)

    def _by_beam(
        self, scores: Tensor, outputs: Tensor, weight: Tensor | float, bonus: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """`symbols` by beam search with a weight of the language model and a bonus of every symbol."""
        width, model = self.decoding.beam_width, self.language_model if not _is_zero(weight) else None
        if self.hot_words is not None:
            model, weight = Favoured(self.hot_words, model, weight), 1.0
        symbols, counts, _ = beam_search(scores, outputs, width=width, language_model=model, weight=weight, bonus=bonus)
        return symbols[:, 0], counts[:, 0]

    def with_weights(
        self, recordings: Sequence[Array], weights: Sequence[tuple[float, float]]
    ) -> Iterator[tuple[tuple[float, float], list[str]]]:
        """Transcripts of recordings by beam search for each weight of the language model and bonus of a symbol."""
        logits = tf.function(self.logits, input_signature=SIGNATURE, autograph=False)
        groups = list(_batches([len(samples) for samples in recordings]))
        outputs = [logits(*padded([recordings[number] for number in numbers])) for numbers in groups]

        @tf.function(reduce_retracing=True, autograph=False)
        def search(scores: Tensor, counts: Tensor, weight: Tensor, bonus: Tensor) -> Tensor:
            return self.features.alphabet.decode(*self._by_beam(tf.nn.log_softmax(scores), counts, weight, bonus))

        for weight, bonus in weights:
            texts = [""] * len(recordings)
            for numbers, (scores, counts) in zip(groups, outputs, strict=True):
                recognised = search(scores, counts, tf.constant(weight), tf.constant(bonus)).numpy()
                for number, text in zip(numbers, recognised, strict=True):
                    texts[number] = text.decode()
            yield (weight, bonus), texts

    def _words(
        self, symbols: Tensor, counts: Tensor, *, first: Tensor, last: Tensor, seconds: Tensor
    ) -> dict[str, Tensor]:
        """Words with their times: from the beginning of the first symbol's first output to the end of the last's."""
        begins, within = self.features.alphabet.word_starts(symbols, counts)
        number = tf.cumsum(tf.cast(begins, tf.int32), axis=1) - 1
        words = tf.reduce_sum(tf.cast(begins, tf.int32), axis=1)
        most = tf.reduce_max(tf.concat([words, [0]], axis=0))
        # (batch, symbols, words): a word's times are the least beginning and the largest end of the symbols in it.
        belongs = within[:, :, None] & tf.equal(number[:, :, None], tf.range(most)[None, None])
        starts = tf.reduce_min(tf.where(belongs, first[:, :, None], tf.int32.max), axis=1)
        ends = tf.reduce_max(tf.where(belongs, last[:, :, None], 0), axis=1)
        inside = tf.sequence_mask(words, most)
        step = self.features.seconds_per_output
        limit = seconds[:, None]
        texts = tf.strings.split(self.features.alphabet.decode(symbols, counts)).to_tensor("")
        texts = tf.pad(texts, [[0, 0], [0, most - tf.shape(texts)[1]]], constant_values="")
        return {
            "words": texts,
            "word_starts": tf.where(inside, tf.minimum(tf.cast(starts, tf.float32) * step, limit), 0.0),
            "word_ends": tf.where(inside, tf.minimum(tf.cast(ends, tf.float32) * step, limit), 0.0),
            "word_counts": words,
        }

    def aligned(self, samples: Array, symbols: Array) -> Transcript:
        """A transcript that is known, with its probability and the times of its words.

        Args:
            samples: the recording, float32 `(samples,)` of full scale 1.
            symbols: ids int32 `(symbols,)`; its outputs suffice for them.
        """
        answers = self._aligned(*padded([samples]), tf.constant(symbols[None]), tf.constant([len(symbols)]))
        return next(_transcripts(answers))

    def __call__(self, recordings: Sequence[Array]) -> list[Transcript]:
        """Transcripts of recordings, float32 `(samples,)` each, of full scale 1."""
        transcripts: list[Transcript | None] = [None] * len(recordings)
        for numbers in _batches([len(samples) for samples in recordings]):
            answers = self._compiled(*padded([recordings[number] for number in numbers]))
            for number, transcript in zip(numbers, _transcripts(answers), strict=True):
                transcripts[number] = transcript
        return [transcript for transcript in transcripts if transcript is not None]


def _language_model(features: SpeechFeatures, decoding: DecodingConfig) -> SymbolModel | None:
    """The one that is named, or that of the training transcripts, where there is any."""
    if decoding.language_model:
        return CharacterModel(decoding.language_model, features.alphabet)
    return None if features.symbol_ngrams is None else SymbolNgram(features.symbol_ngrams)


def _is_zero(weight: Tensor | float) -> bool:
    """Whether a weight is known to be 0 while the graph is built."""
    return isinstance(weight, int | float) and weight == 0


def padded(recordings: Sequence[Array]) -> tuple[Tensor, Tensor]:
    """Waveforms float32 `(batch, samples)` and lengths int32 `(batch,)` of recordings of any length."""
    lengths = np.array([len(samples) for samples in recordings], np.int32)
    waveforms = np.zeros((len(recordings), max(int(lengths.max(initial=0)), 1)), np.float32)
    for row, samples in zip(waveforms, recordings, strict=True):
        row[: len(samples)] = samples
    return tf.constant(waveforms), tf.constant(lengths)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of recordings of similar length, a few at a time."""
    order = sorted(range(len(lengths)), key=lambda number: lengths[number])
    for first in range(0, len(order), ROWS):
        yield order[first : first + ROWS]


def _transcripts(answers: NamedTensors) -> Iterator[Transcript]:
    """The rows of what `graph` returns."""
    arrays = {name: value.numpy() for name, value in answers.items()}
    for row, text in enumerate(arrays["transcript"]):
        count = int(arrays["word_counts"][row])
        times = zip(
            *(arrays[name][row, :count].tolist() for name in ("words", "word_starts", "word_ends")), strict=True
        )
        words = tuple((word.decode(), round(start, 3), round(end, 3)) for word, start, end in times)
        yield Transcript(text.decode(), float(arrays["confidence"][row]), words)
