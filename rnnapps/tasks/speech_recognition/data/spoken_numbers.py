"""Synthetic speech: number strings spoken by eSpeak NG in many voices, with noise and the sound of rooms."""

from __future__ import annotations

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnapps.atomic import atomic_file
from rnnapps.data.cache_folder import cache_folder
from rnnapps.tasks.speech_recognition.data.audio import resampled
from rnnapps.tasks.speech_recognition.data.espeak import SpokenAs, Synthesizer
from rnnapps.tasks.speech_recognition.data.utterance import SCALE, Utterance, as_pcm
from rnnapps.types import Array

__all__ = ["HELD_OUT_VOICES", "TRAINING_VOICES", "clean_numbers", "number_words", "spoken_numbers"]

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

ACCENTS = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
VARIANTS = {
    "train": ("m1", "m2", "m3", "m5", "m7", "f1", "f2", "f5", "klatt", "klatt2", "Alex", "Andrea", "Annie", "Denis",
              "Diogo", "Gene", "Jacky", "Lee", "Mario", "adam", "anika", "belinda", "boris", "edward", "ian", "linda",
              "max", "michel", "norbert", "paul", "rob", "shelby", "steph", "victor"),
    "validation": ("m4", "f3", "Hugo", "aunty", "david"),
    "test": ("m6", "f4", "Alicia", "Michael", "quincy", "steph2"),
}  # fmt: skip
TRAINING_VOICES = tuple(f"{accent}+{variant}" for variant in VARIANTS["train"] for accent in ACCENTS)
HELD_OUT_VOICES = {
    part: tuple(f"{accent}+{variant}" for variant in VARIANTS[part] for accent in ACCENTS)
    for part in ("validation", "test")
}

RECIPE = 2
"""Counted up when the same arguments begin to give other recordings."""

HELD_OUT_SHARE = 10
LEAST_HELD_OUT = 40


