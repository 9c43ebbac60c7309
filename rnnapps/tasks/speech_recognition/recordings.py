"""Training batches of recordings, alone or joined into strings: a function of (seed, step)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.data.buckets import LengthBuckets
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.augmentation import augment_spectra, augment_waveforms
from rnnapps.tasks.speech_recognition.data.audio import resampled
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.joined_clips import draw_strings, join_utterances
from rnnapps.tasks.speech_recognition.data.stored_sounds import changed_sounds
from rnnapps.tasks.speech_recognition.data.utterance import SCALE, Utterance, as_pcm
from rnnapps.tasks.speech_recognition.decoding.ctc import required_outputs
from rnnapps.tasks.speech_recognition.model_config import SpeechTrainingConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["HELD_OUT_PASSES", "HELD_OUT_SEED", "TrainingRecordings", "held_out_strings", "require_room"]

HELD_OUT_PASSES, HELD_OUT_SEED = 4, 1
"""How often a held-out clip occurs in joined strings, and what deals them."""


class TrainingRecordings:
    """Training utterances at each speed, and the strings they are joined into.

    Args:
        utterances: the training split.
        features: front end and alphabet.
        data: how clips are joined.
        training: batch size, speeds and other random changes.
        seed: chooses strings, batches and changes.

    Raises:
        DataError: a recording is too short for its transcript, or there is none.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        features: SpeechFeatures,
        data: SpeechDataConfig,
        training: SpeechTrainingConfig,
        *,
        seed: int,
    ) -> None:
        if not utterances:
            raise DataError("the training split", "holds no recordings", "give more recordings")
        self.features, self.training, self.seed = features, training, seed
        rate = features.sample_rate_hz
        self._speeds = [_at_speed(utterances, speed, rate, data.cache_megabytes) for speed in training.speeds]
        self._strings = draw_strings(
            [utterance.speaker for utterance in utterances],
            minimum=data.join_minimum,
            maximum=data.join_maximum,
            passes=data.join_passes,
            sample_rate_hz=rate,
            seed=seed,
        )
        self._symbols = [features.alphabet.encode(utterance.transcript) for utterance in utterances]
        lengths = np.array(self._lengths())
        for row in range(len(self)):
            require_room(self._joined_symbols(row), int(lengths[row]), features, self._name(row))
        self.most_symbols = max(len(self._joined_symbols(row)) for row in range(len(self)))
        self._buckets = LengthBuckets(
            lengths,
            batch_size=training.batch_size,
            buckets=training.buckets,
            multiple=features.samples_per_output,
            seed=seed,
        )

    def __len__(self) -> int:
        return len(self._strings) * len(self._speeds)

    def batches(self, start_step: int) -> tf.data.Dataset:
        """Endless dataset of {"inputs": {"features", "lengths"}, "targets", "reset": True}.

        Features are of one width for each bucket; targets are symbols int32 `(batch, most symbols)`, 0 behind the end.
        """
        steps = tf.data.Dataset.counter(start=start_step)
        pairs = tf.data.Dataset.zip((self._buckets.batches(start_step), steps))
        return pairs.map(self._batch, num_parallel_calls=2, deterministic=True).prefetch(4)

    def _batch(self, drawn: NamedTensors, step: Tensor) -> dict[str, Tensor | dict[str, Tensor]]:
        """The batch of a step: recordings of the drawn rows, changed at random, as the network reads them."""
        rows, width = drawn["rows"], drawn["widths"][0]
        pcm, lengths, symbols = tf.numpy_function(self._assembled, [rows, width], [tf.int16, tf.int32, tf.int32])
        size = self.training.batch_size
        lengths = tf.ensure_shape(lengths, [size])
        waveforms = tf.cast(tf.ensure_shape(pcm, [size, None]), tf.float32) / SCALE
        seed = tf.stack([tf.constant(self.seed, tf.int64), step])
        waveforms = augment_waveforms(waveforms, lengths, self.training, seed)
        spectra, frames = self.features(waveforms, lengths)
        hop_ms = 1000 * self.features.log_mel.hop_samples / self.features.sample_rate_hz
        spectra = augment_spectra(spectra, frames, self.training, seed, hop_ms=hop_ms)
        return {
            "inputs": {"features": spectra, "lengths": frames},
            "targets": tf.ensure_shape(symbols, [size, self.most_symbols]),
            "reset": tf.constant(True),
        }

    def _assembled(self, rows: Array, width: Array) -> tuple[Array, Array, Array]:
        """Samples `(batch, width)`, their lengths, and symbols `(batch, most symbols)`."""
        waveforms = np.zeros((len(rows), int(width)), np.int16)
        lengths = np.zeros(len(rows), np.int32)
        symbols = np.zeros((len(rows), self.most_symbols), np.int32)
        for number, row in enumerate(rows.tolist()):
            samples, ids = self._samples(row), self._joined_symbols(row)
            waveforms[number, : len(samples)], lengths[number] = samples, len(samples)
            symbols[number, : len(ids)] = ids
        return waveforms, lengths, symbols

    def _parts(self, row: int) -> tuple[list[Utterance], tuple[int, ...]]:
        """Clips of a row and the pauses between them; rows count through the strings once for each speed."""
        speed, string = divmod(row, len(self._strings))
        return [self._speeds[speed][clip] for clip in self._strings.clips[string]], self._strings.pauses[string]

    def _samples(self, row: int) -> Array:
        """The sound of a row, int16 `(samples,)`."""
        parts, pauses = self._parts(row)
        return join_utterances(parts, pauses, self.features.sample_rate_hz).samples

    def _lengths(self) -> list[int]:
        """Samples of each row, without joining anything."""
        sizes = [np.array([utterance.size for utterance in utterances]) for utterances in self._speeds]
        pairs = list(zip(self._strings.clips, self._strings.pauses, strict=True))
        return [int(size[list(clips)].sum()) + sum(pauses) for size in sizes for clips, pauses in pairs]

    def _joined_symbols(self, row: int) -> Array:
        """The symbols of a row, int32 `(symbols,)`, with a space between clips where there is one."""
        clips = self._strings.clips[row % len(self._strings)]
        space = self.features.alphabet.space
        parts = [self._symbols[clips[0]]]
        for clip in clips[1:]:
            parts += [np.full(1 if space > 0 else 0, space, np.int32), self._symbols[clip]]
        return np.concatenate(parts)

    def _name(self, row: int) -> str:
        """What to call a row in errors."""
        return " + ".join(part.name for part in self._parts(row)[0])


