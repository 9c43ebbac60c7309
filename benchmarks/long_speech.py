"""Long recordings of clips of the built-in voices (synthetic): word error rates of ways to cut them; time and memory.

python -m benchmarks.long_speech zoo:speech_digits                  # word error rates, test voices
python -m benchmarks.long_speech zoo:speech_digits --minutes 5 60   # time and memory of the command, no scores
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import rnnapps
from rnnapps.tasks.speech_recognition.data.spoken_numbers import spoken_numbers
from rnnapps.tasks.speech_recognition.data.utterance import Utterance, as_pcm
from rnnapps.tasks.speech_recognition.word_errors import error_rates
from rnnapps.types import Array

__all__ = ["joined", "main"]

UTTERANCES = 4000
"""Of the training split that demo.yaml reads, whose test voices these are."""

PAUSE_SECONDS = (0.3, 3.0)
SIGNAL_TO_NOISE = (30.0, 20.0, 10.0)
WAYS: dict[str, dict[str, Any]] = {
    "network": {"segmentation": "network"},
    "energy": {"segmentation": "energy"},
    "windows_30": {"segmentation": "windows"},
    "windows_5": {"segmentation": "windows", "segment_seconds": 5},
}


@dataclass(frozen=True)
class Joined:
    """Clips in one recording.

    Attributes:
        samples: int16 `(samples,)`.
        texts: what is said in the clips, in their order.
        spans: first sample of each clip, and the one behind its last.
    """

    samples: Array
    texts: list[str]
    spans: list[tuple[int, int]]


def joined(clips: Sequence[Utterance], *, sample_rate_hz: int, decibels: float, seed: int) -> Joined:
    """Clips in a random order with pauses of 0.3 to 3 s before each, and white noise over all of it.

    Args:
        clips: what is joined.
        sample_rate_hz: of the clips.
        decibels: by which the clips are louder than the noise, on average.
        seed: chooses order, pauses and noise.
    """
    random = np.random.default_rng(seed)
    order = [clips[number] for number in random.permutation(len(clips))]
    parts: list[Array] = []
    for clip in order:
        parts += [np.zeros(round(random.uniform(*PAUSE_SECONDS) * sample_rate_hz), np.float32), clip.waveform()]
    sound = np.concatenate(parts)
    power = np.mean([np.mean(clip.waveform() ** 2) for clip in clips])
    noise = np.sqrt(power) * 10 ** (-decibels / 20) * random.normal(size=len(sound))
    ends = np.cumsum([len(part) for part in parts])[1::2].tolist()
    spans = [(end - len(clip.samples), end) for end, clip in zip(ends, order, strict=True)]
    return Joined(as_pcm(sound + noise), [clip.transcript for clip in order], spans)


def _error_rates(model: Any, clips: Sequence[Utterance], rate: int, ways: Sequence[str]) -> Iterator[str]:
    """A line for each way to cut, of word error rates at each ratio of signal to noise."""
    yield "".join((f"{'':<24}", *(f"{decibels:>8g} dB" for decibels in SIGNAL_TO_NOISE)))
    sounds = [joined(clips, sample_rate_hz=rate, decibels=decibels, seed=1) for decibels in SIGNAL_TO_NOISE]
    alone = [[text.transcript for text in model.predict(_apart(sound))] for sound in sounds]
    yield _line("each clip alone", alone, sounds)
    for name in ways:
        with contextlib.redirect_stderr(io.StringIO()):
            found = [[model.predict(sound.samples, **WAYS[name]).transcript] for sound in sounds]
        yield _line(name, found, sounds)


def _apart(sound: Joined) -> list[Array]:
    """The clips, as if it were known where they are."""
    return [sound.samples[start:end] for start, end in sound.spans]


def _line(name: str, found: Sequence[Sequence[str]], sounds: Sequence[Joined]) -> str:
    """The word error rates of transcripts of each sound, in parts that make it up."""
    rates = [
        error_rates([" ".join(sound.texts)], [" ".join(own)])["word_error_rate"]
        for own, sound in zip(found, sounds, strict=True)
    ]
    return "".join((f"{name:<24}", *(f"{rate:>11.3f}" for rate in rates)))


def _cost(model: str, clips: Sequence[Utterance], rate: int, minutes: float) -> str:
    """A line on the command `predict` of a file of so many minutes: seconds and largest memory."""
    samples = np.zeros(0, np.int16)
    for seed in range(1000):
        if len(samples) >= minutes * 60 * rate:
            break
        samples = np.concatenate([samples, joined(clips, sample_rate_hz=rate, decibels=20, seed=seed).samples])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        soundfile.write(path, samples[: round(minutes * 60 * rate)], rate)
        command = [sys.executable, "-m", "rnnapps", "speech_recognition", "predict", "--run", model]
        begun = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--file", str(path), "--output", str(path.with_suffix(".srt"))], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        captions = path.with_suffix(".srt").read_text().count("-->") if not status else 0
    return f"{minutes:g} min: {seconds:.1f} s, {used.ru_maxrss / 1024:,.0f} MiB at most, {captions:,} captions"


def main() -> int:
    """Prints a table, or a line for each length."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("model", help="run or export of speech_recognition that was trained on the built-in numbers")
    parser.add_argument("--part", choices=("validation", "test"), default="test", help="whose voices (default: test)")
    parser.add_argument("--clips", type=int, default=400, help="how many are joined, at most (default: all, 400)")
    parser.add_argument("--ways", nargs="+", choices=tuple(WAYS), default=tuple(WAYS), help="of cutting (default: all)")
    parser.add_argument("--minutes", type=float, nargs="+", help="time the command on files of such lengths instead")
    options = parser.parse_args()
    model = rnnapps.load(options.model)
    rate = model.preprocessor.sample_rate_hz
    clips = spoken_numbers(UTTERANCES, sample_rate_hz=rate)[options.part][: options.clips]
    lines = (
        (_cost(options.model, clips, rate, minutes) for minutes in options.minutes)
        if options.minutes
        else _error_rates(model, clips, rate, options.ways)
    )
    for line in lines:
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
