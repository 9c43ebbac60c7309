"""Small synthetic sources of every task and a small model for each, for benchmarks that need many runs and no score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import soundfile

from rnnapps.tasks.video_recognition.data.file import write_mp4

__all__ = ["SOURCES"]

RATE_HZ = 8000


def _text(folder: Path) -> list[str]:
    words = np.random.default_rng(0).choice(["river", "knight", "zoo", "jasmine", "crane"], 4000)
    (folder / "text.txt").write_text(" ".join(words), encoding="utf-8")
    return [f"--data.source={folder / 'text.txt'}", "--model.units=16", "--training.batch_size=8"]


def _pairs(folder: Path) -> list[str]:
    draw, words = np.random.default_rng(0), {"kos": "red", "mul": "dog", "tep": "runs", "nar": "over", "wif": "field"}
    lines = []
    for _ in range(120):
        chosen = draw.choice(list(words), draw.integers(2, 5))
        lines.append(f"{' '.join(chosen)}\t{' '.join(words[word] for word in chosen)}\n")
    (folder / "pairs.tsv").write_text("".join(lines), encoding="utf-8")
    small = ("--model.units=16", "--model.encoder_units=8", "--model.embedding_units=8", "--data.tokens=words")
    return [f"--data.source={folder / 'pairs.tsv'}", *small, "--training.batch_size=8"]


def _speech(folder: Path) -> list[str]:
    rows = ["audio,transcript"]
    for number in range(30):
        high = number % 2
        seconds = np.arange(RATE_HZ // 2) / RATE_HZ
        tone = 0.3 * np.sin(2 * np.pi * (900 if high else 300) * seconds)
        soundfile.write(folder / f"{number}.wav", tone, RATE_HZ)
        rows.append(f"{number}.wav,{'hi' if high else 'lo'}")
    (folder / "speech.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    small = ("--model.units=8", "--model.layers=1", "--model.mels=12", "--model.convolution_units=8")
    flags = ("--data.sample_rate_hz=8000", *small, "--training.batch_size=4", "--training.buckets=1")
    return [f"--data.source={folder / 'speech.csv'}", *flags]


def _video(folder: Path) -> list[str]:
    for label, step in (("left", -1), ("right", 1)):
        (folder / "clips" / label).mkdir(parents=True)
        for number in range(8):
            frames = np.zeros((12, 32, 32, 3), np.uint8)
            for time, frame in enumerate(frames):
                x = 12 + step * time + number % 3
                frame[10:18, max(x - 4, 0) : max(x + 4, 0)] = 255
            write_mp4(folder / "clips" / label / f"{number}.mp4", frames, rate=10)
    small = ("--data.size=16", "--data.clip_seconds=1.0", "--model.units=8", "--model.filters=[4,8]")
    sizes = ("--model.frame_units=8", "--model.attention_units=8", "--training.batch_size=4")
    return [f"--data.source={folder / 'clips'}", *small, *sizes]


def _music(folder: Path) -> list[str]:
    (folder / "pieces").mkdir()
    for number in range(10):
        track = mido.MidiTrack()
        for step in range(32):
            key = 55 + number + [0, 2, 4, 5, 7, 9, 11, 12][step % 8]
            track += [mido.Message("note_on", note=key, time=0), mido.Message("note_off", note=key, time=480)]
        mido.MidiFile(tracks=[track], ticks_per_beat=480).save(folder / "pieces" / f"{number}.mid")
    small = ("--data.steps_per_beat=1", "--model.units=16", "--training.batch_size=4", "--training.window_steps=16")
    return [f"--data.source={folder / 'pieces'}", *small]


def _series(folder: Path) -> Path:
    draw, steps = np.random.default_rng(0), np.arange(600)
    values = 50 + 10 * np.sin(2 * np.pi * steps[:, None] / 12 + [0, 1]) + draw.normal(size=(600, 2))
    times = np.datetime64("2024-01-01T00:00") + steps.astype("timedelta64[h]")
    rows = [f"{time},{east:.3f},{west:.3f}" for time, (east, west) in zip(times, values, strict=True)]
    (folder / "series.csv").write_text("\n".join(["time,east,west", *rows]) + "\n", encoding="utf-8")
    return folder / "series.csv"


def _anomalies(folder: Path) -> list[str]:
    small = ("--model.units=8", "--training.batch_size=4", "--training.window_steps=24")
    return [f"--data.source={_series(folder)}", *small]


def _forecasts(folder: Path) -> list[str]:
    small = ("--model.units=8", "--model.history_steps=24", "--model.horizon_steps=6", "--training.batch_size=8")
    return [f"--data.source={_series(folder)}", *small]


SOURCES: dict[str, Callable[[Path], list[str]]] = {
    "text_generation": _text,
    "translation": _pairs,
    "speech_recognition": _speech,
    "video_recognition": _video,
    "music_generation": _music,
    "anomaly_detection": _anomalies,
    "forecasting": _forecasts,
}
"""Pipeline -> writes its source into a folder; returns the flags of `train` for it and a small model."""
