"""How long after the end of a word a stream shows it: synthetic single words of the built-in test voices, joined.

python -m benchmarks.speech_latency runs/speech_recognition/streaming
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import jiwer
import numpy as np

import rnnapps
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.tasks.speech_recognition.data.spoken_numbers import spoken_numbers
from rnnapps.tasks.speech_recognition.data.utterance import SCALE, Utterance
from rnnapps.tasks.speech_recognition.listening import CompiledStep, Listener
from rnnapps.tasks.speech_recognition.segmentation.energy import frame_decibels
from rnnapps.tasks.speech_recognition.utterances import EndpointRules
from rnnapps.types import Array

__all__ = ["main", "spoken_strings"]

UTTERANCES = 4000
PAUSE_SECONDS, BEHIND_SECONDS = (0.1, 0.6), 2.0
WORDS_IN_A_STRING = 4
LOUD_DECIBELS = 30.0
"""A word ends with its last hundredth of a second that is within so much of its loudest."""


@dataclass
class Delays:
    """Seconds from the end of each word on that was recognised.

    Attributes:
        shown: until it stands in a partial result, whole.
        given: until it is complete: given out as a word, or as stable.
        busy: of the processor for each chunk.
        words: how many were said.
    """

    shown: list[float] = field(default_factory=list)
    given: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    words: int = 0


def spoken_strings(clips: Sequence[Utterance], rate: int, *, seed: int) -> list[tuple[Array, list[str], list[float]]]:
    """Strings of single words in one voice each: float32 `(samples,)`, the words, and where each ends in seconds.

    Pauses are as loud as the quietest tenth of the word behind them.
    """
    random, voices = np.random.default_rng(seed), sorted({clip.speaker for clip in clips})
    strings = []
    for voice in voices:
        own = [clip for clip in clips if clip.speaker == voice]
        parts: list[Array] = []
        ends: list[float] = []
        chosen = [own[number] for number in random.integers(len(own), size=WORDS_IN_A_STRING)]
        for clip in chosen:
            samples = clip.samples.astype(np.float32)
            levels = frame_decibels(samples / SCALE, rate // 100)
            level = SCALE * 10 ** (np.quantile(levels, 0.1) / 20)
            quiet = random.normal(0, level, round(random.uniform(*PAUSE_SECONDS) * rate))
            last = np.flatnonzero(levels > levels.max() - LOUD_DECIBELS)[-1] + 1
            ends.append((sum(map(len, parts)) + len(quiet)) / rate + last / 100)
            parts += [quiet, samples]
        parts.append(random.normal(0, level, round(BEHIND_SECONDS * rate)))
        strings.append(((np.concatenate(parts) / SCALE).astype(np.float32), [clip.transcript for clip in chosen], ends))
    return strings


def _heard(step: CompiledStep, string: tuple[Array, list[str], list[float]], size: int, delays: Delays) -> None:
    """Adds the delays of the words of a string, heard in chunks of `size` samples."""
    samples, words, ends = string
    listener = Listener(step, EndpointRules(), memory=StreamMemory())
    rate, alphabet = step.stream.features.sample_rate_hz, step.stream.features.alphabet
    shown: dict[tuple[int, str], float] = {}
    given: dict[tuple[int, str], float] = {}
    over: list[str] = []
    for first in range(0, len(samples), size):
        chunk = samples[first : first + size]
        begun = time.perf_counter()
        ended = listener.hear(chunk)
        delays.busy.append(time.perf_counter() - begun)
        over += [word for utterance in ended for word in utterance.transcript(alphabet).split()]
        text, now = listener.utterance.transcript(alphabet), (first + len(chunk)) / rate
        complete = text[: listener.complete(listener.utterance)]
        for moments, known in ((shown, text), (given, complete)):
            for found in enumerate([*over, *known.split()]):
                moments.setdefault(found, now)
    delays.words += len(words)
    for number, place in _recognised(words, over):
        delays.shown.append(shown[place, words[number]] - ends[number])
        delays.given.append(given[place, words[number]] - ends[number])


def _recognised(said: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of words among what was said, and among what was heard, where both are the same."""
    for chunk in jiwer.process_words(" ".join(said), " ".join(heard)).alignments[0]:
        if chunk.type == "equal":
            yield from zip(
                range(chunk.ref_start_idx, chunk.ref_end_idx),
                range(chunk.hyp_start_idx, chunk.hyp_end_idx),
                strict=True,
            )


def main() -> int:
    """Prints a line for each size of chunks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="run or export of speech_recognition that streams, trained on built-in numbers")
    parser.add_argument("--chunk_ms", type=float, nargs="+", default=[50.0, 100.0, 200.0], help="sizes of chunks")
    options = parser.parse_args()
    model = rnnapps.load(options.model)
    rate = model.preprocessor.sample_rate_hz
    clips = spoken_numbers(UTTERANCES, sample_rate_hz=rate)["test"]
    strings = spoken_strings([clip for clip in clips if " " not in clip.transcript], rate, seed=0)
    step = CompiledStep(model.network, model.preprocessor)
    for chunk_ms in options.chunk_ms:
        size, delays = round(chunk_ms * rate / 1000), Delays()
        Listener(step, EndpointRules(), memory=StreamMemory()).build(size)
        for string in strings:
            _heard(step, string, size, delays)
        told = [f"chunks of {chunk_ms:g} ms, {len(delays.shown)} of {delays.words} words right"]
        for name in ("shown", "given", "busy"):
            middle, late = np.quantile(getattr(delays, name), (0.5, 0.9))
            told.append(f"{name} {1000 * middle:.0f} ms ({1000 * late:.0f} at 90 %)")
        print("; ".join(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
