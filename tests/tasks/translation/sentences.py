"""A toy language whose translation needs attention, a model small enough to learn it, and the command line."""

from __future__ import annotations

import random
from pathlib import Path

from rnnapps.tasks.translation.pipeline import PIPELINE
from tests.tasks.command import Command

__all__ = ["SETTINGS", "WORDS", "answer", "complaint", "succeed", "write_pairs"]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

WORDS = dict(
    zip(["kos", "mul", "tep", "nar", "wif", "gol"], ["red", "dog", "runs", "over", "green", "fields"], strict=True)
)

SETTINGS = (
    "--model.units=48",
    "--model.encoder_units=32",
    "--model.embedding_units=24",
    "--model.dropout=0",
    "--data.tokens=words",
    "--data.source_vocabulary=60",
    "--data.target_vocabulary=60",
    "--training.batch_size=32",
    "--training.warmup_steps=5",
    "--training.learning_rate=0.02",
    "--training.tensorboard=false",
    "--training.compile=graph",
)


def write_pairs(path: Path, count: int, *, seed: int = 0, extra: dict[str, str] | None = None) -> Path:
    """Writes sentences of two to four words; their translations have the words in reverse order."""
    words = {**WORDS, **(extra or {})}
    draw, lines = random.Random(seed), []
    for _ in range(count):
        chosen = draw.choices(list(words), k=draw.randint(2, 4))
        lines.append(f"{' '.join(chosen)}.\t{' '.join(words[word] for word in reversed(chosen))}.\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path
