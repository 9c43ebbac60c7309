"""Transcripts of recordings, as people look at them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import answered
from rnnapps.data.compressed import plain_stem
from rnnapps.data.sources import list_files
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.alignment import aligned, read_text
from rnnapps.tasks.speech_recognition.chunks import STANDARD_INPUT
from rnnapps.tasks.speech_recognition.data.audio import audio_suffixes
from rnnapps.tasks.speech_recognition.data.sound import Sound, read_sound
from rnnapps.tasks.speech_recognition.long_recordings import is_long, transcribe_long
from rnnapps.tasks.speech_recognition.remarks import empty_remark
from rnnapps.tasks.speech_recognition.results import Transcription, Word
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig
from rnnapps.tasks.speech_recognition.transcript_files import write_transcript
from rnnapps.tasks.speech_recognition.transcription import Transcriber

__all__ = ["Transcription", "Word", "align", "sounds_of", "transcribe", "written"]

PLACE = "{}"


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


def align(
    transcriber: Transcriber,
    sounds: Sequence[tuple[str, Sound]],
    transcript: str,
    *,
    keep_punctuation: bool,
    many: bool = False,
) -> Iterator[Transcription | BadExample]:
    """Texts that are known, with the times at which their words are said.

    Args:
        transcriber: the network and its front end.
        sounds: what to call each in errors, and the recording.
        transcript: the file of the text; `{}` in it stands for the name of the recording without its ending.
        keep_punctuation: whether the model writes punctuation.
        many: whether there may be several recordings, for which there must be a `{}`; the others are aligned where one
            cannot be read.

    Raises:
        ConfigError: several recordings would have one text.
        DataError: a recording or a text cannot be read, or does not fit, and there are not many.
    """
    _require_place("transcript", transcript, many)
    answers = (
        partial(_aligned, transcriber, place, sound, transcript, keep_punctuation=keep_punctuation)
        for place, sound in sounds
    )
    return answered(answers, many=many)


def _aligned(
    transcriber: Transcriber, place: str, sound: Sound, transcript: str, *, keep_punctuation: bool
) -> Transcription:
    """The text of a recording with its times."""
    file = str(sound) if isinstance(sound, str | Path) else ""
    path = transcript.replace(PLACE, plain_stem(file))
    text = read_text(path)
    samples = read_sound(sound, place, sample_rate_hz=transcriber.features.sample_rate_hz)
    return aligned(transcriber, samples, text, place=path, file=file, keep_punctuation=keep_punctuation)


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
    _require_place("output", output, many)
    return _each_written(results, output)


def _require_place(option: str, path: str, many: bool) -> None:
    """Raises ConfigError where one file is named for several recordings."""
    if many and PLACE not in path:
        told = f"--{option} {path} is one file, and there may be several recordings"
        example = f"{PLACE}{Path(path).suffix}"
        raise ConfigError(f"{told}; write {PLACE} where each one's name belongs, as in {example}")


def _each_written(results: Iterable[Transcription | BadExample], output: str) -> Iterator[Transcription | BadExample]:
    """The results, each written before it is given on."""
    for found in results:
        if isinstance(found, Transcription):
            write_transcript(found, Path(output.replace(PLACE, plain_stem(found.file))))
        yield found
