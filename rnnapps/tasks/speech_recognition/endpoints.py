"""Signatures of recognisers: WAV files, waveforms, or chunks of a stream in; transcripts out."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.export.row_rules import between, is_text, lengths_fit, text_within
from rnnapps.tasks.speech_recognition.data.utterance import SCALE, wav_bytes
from rnnapps.tasks.speech_recognition.export_config import SpeechExportConfig
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.preprocessing.wav import decode_wavs, wav_problems
from rnnapps.tasks.speech_recognition.streaming import SpeechStream
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.types import Array, Tensor

__all__ = ["speech_endpoints"]

SECONDS = (0.6, 0.05, 0.25, 0.9, 0.01)
LOUDEST = 1e6
"""Largest sample, where 1 is full scale."""

MOST_HEARD = 1 << 30
LONGEST_TRANSCRIPT = 20_000
"""Characters of a stream's transcript: a client takes what it has and begins a new one."""


def speech_endpoints(
    network: keras.Model,
    features: SpeechFeatures,
    decoding: DecodingConfig,
    limits: SpeechExportConfig,
    *,
    streams: bool,
) -> dict[str, Endpoint]:
    """`serving_default` transcribes WAV files, `tensors` waveforms; `step` goes on from states, if the model can."""
    transcriber = Transcriber(network, features, decoding)
    seconds = limits.longest_seconds
    endpoints = {"serving_default": _files(transcriber, seconds), "tensors": _waveforms(transcriber, seconds)}
    return {**endpoints, "step": _step(SpeechStream(network, features), seconds)} if streams else endpoints


def _files(transcriber: Transcriber, longest_seconds: float) -> Endpoint:
    """WAV files of any rate in, transcripts out."""
    rate = transcriber.features.sample_rate_hz

    def transcribe(audio_bytes: Tensor) -> dict[str, Tensor]:
        waveforms, lengths, problem = decode_wavs(audio_bytes, rate, longest_seconds=longest_seconds)
        return {**transcriber.graph(waveforms, lengths), "problem": problem}

    rates = (rate, rate, 2 * rate, rate, 44_100)
    sounds = [
        np.round(sound * 32767).astype(np.int16)
        for sound in (
            _sound(number, length, own_rate)
            for number, (length, own_rate) in enumerate(zip(SECONDS, rates, strict=True))
        )
    ]
    files = [wav_bytes(sound, own_rate) for sound, own_rate in zip(sounds, rates, strict=True)]
    examples = {"audio_bytes": np.array(files, object)}
    signature = {"audio_bytes": tf.TensorSpec((None,), tf.string)}
    problems = wav_problems(rate, longest_seconds)[1:]
    return Endpoint(
        transcribe,
        signature,
        examples,
        transcriber.trackables,
        found_problems=problems,
        summary="WAV files in, their transcripts out.",
        meanings=_meanings(transcriber.features),
    )


