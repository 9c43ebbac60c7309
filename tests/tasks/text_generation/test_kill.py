"""Commands killed -9: training started again ends bit for bit as if left alone; an export leaves nothing for long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rnnapps.training.checkpoint import checkpoint_steps, read_checkpoint
from tests.tasks.text_generation.small import SETTINGS
from tests.training.kill import kill_until_done

ROOT = Path(__file__).parents[3]
STEPS = 300

pytestmark = pytest.mark.slow


def start(text: Path, run: Path) -> subprocess.Popen[bytes]:
    """Starts the command a user types; small kernels gain nothing from XLA, which would take seconds each time."""
    flags = ["--data.source", str(text), "--run", str(run), *SETTINGS, "--training.compile=graph"]
    steps = [f"--training.steps={STEPS}", "--training.evaluate_every=10", "--model.dropout=0.1"]
    steps.append("--model.weight_drop=0.2")
    return subprocess.Popen(
        [sys.executable, "-m", "rnnapps", "text_generation", "train", *flags, *steps],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def ending(run: Path) -> tuple[dict[str, bytes], list[dict[str, Any]], bytes]:
    """Final variables (optimizer, seeds and carried state included), metrics without times, and samples."""
    step = checkpoint_steps(run / "state")[-1]
    assert step == STEPS
    arrays, _ = read_checkpoint(run / "state", step)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    metrics = [{name: value for name, value in row.items() if name != "elapsed_seconds"} for row in rows]
    return {key: array.tobytes() for key, array in arrays.items()}, metrics, (run / "samples.jsonl").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert start(text, folder).wait(300) == 0
    return folder


@pytest.mark.parametrize("kills", [3, 20])
def test_killed_commands_end_like_one_left_alone(kills: int, text: Path, undisturbed: Path, tmp_path: Path) -> None:
    expected, done, seed = ending(undisturbed), 0, kills
    while done < kills:
        run = tmp_path / str(seed)
        report = kill_until_done(
            lambda run=run: start(text, run), run, kills=min(5, kills - done), seed=seed, longest=0.8
        )
        assert report.exit_code == 0
        assert report.kills > 0
        assert ending(run) == expected
        assert (run / "report.html").is_file()
        done, seed = done + report.kills, seed + 1


def test_the_next_export_removes_what_a_killed_one_left(run: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rnnapps", "text_generation", "export", "--run", str(run), "--to", "models/words"]
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.Popen(command, cwd=tmp_path, env=paths, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("models/.words.*/version/saved_model.pb")):
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert [path.name.startswith(".words.") for path in (tmp_path / "models").iterdir()] == [True]
    assert subprocess.run(command, cwd=tmp_path, env=paths, capture_output=True).returncode == 0
    assert [path.relative_to(tmp_path / "models").as_posix() for path in tmp_path.glob("models/*")] == ["words"]
    assert [path.name for path in tmp_path.glob("models/words/*")] == ["1"]
