"""All that lies between a waveform and a speech network, and between the network's ids and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.tasks.speech_recognition.model_config import SpeechModelConfig
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet
from rnnapps.tasks.speech_recognition.preprocessing.log_mel import LogMel
from rnnapps.tasks.speech_recognition.preprocessing.spectrum_normalization import SpectrumNormalization
from rnnapps.types import Array, Tensor

__all__ = ["SpeechFeatures"]

Samples = TypeVar("Samples", int, Array)

FILE_NAME, NGRAMS_NAME = "speech_features.json", "symbol_ngrams.npy"
LONGEST_SECONDS = 30.0
"""Of the training recordings of a model that does not say how long they were."""

TAIL_SECONDS = 0.2
"""Silence appended to every waveform, so that a network that reads forwards has time to write the last word."""


@dataclass(frozen=True)
class SpeechFeatures:
    """Front end and alphabet of a recogniser.

    Attributes:
        log_mel: the spectra.
        normalization: of the spectra.
        frames_per_output: frames that one output of the network stands for (the product of its strides).
        frames_read: frames that one output of the network's convolutions reads.
        alphabet: the symbols.
        symbol_ngrams: table of a language model over the symbols of training transcripts, float32 `(contexts, ids)`,
            see `rnnapps.tasks.speech_recognition.decoding.symbol_ngram`; None for none.
        longest_seconds: of the training recordings: of longer ones a network has learned nothing.
    """

    log_mel: LogMel
    normalization: SpectrumNormalization
    frames_per_output: int
    frames_read: int
    alphabet: Alphabet
    symbol_ngrams: Array | None = None
    longest_seconds: float = LONGEST_SECONDS

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the waveforms."""
        return self.log_mel.sample_rate_hz

    @property
    def tail_samples(self) -> int:
        """Samples of silence behind every waveform."""
        return round(TAIL_SECONDS * self.sample_rate_hz)

    @property
    def samples_per_output(self) -> int:
        """Samples between two outputs of the network."""
        return self.frames_per_output * self.log_mel.hop_samples

    @property
    def samples_read(self) -> int:
        """Samples that one output of the network's convolutions reads."""
        return self.log_mel.window_samples + (self.frames_read - 1) * self.log_mel.hop_samples

    @property
    def head_samples(self) -> int:
        """Samples of silence before every waveform: an output then is due as soon as its samples have been heard."""
        return self.samples_read - self.samples_per_output

    @property
    def seconds_per_output(self) -> float:
        """Time between two outputs of the network."""
        return self.samples_per_output / self.sample_rate_hz

    def outputs(self, samples: Samples) -> Samples:
        """Number of outputs for so many samples of a waveform, in Python or elementwise in NumPy."""
        return (samples + self.tail_samples) // self.samples_per_output

    def __call__(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Features of whole utterances.

        Args:
            waveforms: float32 `(batch, samples)` of full scale 1.
            lengths: int32 `(batch,)`, samples of each row; what lies behind has no influence.

        Returns:
            Normalised spectra float32 `(batch, frames, mels)`, and the frames of each row, int32 `(batch,)`.
        """
        inside = tf.sequence_mask(lengths, tf.shape(waveforms)[1])
        padded = tf.pad(tf.where(inside, waveforms, 0.0), [[0, 0], [self.head_samples, self.tail_samples]])
        frames = self.log_mel.frames(lengths + self.head_samples + self.tail_samples)
        spectra = self.log_mel(padded)
        if self.normalization.kind == "stored":
            return self.normalization.by_training_data(spectra), frames
        # The frames count that read at least one sample of the waveform itself.
        first = tf.range(tf.shape(spectra)[1]) * self.log_mel.hop_samples - self.head_samples
        heard = (first + self.log_mel.window_samples > 0) & (first[None] < lengths[:, None])
        return self.normalization.by_utterance(spectra, heard), frames

    @classmethod
    def fit(cls, utterances: Sequence[Utterance], data: SpeechDataConfig, model: SpeechModelConfig) -> SpeechFeatures:
        """Learns alphabet, mean and deviation from training utterances.

        Args:
            utterances: the training split.
            data: for sample rate and unit.
            model: window, hop, bands and strides.
        """
        rate = data.sample_rate_hz
        log_mel = LogMel(rate, _samples(model.window_ms, data), _samples(model.hop_ms, data), model.mels)
        return cls(
            log_mel=log_mel,
            normalization=SpectrumNormalization.fit(model.normalization, utterances, log_mel),
            frames_per_output=model.frames_per_output,
            frames_read=model.frames_read,
            alphabet=Alphabet.fit(_transcripts(utterances, data), data.unit),
            longest_seconds=_longest_seconds(utterances, rate),
        )

    def grow(self, utterances: Sequence[Utterance], data: SpeechDataConfig, model: SpeechModelConfig) -> SpeechFeatures:
        """The same front end, with the new symbols of the transcripts.

        Raises:
            ConfigError: data or model ask for another front end or unit.
        """
        for name, own, wanted in (
            ("data.sample_rate_hz", self.sample_rate_hz, data.sample_rate_hz),
            ("data.unit", self.alphabet.unit, data.unit),
            ("model.mels", self.log_mel.mels, model.mels),
            ("model.normalization", self.normalization.kind, model.normalization),
            ("model.strides", self.frames_per_output, model.frames_per_output),
            ("model.kernel_frames", self.frames_read, model.frames_read),
            ("model.hop_ms", self.log_mel.hop_samples, _samples(model.hop_ms, data)),
            ("model.window_ms", self.log_mel.window_samples, _samples(model.window_ms, data)),
        ):
            if own != wanted:
                raise ConfigError(f"{name} must be that of the model to start from: {own} there, {wanted} here")
        alphabet = self.alphabet.grow(_transcripts(utterances, data))
        longest = max(self.longest_seconds, _longest_seconds(utterances, self.sample_rate_hz))
        return replace(self, alphabet=alphabet, symbol_ngrams=None, longest_seconds=longest)

    def save(self, folder: str | Path) -> None:
        """Writes `speech_features.json`, `alphabet.json` and, if there is a language model, `symbol_ngrams.npy`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        content = {
            "sample_rate_hz": self.sample_rate_hz,
            "window_samples": self.log_mel.window_samples,
            "hop_samples": self.log_mel.hop_samples,
            "mels": self.log_mel.mels,
            "normalization": self.normalization.kind,
            "frames_per_output": self.frames_per_output,
            "frames_read": self.frames_read,
            "longest_seconds": self.longest_seconds,
            "mean": self.normalization.mean.tolist(),
            "deviation": self.normalization.deviation.tolist(),
        }
        write_json(Path(folder) / FILE_NAME, content)
        self.alphabet.save(folder)
        if self.symbol_ngrams is not None:
            np.save(Path(folder) / NGRAMS_NAME, self.symbol_ngrams, allow_pickle=False)

    @classmethod
    def load(cls, folder: str | Path) -> SpeechFeatures:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: a file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        content = read_json(path)
        try:
            numbers = [int(content[name]) for name in ("sample_rate_hz", "window_samples", "hop_samples", "mels")]
            mean, deviation = (np.array(content[name], np.float64) for name in ("mean", "deviation"))
            normalization = SpectrumNormalization(content["normalization"], mean, deviation)
            if len(mean) != numbers[3] or min(numbers) < 1:
                raise ValueError("sizes differ or are not above 0")
            frames = int(content["frames_per_output"]), int(content["frames_read"])
            alphabet = Alphabet.load(folder)
            table = _load_ngrams(Path(folder) / NGRAMS_NAME, alphabet)
            longest = float(content.get("longest_seconds", LONGEST_SECONDS))
            return cls(LogMel(*numbers), normalization, *frames, alphabet, table, longest)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: is no front end ({error}); restore the file or train again") from None


def _load_ngrams(path: Path, alphabet: Alphabet) -> Array | None:
    """The table that `save` wrote; raises ValueError for one that does not fit."""
    if not path.exists():
        return None
    try:
        table: Array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None
    if table.ndim != 2 or table.shape[1] != alphabet.size or table.dtype != np.float32:
        raise ValueError(f"{path.name} is no table for {alphabet.size} symbols")
    return table


def _transcripts(utterances: Sequence[Utterance], data: SpeechDataConfig) -> list[str]:
    """All transcripts; joined clips have a space between them, even where no clip has two words."""
    first = [f"{utterance.transcript} {utterance.transcript}" for utterance in utterances[:1]] if data.joins else []
    return [*first, *(utterance.transcript for utterance in utterances)]


def _longest_seconds(utterances: Sequence[Utterance], sample_rate_hz: int) -> float:
    """Length of the longest recording."""
    return max((len(utterance.samples) for utterance in utterances), default=0) / sample_rate_hz


def _samples(milliseconds: float, data: SpeechDataConfig) -> int:
    """A time as a number of samples."""
    return round(milliseconds * data.sample_rate_hz / 1000)
