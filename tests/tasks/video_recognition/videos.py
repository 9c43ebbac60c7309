"""A video model small enough to learn which way a square moves in seconds, and the command line as a user has it."""

from __future__ import annotations

from rnnapps.tasks.video_recognition.pipeline import PIPELINE
from tests.tasks.command import Command

__all__ = ["SETTINGS", "answer", "complaint", "succeed"]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

SETTINGS = (
    "--data.size=16",
    "--data.clip_seconds=1.2",
    "--data.rotate_degrees=0",
    "--data.shift=0.05",
    "--model.units=12",
    "--model.filters=[4, 8]",
    "--model.frame_units=12",
    "--model.attention_units=8",
    "--model.difference_lags=[1]",
    "--model.dropout=0.1",
    "--training.batch_size=8",
    "--training.warmup_steps=5",
    "--training.learning_rate=0.01",
    "--training.tensorboard=false",
)
