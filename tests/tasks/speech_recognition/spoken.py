"""A recogniser small enough to learn tones in seconds, and the command line as a user has it."""

from __future__ import annotations

from rnnapps.tasks.speech_recognition.pipeline import PIPELINE
from tests.tasks.command import Command

__all__ = ["SETTINGS", "answer", "complaint", "succeed"]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

SETTINGS = (
    "--data.sample_rate_hz=8000",
    "--data.validation_fraction=0.1",
    "--data.language_model_order=2",
    "--model.units=16",
    "--model.layers=1",
    "--model.mels=12",
    "--model.convolution_units=12",
    "--model.strides=[3]",
    "--model.dropout=0",
    "--training.batch_size=8",
    "--training.buckets=1",
    "--training.warmup_steps=5",
    "--training.learning_rate=0.02",
    "--training.speeds=[1.0]",
    "--training.frequency_masks=0",
    "--training.time_masks=0",
    "--training.tensorboard=false",
)
