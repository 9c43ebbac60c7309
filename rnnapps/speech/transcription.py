"""Recordings in, transcripts with confidence and times of words out: one graph for evaluation and serving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.decoding.ctc import greedy_symbols
from rnnapps.decoding.ctc_alignment import align, log_probability
from rnnapps.decoding.ctc_beam import SymbolModel, beam_search
from rnnapps.layers.speech_network import read_frames, zero_states
from rnnapps.preprocessing.speech_features import SpeechFeatures
from rnnapps.speech.model_config import DecodingConfig

__all__ = ["Transcriber", "Transcript", "padded"]

Array = np.ndarray[Any, Any]

ROWS = 16


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
        language_model: counts beside the sound; none by default.
    """

    def __init__(
        self,
        network: keras.Model,
        features: SpeechFeatures,
        decoding: DecodingConfig | None = None,
        language_model: SymbolModel | None = None,
    ) -> None:
        self.network, self.features = network, features
        self.decoding, self.language_model = decoding or DecodingConfig(), language_model
        signature = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)]
        self._compiled = tf.function(self.graph, input_signature=signature, autograph=False)

    def logits(self, waveforms: Any, lengths: Any) -> tuple[Any, Any]:
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

    def graph(self, waveforms: Any, lengths: Any) -> dict[str, Any]:
        """Transcripts of waveforms, in graph.

        Returns:
            `transcript` string and `confidence` float32 `(batch,)`; `words` string, `word_starts` and `word_ends`
            float32 seconds `(batch, most words)`, and `word_counts` int32 `(batch,)`.
        """
        logits, outputs = self.logits(waveforms, lengths)
        scores = tf.nn.log_softmax(logits)
        symbols, counts = self.symbols(scores, outputs)
        first, last = align(scores, outputs, symbols, counts)
        confidence = tf.exp(log_probability(scores, outputs, symbols, counts))
        seconds = tf.cast(lengths, tf.float32) / self.features.sample_rate_hz
        return {
            "transcript": self.features.alphabet.decode(symbols, counts),
            "confidence": tf.clip_by_value(confidence, 0.0, 1.0),
            **self._words(symbols, counts, first, last, seconds),
        }

    def symbols(self, scores: Any, outputs: Any) -> tuple[Any, Any]:
        """Symbols `(batch, most symbols)` and their number `(batch,)` of log-probabilities, greedily or by beam."""
        if self.decoding.beam_width == 1:
            symbols, counts, _ = greedy_symbols(scores, outputs)
            return symbols, counts
        found, counts, _ = beam_search(
            scores,
            outputs,
            width=self.decoding.beam_width,
            language_model=self.language_model,
            weight=self.decoding.language_model_weight,
            bonus=self.decoding.symbol_bonus,
        )
        return found[:, 0], counts[:, 0]

    def _words(self, symbols: Any, counts: Any, first: Any, last: Any, seconds: Any) -> dict[str, Any]:
        """Words with their times: from the beginning of the first symbol's first output to the end of the last's."""
        begins, within = self.features.alphabet.word_starts(symbols, counts)
        number = tf.cumsum(tf.cast(begins, tf.int32), axis=1) - 1
        words = tf.reduce_sum(tf.cast(begins, tf.int32), axis=1)
        most = tf.reduce_max(tf.concat([words, [0]], axis=0))
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

    def __call__(self, recordings: Sequence[Array]) -> list[Transcript]:
        """Transcripts of recordings, float32 `(samples,)` each, of full scale 1."""
        found: list[Transcript | None] = [None] * len(recordings)
        for places in _batches([len(each) for each in recordings]):
            answers = self._compiled(*padded([recordings[place] for place in places]))
            for place, transcript in zip(places, _transcripts(answers), strict=True):
                found[place] = transcript
        return [transcript for transcript in found if transcript is not None]


def padded(recordings: Sequence[Array]) -> tuple[Any, Any]:
    """Waveforms float32 `(batch, samples)` and lengths int32 `(batch,)` of recordings of any length."""
    lengths = np.array([len(each) for each in recordings], np.int32)
    waveforms = np.zeros((len(recordings), max(int(lengths.max(initial=0)), 1)), np.float32)
    for row, samples in zip(waveforms, recordings, strict=True):
        row[: len(samples)] = samples
    return tf.constant(waveforms), tf.constant(lengths)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of recordings of similar length, a few at a time."""
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    for first in range(0, len(order), ROWS):
        yield order[first : first + ROWS]


def _transcripts(answers: dict[str, Any]) -> Iterator[Transcript]:
    arrays = {name: value.numpy() for name, value in answers.items()}
    for row, text in enumerate(arrays["transcript"]):
        count = int(arrays["word_counts"][row])
        times = zip(
            *(arrays[name][row, :count].tolist() for name in ("words", "word_starts", "word_ends")), strict=True
        )
        words = tuple((word.decode(), round(start, 3), round(end, 3)) for word, start, end in times)
        yield Transcript(text.decode(), float(arrays["confidence"][row]), words)