def _waveforms(transcriber: Transcriber, longest_seconds: float) -> Endpoint:
    """Waveforms in, logits and transcripts out."""

    def transcribe(waveform: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        logits, outputs = transcriber.logits(waveform, lengths)
        return {"logits": logits, "outputs": outputs, **transcriber.answers(logits, outputs, lengths)}

    signature = {"waveform": tf.TensorSpec((None, None), tf.float32), "lengths": tf.TensorSpec((None,), tf.int32)}
    rules, most = _waveform_rules(transcriber.features, longest_seconds, least=1)
    examples = _examples(transcriber.features)
    return Endpoint(
        transcribe,
        signature,
        examples,
        transcriber.trackables,
        rules=rules,
        most_steps=most,
        summary="Waveforms in, logits of symbols and transcripts out.",
        meanings=_meanings(transcriber.features),
    )


def _step(stream: SpeechStream, longest_seconds: float) -> Endpoint:
    """A chunk of sound and states in, the transcript so far and new states out."""
    names = list(stream.state_signature())

    def step(waveform: Tensor, lengths: Tensor, last: Tensor, **states: Tensor) -> dict[str, Tensor]:
        found = stream.step(waveform, lengths, last, {name: states[f"state_{name}"] for name in names})
        answers = {name: found[name] for name in ("transcript", "logits", "outputs")}
        return answers | {f"next_state_{name}": found[name] for name in names}

    examples = _examples(stream.features)
    rows = len(examples["lengths"])
    signature = {
        "waveform": tf.TensorSpec((None, None), tf.float32),
        "lengths": tf.TensorSpec((None,), tf.int32),
        "last": tf.TensorSpec((None,), tf.bool),
        **{f"state_{name}": spec for name, spec in stream.state_signature().items()},
    }
    states = {f"state_{name}": value.numpy() for name, value in stream.first_states(rows).items()}
    rules, most = _waveform_rules(stream.features, longest_seconds, least=0)
    rules += (
        between("state_heard", 0, MOST_HEARD),
        between("state_symbol", 0, stream.features.alphabet.size - 1),
        text_within("state_transcript", LONGEST_TRANSCRIPT),
        is_text("state_transcript"),
    )
    examples |= {"last": np.array([False, True, True, False, True]), **states}
    return Endpoint(
        step,
        signature,
        examples,
        rules=rules,
        most_steps=most,
        summary="The next piece of sound and states in, the transcript so far and new states out.",
        meanings=_meanings(stream.features) | {"transcript": "what was said so far (batch,)"},
        defaults={"last": False},
        chunk=stream.features.samples_per_output,
        settled={"last": False},
    )


def _meanings(features: SpeechFeatures) -> dict[str, str]:
    """What inputs and outputs are."""
    step = 1000 * features.seconds_per_output
    return {
        "audio_bytes": "WAV files of 16-bit PCM, any rate and number of channels (batch,)",
        "waveform": f"sound of full scale 1, {features.sample_rate_hz:,} samples a second (batch, samples)",
        "last": "whether the recording ends with this piece (batch,)",
        "transcript": "what was said (batch,)",
        "confidence": "probability of the transcript given the sound, by the network alone (batch,)",
        "words": "words of the transcript (batch, words)",
        "word_starts": "when each begins, in seconds (batch, words)",
        "word_ends": "when each ends, in seconds (batch, words)",
        "word_counts": "how many there are (batch,)",
        "logits": f"of each symbol, the blank first, every {step:g} ms (batch, outputs, symbols)",
        "outputs": "how many outputs of the row count (batch,)",
    }


def _waveform_rules(
    features: SpeechFeatures, longest_seconds: float, *, least: int
) -> tuple[tuple[RowRule, ...], dict[str, int]]:
    """What must hold of waveforms and their lengths, and how many samples are read."""
    most = int(longest_seconds * features.sample_rate_hz)
    loud = between("waveform", -LOUDEST, LOUDEST, lengths="lengths")
    return (lengths_fit("waveform", least=least, most=most), loud), {"waveform": most}


def _examples(features: SpeechFeatures) -> dict[str, Array]:
    """Waveforms of 16-bit values, and their lengths."""
    sounds = [_sound(number, seconds, features.sample_rate_hz) for number, seconds in enumerate(SECONDS)]
    waveform = np.zeros((len(sounds), max(map(len, sounds))), np.float32)
    for row, sound in zip(waveform, sounds, strict=True):
        row[: len(sound)] = np.round(sound * SCALE) / SCALE
    return {"waveform": waveform, "lengths": np.array([len(sound) for sound in sounds], np.int32)}


def _sound(number: int, seconds: float, rate: int) -> Array:
    """A buzz with formants, something like a vowel, float32 `(samples,)`."""
    time = np.arange(round(seconds * rate)) / rate
    pitch, formants = 110 + 25 * number, ((400 + 90 * number, 120), (1500 - 150 * number, 200))
    sound = np.zeros_like(time)
    for harmonic in range(1, int(rate / 2 / pitch)):
        loudness = sum(np.exp(-(((harmonic * pitch - centre) / width) ** 2)) for centre, width in formants)
        sound += (loudness + 0.02) * np.sin(2 * np.pi * harmonic * pitch * time + harmonic)
    return (0.1 * sound).astype(np.float32)