def held_out_strings(utterances: Sequence[Utterance], data: SpeechDataConfig) -> list[Utterance]:
    """Held-out utterances as they are scored: alone, or joined into strings that are always the same."""
    strings = draw_strings(
        [utterance.speaker for utterance in utterances],
        minimum=data.join_minimum,
        maximum=data.join_maximum,
        passes=HELD_OUT_PASSES,
        sample_rate_hz=data.sample_rate_hz,
        seed=HELD_OUT_SEED,
    )
    return [
        join_utterances([utterances[clip] for clip in clips], pauses, data.sample_rate_hz)
        for clips, pauses in zip(strings.clips, strings.pauses, strict=True)
    ]


def require_room(symbols: Array, samples: int, features: SpeechFeatures, name: str) -> None:
    """Raises DataError, unless the network has an output for each symbol, and a blank between equal neighbours."""
    needed, outputs = required_outputs(symbols), features.outputs(samples)
    if outputs < needed:
        problem = (
            f"lasts {samples / features.sample_rate_hz:.2f} s, for which the network has {outputs} outputs; its "
            f"transcript of {len(symbols)} symbols needs {needed}"
        )
        raise DataError(name, problem, "correct the transcript, leave it out, or lower --model.strides")


def _at_speed(
    utterances: Sequence[Utterance], speed: float, sample_rate_hz: int, megabytes: int
) -> Sequence[Utterance]:
    """Utterances played faster: higher and shorter (Ko et al. 2015, "Audio augmentation for speech recognition")."""
    if speed == 1:
        return utterances

    def played(own: Utterance) -> Utterance:
        faster = resampled(own.waveform(), round(speed * sample_rate_hz), sample_rate_hz, own.name)
        return Utterance(as_pcm(faster), own.transcript, own.speaker, own.name)

    return changed_sounds(utterances, f"{speed} times as fast at {sample_rate_hz} Hz", played, megabytes)
