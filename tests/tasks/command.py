"""A pipeline's command line as a user has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnnapps.cli.pipeline_cli import main
from rnnapps.contract.pipeline import Pipeline

__all__ = ["Command", "as_settings", "skip_report"]


class Command:
    """Runs verbs of a pipeline within the process.

    Trainings end without an evaluation, which takes longer than they do: `evaluate` is the same.

    Args:
        pipeline: the pipeline.
    """

    def __init__(self, pipeline: Pipeline[Any, Any, Any]) -> None:
        self.pipeline = pipeline

    def succeed(self, *argv: object) -> None:
        """Runs a verb that must succeed."""
        skipped = ("--skip_evaluation",) if argv[0] in ("train", "finetune") else ()
        assert main(self.pipeline, [str(word) for word in (*argv, *skipped)]) == 0

    def answer(self, capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, Any]:
        """The one JSON object a verb prints."""
        capsys.readouterr()
        self.succeed(*argv, "--json")
        printed = capsys.readouterr().out
        assert printed.count("\n") == 1
        return dict(json.loads(printed))

    def complaint(self, capsys: pytest.CaptureFixture[str], *argv: object, printed: bool = False) -> str:
        """The one line a verb fails with, and no traceback; with `printed` it may have printed results before."""
        capsys.readouterr()
        assert main(self.pipeline, [str(word) for word in argv]) == 2
        captured = capsys.readouterr()
        assert printed or captured.out == ""
        errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
        assert errors == captured.err.splitlines()[-1:]
        assert "Traceback" not in captured.err
        return errors[0]


def as_settings(flags: Iterable[str]) -> dict[str, Any]:
    """Flags `--key=value`, values as YAML has them, as Python users give settings."""
    pairs = (flag.removeprefix("--").split("=", 1) for flag in flags)
    return {key: yaml.safe_load(value) for key, value in pairs}


def skip_report(patch: pytest.MonkeyPatch) -> None:
    """Leaves the report out, whose look inside the network takes seconds; `evaluate` and `inspect` test it."""
    patch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: Path("report.html"))
