"""Transcripts of recordings, whole or while they are heard, as people look at them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import answered
from rnnapps.data.compressed import plain_stem
from rnnapps.data.sources import list_files
from rnnapps.errors import ConfigError, DataError
from rnnapps.layers.side_by_side import first_of
from rnnapps.tasks.speech_recognition.chunks import STANDARD_INPUT
from rnnapps.tasks.speech_recognition.data.audio import audio_suffixes
from rnnapps.tasks.speech_recognition.data.sound import Sound, read_sound
from rnnapps.tasks.speech_recognition.long_recordings import is_long, transcribe_long
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.remarks import empty_remark
from rnnapps.tasks.speech_recognition.results import Transcription, Word
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig
from rnnapps.tasks.speech_recognition.streaming import SpeechStream
from rnnapps.tasks.speech_recognition.transcript_files import write_transcript
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["Transcription", "Word", "sounds_of", "stream_words", "transcribe", "written"]

PLACE = "{}"

Step = Callable[[Tensor, Tensor, Tensor, NamedTensors], dict[str, Tensor]]
"""See `SpeechStream.step`."""


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
    transcriber: Transcriber,
    sounds: Sequence[tuple[str, Sound]],
    segmentation: SegmentationConfig,
    *,
    many: bool = False,
    timed: bool = False,
) -> Iterator[Transcription | BadExample]:
    """Transcripts of recordings, each by itself, as soon as it is known.

    Args:
        transcriber: the network, its front end, and how transcripts are found.
        sounds: what to call each in errors, and the recording.
        segmentation: how recordings are cut that are longer than a segment.
        many: whether the others are transcribed where one cannot be read.
        timed: tell the real-time factor of a long one on standard error.

    Raises:
        DataError: a recording is missing or damaged, or an array is no sound, and there are not many.
    """
    answers = (partial(_transcribed, transcriber, place, sound, segmentation, timed=timed) for place, sound in sounds)
    return answered(answers, many=many)


def _transcribed(
    transcriber: Transcriber, place: str, sound: Sound, segmentation: SegmentationConfig, *, timed: bool
) -> Transcription:
    """What is said in a recording; one that is no longer than a segment is read whole."""
    rate = transcriber.features.sample_rate_hz
    if is_long(sound, place, sample_rate_hz=rate, seconds=segmentation.longest_seconds):
        found = transcribe_long(transcriber, sound, place, segmentation, timed=timed)
        if not found.transcript:
            print(f"note: {place}: nothing was recognised", file=sys.stderr)
        return found
    samples = read_sound(sound, place, sample_rate_hz=rate)
    transcript = transcriber([samples])[0]
    if not transcript.text:
        print(empty_remark(place, samples), file=sys.stderr)
    words = tuple(Word(word, start, end) for word, start, end in transcript.words)
    file = str(sound) if isinstance(sound, str | Path) else ""
    return Transcription(file, transcript.text, transcript.confidence, words)


def written(
    results: Iterable[Transcription | BadExample], output: str, *, many: bool
) -> Iterator[Transcription | BadExample]:
    """The same results; each transcript is also written into a file.

    Args:
        results: what was found.
        output: the file, see `write_transcript`; `{}` in it stands for the name of the recording without its ending.
        many: whether there may be several recordings, for which there must be a `{}`.

    Raises:
        ConfigError: a file cannot be written, or several recordings would be written into one.
    """
    if many and PLACE not in output:
        told = f"--output {output} is one file, and there may be several recordings"
        raise ConfigError(f"{told}; write {PLACE} where each one's name belongs, as in {PLACE}.srt")
    return _each_written(results, output)


def _each_written(results: Iterable[Transcription | BadExample], output: str) -> Iterator[Transcription | BadExample]:
    """The results, each written before it is given on."""
    for found in results:
        if isinstance(found, Transcription):
            write_transcript(found, Path(output.replace(PLACE, plain_stem(found.file))))
        yield found


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
