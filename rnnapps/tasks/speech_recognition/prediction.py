"""Transcripts of recordings, whole or while they are heard, as people look at them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import answered
from rnnapps.data.sources import list_files
from rnnapps.errors import ConfigError, DataError
from rnnapps.layers.side_by_side import first_of
from rnnapps.tasks.speech_recognition.chunks import STANDARD_INPUT
from rnnapps.tasks.speech_recognition.data.audio import audio_suffixes
from rnnapps.tasks.speech_recognition.data.sound import Sound, read_sound
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.remarks import empty_remark
from rnnapps.tasks.speech_recognition.streaming import SpeechStream
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["Transcription", "Word", "sounds_of", "stream_words", "transcribe"]

Step = Callable[[Tensor, Tensor, Tensor, NamedTensors], dict[str, Tensor]]
"""See `SpeechStream.step`."""

LONGEST_SECONDS = 900
"""The alignment of a longer recording's words would need more than a gigabyte."""


@dataclass(frozen=True)
class Word:
    """A word and when it was said.

    Attributes:
        word: as it is written.
        start: its beginning, in seconds from that of the recording.
        end: its end, likewise.
    """

    word: str
    start: float
    end: float


@dataclass(frozen=True)
class Transcription:
    """What was recognised in a recording.

    Attributes:
        file: the recording's file; empty for sound that came from none.
        transcript: what was said.
        confidence: probability of the transcript given the sound, by the network alone, 0 to 1.
        words: its words in their order, with their times.
    """

    file: str
    transcript: str
    confidence: float
    words: tuple[Word, ...]


def sounds_of(source: str) -> list[tuple[str, Sound]]:
    """The name and path of a file, or of each file of a folder.

    Raises:
        ConfigError: the source is a stream.
        DataError: a folder holds no recording.
    """
    if source in ("", STANDARD_INPUT):
        raise ConfigError("predict needs --file, a recording or a folder of them; stream reads what has no end")
    path = unpacked_source(source)
    paths = list_files(path, audio_suffixes()) if path.is_dir() else [path]
    if not paths:
        raise DataError(source, "holds no recording", f"put files there that end in {', '.join(audio_suffixes())}")
    return [(str(path), path) for path in paths]


def transcribe(
    network: keras.Model,
    features: SpeechFeatures,
    sounds: Sequence[tuple[str, Sound]],
    decoding: DecodingConfig,
    *,
    many: bool = False,
) -> Iterator[Transcription | BadExample]:
    """Transcripts of recordings, each by itself, as soon as it is known.

    Args:
        network: the network.
        features: front end and alphabet.
        sounds: what to call each in errors, and the recording.
        decoding: how transcripts are found.
        many: whether the others are transcribed where one cannot be read.

    Raises:
        DataError: a recording is missing, damaged or too long, or an array is no sound, and there are not many.
    """
    transcriber = Transcriber(network, features, decoding)
    return answered((partial(_transcribed, transcriber, place, sound) for place, sound in sounds), many=many)


def _transcribed(transcriber: Transcriber, place: str, sound: Sound) -> Transcription:
    rate = transcriber.features.sample_rate_hz
    samples = read_sound(sound, place, sample_rate_hz=rate)
    if len(samples) > LONGEST_SECONDS * rate:
        problem = f"lasts {len(samples) / rate:,.0f} s; at most {LONGEST_SECONDS} are transcribed"
        raise DataError(place, problem, "cut it, or stream it with a model that reads forwards")
    transcript = transcriber([samples])[0]
    if not transcript.text:
        print(empty_remark(place, samples), file=sys.stderr)
    words = tuple(Word(word, start, end) for word, start, end in transcript.words)
    file = str(sound) if isinstance(sound, str | Path) else ""
    return Transcription(file, transcript.text, transcript.confidence, words)


def stream_words(
    network: keras.Model,
    features: SpeechFeatures,
    chunks: Iterable[Array],
    *,
    chunk_samples: int,
    timed: bool,
    memory: StreamMemory,
) -> Iterator[str]:
    """Words as soon as they are complete, and a line feed; neither at the end, where another stream goes on.

    Args:
        network: a network that reads forwards.
        features: front end with stored normalisation.
        chunks: sound of full scale 1, float32 `(samples,)` each.
        chunk_samples: how large they are, about.
        timed: tell the real-time factor at the end on standard error.
        memory: what was heard before.

    Raises:
        ConfigError: the network reads backwards too, or there is no microphone.
        DataError: the file is missing or damaged.
    """
    if first_of(network).get_layer("recurrent").bidirectional or features.normalization.kind != "stored":
        needs = "model.bidirectional false and model.normalization stored"
        raise ConfigError(f"this model reads whole recordings and cannot stream; train one with {needs}")
    stream = SpeechStream(network, features)
    step = _compiled(stream)
    states = stream.first_states(1)
    _advance(step, np.zeros(chunk_samples, np.float32), False, states)  # builds the graph before the clock runs
    written, busy, heard = 0, 0.0, 0
    if before := memory.before("speech"):
        written, states = int(before.facts["written"]), _restored(before)
    memory.watch("speech", lambda: _remembered(states, written))
    for chunk, last in _with_end(chunks):
        if last and memory.keeps:
            return
        begun = time.perf_counter()
        states = _advance(step, chunk, last, states)
        busy, heard = busy + time.perf_counter() - begun, heard + len(chunk)
        text = states["transcript"].numpy()[0].decode()
        # A word is complete once a space follows it; where words are the units, as soon as it is there.
        whole = features.alphabet.unit == "words" or last
        known = len(text) if whole else text.rfind(" ") + 1
        if known > written:
            written, words = known, text[written:known]
            yield words
        memory.passed()
    yield "\n"
    seconds = heard / features.sample_rate_hz
    if timed and seconds:
        print(f"{seconds:.1f} s of sound; real-time factor {busy / seconds:.3f}", file=sys.stderr)


def _remembered(states: NamedTensors, written: int) -> Remembered:
    """The states, and how many characters of the transcript were given out."""
    text = states["transcript"].numpy()[0].decode()
    arrays = {name: state.numpy() for name, state in states.items() if name != "transcript"}
    return Remembered({"written": written, "transcript": text}, arrays)


def _restored(before: Remembered) -> dict[str, Tensor]:
    """The states that were remembered."""
    arrays = {name: tf.constant(array) for name, array in before.arrays.items()}
    return {**arrays, "transcript": tf.constant([before.facts["transcript"]])}


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


def _with_end(chunks: Iterable[Array]) -> Iterator[tuple[Array, bool]]:
    """Each chunk, and at last an empty one that is the end."""
    for chunk in chunks:
        yield chunk, False
    yield np.zeros(0, np.float32), True
