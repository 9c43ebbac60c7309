"""The command as a process of its own: what a terminal shows of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.text_generation.small import answer

ROOT = Path(__file__).parents[3]


def type_command(*argv: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command without the settings of the test process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_CPP")}
    return subprocess.run(
        [sys.executable, "-m", "rnnapps", "text_generation", *map(str, argv)],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_a_terminal_shows_the_text_and_nothing_else(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--run", run, "--prompt", "naïve ", "--length", 20)
    streamed = type_command("stream", *asked)
    assert (streamed.returncode, streamed.stderr) == (0, "")
    assert streamed.stdout == answer(capsys, "predict", *asked)["results"][0] + "\n"


@pytest.mark.parametrize("verb", ["predict", pytest.param("stream", marks=pytest.mark.slow)])  # one place in the code
def test_a_terminal_without_unicode_is_no_error(verb: str, run: Path) -> None:
    shown = type_command(verb, "--run", run, "--prompt", "naïve ", "--length", 20, PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(r"na\xefve ")


def test_help_shows_every_flag_of_a_prediction() -> None:
    shown = type_command("predict", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    for flag in ("run", "prompt", "stop", "length", "temperature", "top_k", "top_p", "seed", "samples", "json"):
        assert f"--{flag}" in shown.stdout


def test_an_error_is_one_line_and_nothing_else(run: Path) -> None:
    failed = type_command("predict", "--run", run, "--length", 0)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "error: length must be from 1 to 10,000, not 0\n"
