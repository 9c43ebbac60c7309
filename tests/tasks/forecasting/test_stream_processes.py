"""Streams of other processes that are killed, or that nobody listens to any more, go on from their state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.command import skip_report
from tests.tasks.forecasting.forecasts import HISTORY, SETTINGS, succeed, wave, write_wave

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("killed")
    table = write_wave(folder / "rows.csv", wave(HISTORY + 120))
    steps = ("--training.steps=2", "--training.evaluate_every=2")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder / "run", "--data.source", table, *SETTINGS, *steps)
    asked = ["-m", "rnnapps", "forecasting", "stream", "--run", str(folder / "run"), "--input", str(table)]
    return [sys.executable, *asked]


def lines_of(command: list[str]) -> list[bytes]:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300).stdout.splitlines(keepends=True)


@pytest.mark.parametrize("end", ["kill -9", "terminate", "nobody listens"])
def test_it_goes_on(end: str, command: list[str], tmp_path: Path) -> None:
    whole = lines_of(command)
    command = [*command, "--state", str(tmp_path / "state"), "--state_seconds", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(5)]
        if end == "nobody listens":
            process.stdout.close()
            assert process.wait(300) == 141
        else:
            (process.kill if end == "kill -9" else process.terminate)()
            first += [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
            assert process.wait(300) == (-9 if end == "kill -9" else 143)
    second = lines_of(command)
    assert first == whole[: len(first)]
    assert second == whole[len(whole) - len(second) :]
    if end == "terminate":
        assert first + second == whole
    elif end == "kill -9":
        assert 0 <= len(first) + len(second) - len(whole) <= 1  # what was printed behind the last writing comes again
    else:
        assert len(second) < len(whole) - 4  # what was in the pipe is lost
