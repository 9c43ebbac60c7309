"""A music model small enough to learn scales in seconds, and the command line as a user has it."""

from __future__ import annotations

from rnnapps.tasks.music_generation.pipeline import PIPELINE
from tests.tasks.command import Command

__all__ = ["NETWORK", "SETTINGS", "answer", "complaint", "succeed"]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

NETWORK = {"frames": ("--model.key_units=8",), "events": ("--model.embedding_units=16",)}
"""What only one representation reads."""

SETTINGS = (
    "--data.steps_per_beat=1",
    "--model.units=32",
    "--model.dropout=0",
    "--training.batch_size=8",
    "--training.window_steps=16",
    "--training.warmup_steps=5",
    "--training.learning_rate=0.02",
    "--training.tensorboard=false",
    "--training.compile=graph",
)
