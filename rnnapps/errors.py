"""Every error a user can cause, each one clear line and exit code 2.

RnnappsError
├── DataError            an input file or value is not what was expected
├── ConfigError          a flag or a configuration file is wrong
├── CheckpointError      a run folder cannot be read or written
├── ExportError          an exported model is missing, broken or fails verification
└── TrainingDiverged     the loss or a gradient stopped being a finite number
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "ExportError",
    "Interrupted",
    "RnnappsError",
    "TrainingDiverged",
]


class RnnappsError(Exception):
    """Base of all errors that end a command with one line and exit code 2."""

    exit_code = 2


class DataError(RnnappsError):
    """An input is not what was expected.

    Args:
        path: the file, folder or source name.
        problem: what was found, and where in the file (line, byte, row).
        remedy: what the user can do about it.
    """

    def __init__(self, path: str | Path, problem: str, remedy: str = "") -> None:
        self.path, self.problem, self.remedy = str(path), problem, remedy
        super().__init__(f"{path}: {problem}" + (f"; {remedy}" if remedy else ""))


class ConfigError(RnnappsError):
    """A flag, a configuration key or its value is wrong."""


class CheckpointError(RnnappsError):
    """A run folder or its saved state cannot be read or written."""


class ExportError(RnnappsError):
    """An exported model is missing, incomplete or fails verification."""


class TrainingDiverged(RnnappsError):
    """Training stopped because the loss or a gradient is not finite."""


class Interrupted(RnnappsError):
    """Training was stopped by a signal after its state was saved.

    Args:
        message: what was saved and how to go on.
        exit_code: 128 + the number of the signal: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
