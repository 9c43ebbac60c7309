"""What hot words do: recall of the rarest words of the training transcripts, in synthetic held-out clips with noise.

python -m benchmarks.hot_words zoo:speech_digits --part validation   # where the boost is chosen
python -m benchmarks.hot_words zoo:speech_digits
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import rnnapps
from rnnapps.tasks.speech_recognition.data.spoken_numbers import spoken_numbers
from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.tasks.speech_recognition.transcription import Transcriber
from rnnapps.tasks.speech_recognition.word_errors import confused_words, error_rates
from rnnapps.types import Array

__all__ = ["main", "rarest_words"]

UTTERANCES = 4000
WORDS = 8


def rarest_words(train: Sequence[Utterance], held_out: Sequence[Utterance], count: int) -> list[str]:
    """The words of held-out transcripts that stand in the fewest training transcripts."""
    counts = Counter(word for clip in train for word in set(clip.transcript.split()))
    known = {word for clip in held_out for word in clip.transcript.split()}
    return sorted(known, key=lambda word: (counts[word], word))[:count]


def _noisy(clips: Sequence[Utterance], decibels: float) -> list[Array]:
    """The clips with white noise, which they are louder than by so much."""
    random = np.random.default_rng(0)
    sounds = [clip.waveform() for clip in clips]
    return [
        (sound + np.sqrt(np.mean(sound**2)) * 10 ** (-decibels / 20) * random.normal(size=len(sound))).astype(
            np.float32
        )
        for sound in sounds
    ]


def _figures(said: Sequence[str], heard: Sequence[str], words: Sequence[str]) -> str:
    """Recall and false alarms of some words, and the word error rate of all."""
    pairs = confused_words(said, heard)
    right = sum(count for (left, right), count in pairs.items() if left == right and left in words)
    missed = sum(count for (left, right), count in pairs.items() if left != right and left in words)
    false = sum(count for (left, right), count in pairs.items() if left != right and right in words)
    rate = error_rates(said, heard)["word_error_rate"]
    return f"{right} of {right + missed} right ({right / (right + missed):.3f}), {false} false, WER {rate:.4f}"


def main() -> int:
    """Prints a line for each boost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="run or export of speech_recognition that was trained on the built-in numbers")
    parser.add_argument("--part", choices=("validation", "test"), default="test", help="whose voices (default: test)")
    parser.add_argument("--decibels", type=float, default=10.0, help="ratio of signal to noise (default: 10)")
    parser.add_argument("--boosts", type=float, nargs="+", default=[0.0, 0.25, 0.5, 1.0], help="boosts to try")
    options = parser.parse_args()
    model = rnnapps.load(options.model)
    parts = spoken_numbers(UTTERANCES, sample_rate_hz=model.preprocessor.sample_rate_hz)
    clips = parts[options.part]
    words, sounds = rarest_words(parts["train"], clips, WORDS), _noisy(clips, options.decibels)
    print(f"hot words: {', '.join(words)}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.txt"
        file.write_text("\n".join(words))
        for boost in options.boosts:
            own = dataclasses.replace(model.config.decoding, hot_words=str(file), hot_word_boost=boost)
            heard = [found.text for found in Transcriber(model.network, model.preprocessor, own)(sounds)]
            print(f"boost {boost:g}: {_figures([clip.transcript for clip in clips], heard, words)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
