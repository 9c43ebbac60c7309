"""The run folder: everything one training run reads and writes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.errors import CheckpointError

__all__ = ["RunFolder"]


class RunFolder:
    """Names and files of one training run.

    Args:
        path: the folder, usually `runs/<pipeline>/<name>`; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._locked = False
        self.config_path = self.path / "config.yaml"
        self.metrics_path = self.path / "metrics.jsonl"
        self.samples_path = self.path / "samples.jsonl"
        self.report_path = self.path / "report.html"
        self.state_dir = self.path / "state"
        self.final_dir = self.path / "final"
        self.refit_dir = self.path / "refit"
        self.preprocessing_dir = self.path / "preprocessing"
        self.tensorboard_dir = self.path / "tensorboard"

    def create(self) -> None:
        """Makes the folder; raises CheckpointError when it cannot be written."""
        with self._writing("create the run folder"):
            self.state_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the folder for this process; the system releases it when the process ends, however it ends.

        Inside, entering again changes nothing.

        Raises:
            CheckpointError: another process is training into the folder.
        """
        if self._locked:
            yield
            return
        self.create()
        with self._writing("open the lock file"):
            file = open(self.path / ".lock", "a+")  # noqa: SIM115  (closed below, after the lock's whole life)
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                raise CheckpointError(
                    f"{self.path}: process {file.read().strip() or 'unknown'} is already training into this run "
                    f"folder; wait for it, stop it, or choose another --run"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Appends one evaluation to metrics.jsonl, durably; figures that are not finite become null."""
        self._append(self.metrics_path, row)

    def append_samples(self, step: int, samples: Sequence[str]) -> None:
        """Appends model outputs of a step to samples.jsonl."""
        self._append(self.samples_path, {"step": step, "samples": list(samples)})

    def in_use(self) -> bool:
        """Whether a process is training into the folder now."""
        try:
            with open(self.path / ".lock", "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def read_config(self) -> dict[str, Any]:
        """Returns the settings of config.yaml as they are written there, in groups; none if the file does not exist.

        Raises:
            CheckpointError: it cannot be read.
        """
        if not self.config_path.exists():
            return {}
        import yaml

        try:
            config = yaml.safe_load(self.config_path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            problem = str(error).splitlines()[0]
            raise CheckpointError(f"{self.config_path}: cannot be read: {problem}; restore the file") from error
        if not isinstance(config, dict):
            raise CheckpointError(f"{self.config_path}: expected settings by name, got {type(config).__name__}")
        return config

    def read_metrics(self) -> list[dict[str, Any]]:
        """Returns the rows of metrics.jsonl; a last line torn by a crash is left out."""
        return _read_lines(self.metrics_path)

    def read_samples(self) -> list[dict[str, Any]]:
        """Returns the rows of samples.jsonl, `{"step", "samples"}`."""
        return _read_lines(self.samples_path)

    def forget_after(self, step: int) -> None:
        """Drops the rows of metrics and samples beyond a step, which training is about to repeat."""
        for path in (self.metrics_path, self.samples_path):
            if path.exists():
                rows = [row for row in _read_lines(path) if row["step"] <= step]
                content = "".join(json.dumps(row) + "\n" for row in rows)
                with self._writing(f"rewrite {path.name}"):
                    write_atomically(path, content.encode())

    def _append(self, path: Path, row: Mapping[str, Any]) -> None:
        """Appends one JSON line, durably."""
        line = json.dumps({key: _finite(value) for key, value in row.items()}) + "\n"
        with self._writing(f"append to {path.name}"), open(path, "a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Turns errors of the disk into CheckpointErrors that say what could not be done."""
        try:
            yield
        except OSError as error:
            raise CheckpointError(
                f"{self.path}: cannot {what}: {error.strerror or error}; "
                f"free space or choose a folder you can write with --run"
            ) from error


def _finite(value: object) -> object:
    """The value with null for numbers that JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines; none if it does not exist."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    rows = []
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is a torn line, or empty
        try:
            rows.append(json.loads(line))
        except ValueError:
            raise CheckpointError(f"{path}: line {number} is not JSON; restore the file or delete that line") from None
    return rows
