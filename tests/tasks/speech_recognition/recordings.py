"""Small recordings for tests: words that are tones, in files of any kind, whole or damaged."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import soundfile

__all__ = ["TONES", "audio_bytes", "mutate", "say", "write_manifest"]

RATE = 8000
TONES = {"lo": (300.0, 500.0), "mid": (900.0, 1300.0), "hi": (2000.0, 2800.0)}


def say(words: str, *, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Each word a pair of tones of 0.12 s, with pauses between them and a little noise, float32 `(samples,)`."""
    draw = np.random.default_rng(seed)
    parts = [np.zeros(round(0.03 * rate))]
    for word in words.split():
        time = np.arange(round(0.12 * rate)) / rate
        chord = sum(np.sin(2 * np.pi * hertz * draw.uniform(0.97, 1.03) * time) for hertz in TONES[word])
        parts += [0.2 * chord * np.hanning(len(time)), np.zeros(round(draw.uniform(0.03, 0.08) * rate))]
    sound = np.concatenate(parts)
    return (sound + 0.003 * draw.normal(size=len(sound))).astype(np.float32)


def audio_bytes(samples: np.ndarray, *, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def write_manifest(folder: Path, count: int, *, name: str = "train.csv", words: int = 3, seed: int = 0) -> Path:
    """A manifest and its recordings; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    lines = ["audio,transcript,speaker"]
    for number in range(count):
        text = " ".join(draw.choice(list(TONES), size=draw.integers(1, words + 1)))
        path = folder / f"{Path(name).stem}_{number}.wav"
        path.write_bytes(audio_bytes(say(text, seed=seed * 1000 + number)))
        lines.append(f"{path.name},{text},speaker {number % 4}")
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def mutate(content: bytes, draw: random.Random) -> bytes:
    """A damaged copy: bytes changed, cut out, put in or doubled; half of the time in the header."""
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        place = draw.randrange(min(len(damaged), 200) if draw.random() < 0.5 else len(damaged))
        kind = draw.randrange(5)
        if kind == 0:
            damaged[place : place + 1] = bytes((draw.randrange(256),))
        elif kind == 1:
            del damaged[place : place + draw.randint(1, 40)]
        elif kind == 2:
            damaged[place:place] = draw.randbytes(draw.randint(1, 20))
        elif kind == 3:
            damaged[place:place] = damaged[place : place + draw.randint(1, 200)]
        else:
            damaged[place : place + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
        damaged = damaged or bytearray(b"R")
    return bytes(damaged[: draw.randrange(len(damaged))] if draw.random() < 0.1 else damaged)
