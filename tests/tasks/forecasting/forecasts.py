"""Two waves with noise, a forecaster small enough to learn them in seconds, and the command line as a user has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnnapps.tasks.forecasting.pipeline import PIPELINE
from tests.tasks.command import Command

__all__ = ["HISTORY", "HORIZON", "SETTINGS", "answer", "complaint", "succeed", "wave", "write_wave"]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

HISTORY, HORIZON = 24, 6

SETTINGS = (
    "--model.units=8",
    f"--model.history_steps={HISTORY}",
    f"--model.horizon_steps={HORIZON}",
    "--model.segment_steps=2",
    "--model.linear=true",
    "--model.quantiles=[0.1, 0.5, 0.9]",
    "--training.batch_size=16",
    "--training.warmup_steps=10",
    "--training.learning_rate=0.01",
    "--training.tensorboard=false",
    "--training.compile=graph",
)


def wave(rows: int = 500, *, seed: int = 0, level: float = 50.0) -> np.ndarray:
    """A daily wave, and the same later and larger; float64 `(rows, 2)`."""
    draw, steps = np.random.default_rng(seed), np.arange(rows)
    columns = [level + 10 * np.sin(2 * np.pi * (steps - shift) / 12) * size for shift, size in ((0, 1), (3, 4))]
    return np.stack(columns, axis=1) + draw.normal(size=(rows, 2))


def write_wave(path: Path, values: np.ndarray, *, names: str = "east,west", start: str = "2024-03-20T00:00") -> Path:
    """Writes hourly rows, UTC."""
    hours = np.datetime64(start, "m") + 60 * np.arange(len(values))
    lines = [f"{hour},{','.join(f'{value:.6f}' for value in row)}\n" for hour, row in zip(hours, values, strict=True)]
    path.write_text(f"time,{names}\n" + "".join(lines))
    return path
