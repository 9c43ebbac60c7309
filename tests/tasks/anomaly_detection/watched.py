"""A small machine whose faults are plain, a detector small enough to learn it in seconds, and the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from tests.tasks.command import Command

__all__ = [
    "CHANNELS",
    "SETTINGS",
    "answer",
    "complaint",
    "healthy",
    "streamed",
    "succeed",
    "write_events",
    "write_plain",
    "write_rows",
]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

CHANNELS = ("angle", "double", "noise")

SETTINGS = (
    "--data.label=fault",
    "--model.units=12",
    "--detection.warmup_steps=8",
    "--detection.smoothing_steps=[1, 4]",
    "--training.steps=200",
    "--training.evaluate_every=100",
    "--training.batch_size=8",
    "--training.window_steps=24",
    "--training.warmup_steps=5",
    "--training.learning_rate=0.02",
    "--training.tensorboard=false",
    "--training.compile=graph",
)

FAULTS = {"jump": (850, 853), "stuck": (900, 930), "torn": (960, 980)}


def healthy(rows: int = 1000, seed: int = 0) -> np.ndarray[Any, Any]:
    """Two sensors that belong together, and one that is noise alone."""
    draw = np.random.default_rng(seed)
    angle = np.sin(2 * np.pi * np.arange(rows) / 25)
    table = np.stack([angle, 2 * angle + 5, draw.normal(size=rows)], axis=1)
    return table + 0.02 * draw.normal(size=table.shape)


def write_rows(path: Path, *, seed: int = 0, names: tuple[str, ...] = CHANNELS, labels: bool = True) -> Path:
    """A table of a row a minute, with faults near its end."""
    values = healthy(seed=seed)
    values[slice(*FAULTS["jump"]), 0] += 3
    values[slice(*FAULTS["stuck"]), 1] = 6.5
    values[slice(*FAULTS["torn"]), 1] -= 2
    marked = np.zeros(len(values), int)
    for first, stop in FAULTS.values():
        marked[first:stop] = 1
    times = np.datetime64("2024-01-01T00:00") + np.arange(len(values))
    lines = [",".join(["time", *names, *(["fault"] if labels else [])])]
    for time, row, mark in zip(times, values, marked, strict=True):
        lines.append(",".join([str(time), *(f"{value:.5f}" for value in row), *([str(mark)] if labels else [])]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_plain(path: Path, values: np.ndarray[Any, Any]) -> Path:
    """A table of a row a minute, with empty cells where a value is missing."""
    times = np.datetime64("2024-01-01T00:00") + np.arange(len(values))
    lines = [",".join(["time", *CHANNELS])]
    for time, row in zip(times, values, strict=True):
        lines.append(",".join([str(time), *("" if np.isnan(value) else f"{value:.5f}" for value in row)]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_events(path: Path, rows: int = 3000) -> Path:
    """Payments: a large amount right after another large one of the same card is fraud."""
    draw = np.random.default_rng(0)
    cards = draw.integers(0, 20, rows)
    amounts = draw.exponential(size=rows)
    before: dict[int, float] = {}
    lines = ["card,time,amount,fraud"]
    for row, (card, amount) in enumerate(zip(cards.tolist(), amounts.tolist(), strict=True)):
        fraud = int(amount > 1.5 and before.get(card, 0.0) > 1.5)
        before[card] = amount
        lines.append(f"c{card},{np.datetime64('2024-01-01T00:00:00') + 30 * row},{amount:.4f},{fraud}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def streamed(capsys: pytest.CaptureFixture[str], *argv: object) -> list[dict[str, str]]:
    """The rows that `stream` prints."""
    capsys.readouterr()
    succeed("stream", *argv)
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