def spoken_numbers(utterances: int, *, sample_rate_hz: int) -> dict[str, list[Utterance]]:
    """Splits whose voices have nothing in common; rendered once, then kept in the user's cache.

    Half of the utterances are strings of one to six digits, half a cardinal number below a thousand in words. The same
    arguments always give the same recordings, also when they are rendered anew.

    Args:
        utterances: of the training split; a tenth as many are in each of the others.
        sample_rate_hz: rate of the recordings.

    Raises:
        DataError: eSpeak NG is missing.
    """
    held_out = max(LEAST_HELD_OUT, utterances // HELD_OUT_SHARE)
    counts = {"train": utterances, "validation": held_out, "test": held_out}
    return {name: _part(name, count, sample_rate_hz) for name, count in counts.items()}


def number_words(number: int) -> str:
    """A number below a thousand in English words."""
    if number < 10:
        return ONES[number]
    if number < 20:
        return TEENS[number - 10]
    if number < 100:
        return TENS[number // 10 - 2] + (f" {ONES[number % 10]}" if number % 10 else "")
    return f"{ONES[number // 100]} hundred" + (f" {number_words(number % 100)}" if number % 100 else "")


def _part(part: str, count: int, sample_rate_hz: int) -> list[Utterance]:
    """One split, from the cache where it is there."""
    voices = TRAINING_VOICES if part == "train" else HELD_OUT_VOICES[part]
    key = json.dumps([RECIPE, part, count, sample_rate_hz, voices]).encode()
    path = cache_folder() / f"spoken_numbers_{hashlib.sha256(key).hexdigest()[:16]}.npz"
    stored = _read(path, count)
    if stored is not None:
        return stored
    random, speaker = np.random.default_rng({"train": 0, "validation": 1, "test": 2}[part]), Synthesizer()
    drawn = (str(voices[random.integers(len(voices))]) for _ in range(count))
    spoken = [_utterance(random, speaker, voice, sample_rate_hz) for voice in drawn]
    _write(path, spoken)
    return spoken


def clean_numbers(part: str, count: int, *, sample_rate_hz: int) -> list[Array]:
    """Number strings in the voices of a split, in rooms but without noise, float32 `(samples,)` each; kept nowhere.

    Args:
        part: train, validation or test.
        count: how many.
        sample_rate_hz: rate of the recordings.

    Raises:
        DataError: eSpeak NG is missing.
    """
    voices = TRAINING_VOICES if part == "train" else HELD_OUT_VOICES[part]
    random, speaker = np.random.default_rng([3, len(voices)]), Synthesizer()
    drawn = [str(voices[random.integers(len(voices))]) for _ in range(count)]
    return [_in_one_voice(random, speaker, voice, sample_rate_hz)[0] for voice in drawn]


def _utterance(random: np.random.Generator, speaker: Synthesizer, voice: str, sample_rate_hz: int) -> Utterance:
    """One string in one voice, in a room, with noise."""
    sound, text = _in_one_voice(random, speaker, voice, sample_rate_hz)
    noise = random.normal(size=len(sound)) * 10 ** (-random.uniform(12, 40) / 20)
    return Utterance(as_pcm((sound + noise) * random.uniform(0.03, 0.12)), text, voice, f"{voice}: {text}")


def _in_one_voice(
    random: np.random.Generator, speaker: Synthesizer, voice: str, sample_rate_hz: int
) -> tuple[Array, str]:
    """One string in one voice, at a speed and pitch, in a room: samples `(samples,)` of mean square 1, and the text."""
    if random.random() < 0.5:
        text = " ".join(ONES[digit] for digit in random.integers(10, size=random.integers(1, 7)))
    else:
        text = number_words(int(random.integers(10, 1000)))
    speed, pitch, spread = (int(random.integers(*limits)) for limits in ((110, 220), (20, 80), (20, 80)))
    samples = speaker.speak(text, SpokenAs(voice, speed, pitch, spread))
    sound = resampled(samples.astype(np.float32) / SCALE, speaker.sample_rate_hz, sample_rate_hz, voice)
    sound = _in_a_room(_trimmed(sound), sample_rate_hz, random)
    loudness = float(np.sqrt((sound**2).mean())) or 1.0
    return sound / loudness, text


def _trimmed(sound: Array) -> Array:
    """Without most of the digital silence at both ends."""
    loud = np.flatnonzero(np.abs(sound) > 0.002 * np.abs(sound).max(initial=1e-9))
    return sound[max(0, loud[0] - 200) : loud[-1] + 200] if len(loud) else sound


def _in_a_room(sound: Array, sample_rate_hz: int, random: np.random.Generator) -> Array:
    """The sound and an echo of noise that dies away within 0.1 to 0.4 s by 60 dB (Polack's model of late echoes)."""
    seconds, share = random.uniform(0.1, 0.4), random.uniform(0.0, 0.35)
    time = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    echo = random.normal(size=len(time)) * 10 ** (-3 * time / seconds)
    echo *= share / max(float(np.sqrt((echo**2).sum())), 1e-9)
    echo[0] += 1.0
    size = 1 << (len(sound) + len(echo)).bit_length()
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)
    whole: Array = heard[: len(sound) + len(echo) // 2].astype(np.float32)
    return whole


def _read(path: Path, count: int) -> list[Utterance] | None:
    """What `_write` wrote; None where there is nothing, or nothing whole."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            samples, lengths, texts, voices = (content[name] for name in ("samples", "lengths", "texts", "voices"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if len(lengths) != count or lengths.sum() != len(samples):
        return None
    parts = np.split(samples, np.cumsum(lengths)[:-1])
    rows = zip(parts, texts.tolist(), voices.tolist(), strict=True)
    return [Utterance(part, text, voice, f"{voice}: {text}") for part, text, voice in rows]


def _write(path: Path, utterances: Sequence[Utterance]) -> None:
    """Keeps rendered recordings for the next time; where the cache cannot be written, there is just none."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary, open(temporary, "wb") as file:
            np.savez(
                file,
                samples=np.concatenate([utterance.samples for utterance in utterances]),
                lengths=np.array([utterance.size for utterance in utterances]),
                texts=np.array([utterance.transcript for utterance in utterances]),
                voices=np.array([utterance.speaker for utterance in utterances]),
            )
