"""Training a recogniser: batches, loss and validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.objective import Objective
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.speech import UtteranceSplits
from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.tasks.speech_recognition.decoding.ctc import greedy_symbols
from rnnapps.tasks.speech_recognition.decoding.ctc_alignment import log_probability
from rnnapps.tasks.speech_recognition.model_config import SpeechTrainingConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.recordings import TrainingRecordings, held_out_strings
from rnnapps.tasks.speech_recognition.transcription import Transcriber, padded
from rnnapps.tasks.speech_recognition.word_errors import error_rates
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["ctc_nats", "speech_objective"]

ROWS, SHOWN = 16, 8
LARGEST_NATS = 1e4
"""What an utterance counts that is too short for its transcript."""


def speech_objective(
    network: keras.Model,
    features: SpeechFeatures,
    splits: UtteranceSplits,
    *,
    data: SpeechDataConfig,
    training: SpeechTrainingConfig,
    seed: int,
) -> Objective:
    """The objective of `rnnapps.training.loop.train`.

    Raises:
        DataError: a training recording is too short for its transcript.
    """
    recordings = TrainingRecordings(splits.train, features, data, training, seed=seed)
    held_out = held_out_strings(splits.validation, data)
    score = _scorer(network, features, held_out)
    shown: list[str] = []

    def validate() -> dict[str, float]:
        texts, metrics = score()
        pairs = list(zip(held_out, texts, strict=True))[:: max(1, len(texts) // SHOWN)][:SHOWN]
        shown[:] = [f"said: {utterance.transcript} | recognised: {text}" for utterance, text in pairs]
        return {f"validation_{name}": value for name, value in metrics.items()}

    def loss(outputs: NamedTensors, batch: NamedTensors) -> Tensor:
        counts = tf.reduce_sum(tf.cast(outputs["valid"], tf.int32), axis=1)
        nats = ctc_nats(outputs["logits"], counts, batch["targets"])
        return tf.reduce_sum(nats) / tf.cast(tf.math.count_nonzero(batch["targets"]), tf.float32)

    return Objective(
        loss=loss,
        batches=recordings.batches,
        validate=validate,
        metric="validation_nats_per_symbol",
        samples=lambda: list(shown),
        loss_unit="nats_per_symbol",
        time_step="output",
        sequences=len(recordings),
        terms=lambda batch: tf.math.count_nonzero(batch["targets"]),
    )


def ctc_nats(logits: Tensor, outputs: Tensor, symbols: Tensor) -> Tensor:
    """Negative log-likelihood of transcripts, summed over their alignments, float32 `(batch,)`.

    Args:
        logits: `(batch, outputs, ids)`; id 0 is the blank.
        outputs: int32 `(batch,)`, outputs of each row.
        symbols: int32 `(batch, most symbols)`, 0 behind a row's end.
    """
    return tf.nn.ctc_loss(tf.sparse.from_dense(symbols), logits, None, outputs, logits_time_major=False, blank_index=0)


def _scorer(
    network: keras.Model, features: SpeechFeatures, utterances: Sequence[Utterance]
) -> Callable[[], tuple[list[str], dict[str, float]]]:
    """A function that transcribes utterances greedily with the network's current weights, and scores them."""
    recognise = _recogniser(Transcriber(network, features))
    references = [utterance.transcript for utterance in utterances]
    # Utterances of similar length side by side, so that little is padding.
    order = sorted(range(len(utterances)), key=lambda number: utterances[number].size)
    groups = [order[first : first + ROWS] for first in range(0, len(order), ROWS)]

    def score() -> tuple[list[str], dict[str, float]]:
        texts, nats, count = [""] * len(utterances), 0.0, 0
        for numbers in groups:
            symbols = _encoded(features, [references[number] for number in numbers])
            waveforms, lengths = padded([utterances[number].waveform() for number in numbers])
            recognised, likelihoods = recognise(waveforms, lengths, symbols)
            nats -= float(likelihoods.numpy().sum())
            count += int(np.count_nonzero(symbols))
            for number, text in zip(numbers, recognised.numpy(), strict=True):
                texts[number] = text.decode()
        return texts, {"nats_per_symbol": nats / max(count, 1), **error_rates(references, texts)}

    return score


def _recogniser(transcriber: Transcriber) -> Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]:
    """A graph: (waveforms, their lengths, symbols that were said) -> (transcripts, log-likelihood of the latter)."""
    signature = [
        tf.TensorSpec((None, None), tf.float32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None, None), tf.int32),
    ]

    @tf.function(input_signature=signature, autograph=False)
    def recognise(waveforms: Tensor, lengths: Tensor, symbols: Tensor) -> tuple[Tensor, Tensor]:
        logits, outputs = transcriber.logits(waveforms, lengths)
        ids, counts, _ = greedy_symbols(logits, outputs)
        said = tf.math.count_nonzero(symbols, axis=1, dtype=tf.int32)
        likelihood = log_probability(tf.nn.log_softmax(logits), outputs, symbols, said)
        return transcriber.features.alphabet.decode(ids, counts), tf.maximum(likelihood, -LARGEST_NATS)

    graph: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]] = recognise
    return graph


def _encoded(features: SpeechFeatures, transcripts: Sequence[str]) -> Tensor:
    """Symbols int32 `(batch, most symbols)` of transcripts, 0 behind a row's end."""
    known = set(features.alphabet.symbols)
    rows = [_known_symbols(features, transcript, known) for transcript in transcripts]
    symbols = np.zeros((len(rows), max(map(len, rows), default=0) or 1), np.int32)
    for row, ids in zip(symbols, rows, strict=True):
        row[: len(ids)] = ids
    return tf.constant(symbols)


def _known_symbols(features: SpeechFeatures, transcript: str, known: set[str]) -> Array:
    """The ids of those symbols that the network can write; others count in the error rates only."""
    parts = transcript.split() if features.alphabet.unit == "words" else list(transcript)
    separator = " " if features.alphabet.unit == "words" else ""
    return features.alphabet.encode(separator.join(part for part in parts if part in known))
