"""Verbs of pipelines as benchmarks run them: in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.worker import BenchmarkError

__all__ = ["Rows", "rows_of", "run_command", "run_verb", "runs_folder"]

ROOT = Path(__file__).parents[1]
Rows = Sequence[Mapping[str, Any]]


def run_verb(pipeline: str, verb: str, flags: Sequence[str]) -> str:
    """Runs a verb; returns what it prints.

    Raises:
        BenchmarkError: it failed.
    """
    return run_command([pipeline, verb, *flags])


def run_command(words: Sequence[str]) -> str:
    """Runs `rnnapps` with some words behind it, in the folder of the project; returns what it prints.

    Raises:
        BenchmarkError: it failed.
    """
    command = [sys.executable, "-m", "rnnapps", *words]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BenchmarkError(f"{' '.join(command[2:])} ended with code {result.returncode}: {result.stderr[-1000:]}")
    return result.stdout


def rows_of(run: Path) -> Rows:
    """What each evaluation of a run found, in order."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@contextmanager
def runs_folder(kept: Path | None) -> Iterator[Path]:
    """A folder for runs: the one to keep, or one that is removed afterwards."""
    if kept:
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
