"""Every error a user can cause, each one clear line and exit code 2.

RnnappsError
├── DataError            an input file or value is not what was expected
├── ConfigError          a flag or a configuration file is wrong
├── CheckpointError      a run folder cannot be read or written
├── ExportError          an exported model is missing, broken or fails verification
├── ServingError         a server cannot be reached, or does not answer a request
│   └── RowsRefused      it answers, but has refused rows of the request
├── TrainingDiverged     the loss or a gradient stopped being a finite number
└── WorkerLost           another of the processes that train together has ended
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "ExportError",
    "Interrupted",
    "RnnappsError",
    "RowsRefused",
    "ServingError",
    "TrainingDiverged",
    "WorkerLost",
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


class ServingError(RnnappsError):
    """A server cannot be reached, or does not answer a request.

    Args:
        message: what was asked, what came instead, and what to do.
        status: what the server said, as HTTP or gRPC names it; empty where it said nothing.
        again: whether the same request may succeed later.
        retry_seconds: after how long, if the server said so.
    """

    def __init__(
        self, message: str, *, status: str = "", again: bool = False, retry_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.again, self.retry_seconds = status, again, retry_seconds


class RowsRefused(ServingError):
    """The model has refused rows of a request, and answered the others.

    Args:
        problems: what each row was refused for; empty for those that were answered.
        outputs: output name -> array of all rows.
    """

    def __init__(self, problems: Sequence[str], outputs: Mapping[str, Any]) -> None:
        refused = [(number, problem) for number, problem in enumerate(problems) if problem]
        number, problem = refused[0]
        others = f" ({len(refused)} of {len(problems)} rows were refused)" if len(problems) > 1 else ""
        super().__init__(f"row {number}: {problem}{others}")
        self.problems, self.outputs = tuple(problems), dict(outputs)


class TrainingDiverged(RnnappsError):
    """Training stopped because the loss or a gradient is not finite."""


class WorkerLost(RnnappsError):
    """Another of the processes that train together has ended, or cannot be reached any more."""


class Interrupted(RnnappsError):
    """Training was stopped by a signal after its state was saved.

    Args:
        message: what was saved and how to go on.
        exit_code: 128 + the number of the signal: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
