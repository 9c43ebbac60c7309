"""Recordings in files, from the microphone or from standard input, to transcripts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.data.sources import list_files
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.data.audio import AUDIO_SUFFIXES, read_audio
from rnnapps.tasks.speech_recognition.data.utterance import SCALE
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.streaming import SpeechStream
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["stream_words", "transcribe_files"]

Step = Callable[[Tensor, Tensor, Tensor, NamedTensors], dict[str, Tensor]]
"""See `SpeechStream.step`."""

STANDARD_INPUT = "-"
LONGEST_SECONDS = 900
"""The alignment of a longer recording's words would need more than a gigabyte."""


def transcribe_files(
    network: keras.Model, features: SpeechFeatures, source: str, decoding: DecodingConfig
) -> list[dict[str, Any]]:
    """Transcripts of a file, or of all files of a folder.

    Raises:
        ConfigError: the source is a stream.
        DataError: a file is missing, damaged or too long, or a folder holds no recording.
    """
    if source in ("", STANDARD_INPUT):
        raise ConfigError("predict needs --file, a recording or a folder of them; stream reads what has no end")
    paths = list_files(Path(source), AUDIO_SUFFIXES) if Path(source).is_dir() else [Path(source)]
    if not paths:
        raise DataError(source, "holds no recording", f"put files there that end in {', '.join(AUDIO_SUFFIXES)}")
    transcriber = Transcriber(network, features, decoding)
    described = []
    for path in paths:
        samples = read_audio(path, sample_rate_hz=features.sample_rate_hz)
        if len(samples) > LONGEST_SECONDS * features.sample_rate_hz:
            problem = (
                f"lasts {len(samples) / features.sample_rate_hz:,.0f} s; at most {LONGEST_SECONDS} are transcribed"
            )
            raise DataError(path, problem, "cut it, or stream it with a model that reads forwards")
        transcript = transcriber([samples])[0]
        words = [{"word": word, "start": start, "end": end} for word, start, end in transcript.words]
        described.append(
            {"file": str(path), "transcript": transcript.text, "confidence": transcript.confidence, "words": words}
        )
    return described


def stream_words(network: keras.Model, features: SpeechFeatures, source: str, *, chunk_ms: float) -> Iterator[str]:
    """Words as soon as they are complete, and a line feed; tells the real-time factor at the end on standard error.

    Args:
        network: a network that reads forwards.
        features: front end with stored normalisation.
        source: a file, `-` for raw sound from standard input, or nothing for the microphone.
        chunk_ms: milliseconds of sound that are read at once.

    Raises:
        ConfigError: the network reads backwards too, or there is no microphone.
        DataError: the file is missing or damaged.
    """
    if network.get_layer("recurrent").bidirectional or features.normalization.kind != "stored":
        needs = "model.bidirectional false and model.normalization stored"
        raise ConfigError(f"this model reads whole recordings and cannot stream; train one with {needs}")
    size = max(1, round(chunk_ms * features.sample_rate_hz / 1000))
    stream = SpeechStream(network, features)
    step = _compiled(stream)
    states = stream.first_states(1)
    _advance(step, np.zeros(size, np.float32), False, states)  # builds the graph before the clock runs
    written, busy, heard = 0, 0.0, 0
    for chunk, last in _with_end(_chunks(source, features.sample_rate_hz, size)):
        begun = time.perf_counter()
        states = _advance(step, chunk, last, states)
        busy, heard = busy + time.perf_counter() - begun, heard + len(chunk)
        text = states["transcript"].numpy()[0].decode()
        # A word is complete once a space follows it; where words are the units, as soon as it is there.
        whole = features.alphabet.unit == "words" or last
        known = len(text) if whole else text.rfind(" ") + 1
        if known > written:
            yield text[written:known]
            written = known
    yield "\n"
    seconds = heard / features.sample_rate_hz
    if seconds:
        print(f"{seconds:.1f} s of sound; real-time factor {busy / seconds:.3f}", file=sys.stderr)


def _compiled(stream: SpeechStream) -> Step:
    """The step as one graph for chunks of any size."""
    waveform = tf.TensorSpec((None, None), tf.float32)
    lengths, last = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.bool)
    signature = [waveform, lengths, last, stream.state_signature()]
    step: Step = tf.function(stream.step, input_signature=signature, autograph=False)
    return step


def _advance(step: Step, chunk: Array, last: bool, states: NamedTensors) -> dict[str, Tensor]:
    """The states after a chunk float32 `(samples,)`."""
    answer = step(tf.constant(chunk[None]), tf.constant([len(chunk)]), tf.constant([last]), states)
    return {name: answer[name] for name in states}


def _with_end(chunks: Iterator[Array]) -> Iterator[tuple[Array, bool]]:
    """Each chunk, and at last an empty one that is the end."""
    for chunk in chunks:
        yield chunk, False
    yield np.zeros(0, np.float32), True


def _chunks(source: str, rate: int, size: int) -> Iterator[Array]:
    """Sound of full scale 1, float32 `(size,)` each; the last may be shorter."""
    if source == STANDARD_INPUT:
        while content := sys.stdin.buffer.read(2 * size):
            yield np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.float32) / SCALE
    elif source:
        samples = read_audio(source, sample_rate_hz=rate)
        yield from (samples[first : first + size] for first in range(0, len(samples), size))
    else:
        yield from _microphone(rate, size)


def _microphone(rate: int, size: int) -> Iterator[Array]:
    """Until interrupted."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the package is there, but the PortAudio library is not
        remedy = "pip install sounddevice, or pipe a recorder into --file -"
        raise ConfigError(f"the microphone cannot be read: {error}; {remedy}") from None
    try:
        with sounddevice.InputStream(samplerate=rate, channels=1, dtype="float32", blocksize=size) as stream:
            while True:
                yield stream.read(size)[0][:, 0]
    except sounddevice.PortAudioError as error:
        raise ConfigError(f"the microphone cannot be read: {error}; choose another as the default device") from None
    except KeyboardInterrupt:
        return
