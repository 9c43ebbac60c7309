"""Training that is killed and resumed ends bit for bit like training that is left alone."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnapps.training.checkpoint import Arrays, checkpoint_steps, read_checkpoint
from rnnapps.training.run import RunFolder
from tests.training import tiny
from tests.training.kill import Forked, kill_until_done

Fork = Callable[..., Forked]


def ending(folder: Path) -> tuple[Arrays, list[dict[str, Any]], list[dict[str, Any]]]:
    """Final variables (optimizer, seeds and carried state included), metrics without times, and samples."""
    run = RunFolder(folder)
    arrays, metadata = read_checkpoint(run.state_dir, checkpoint_steps(run.state_dir)[-1])
    assert metadata["step"] == tiny.CONFIG.steps
    rows = [{k: v for k, v in row.items() if k != "elapsed_seconds"} for row in run.read_metrics()]
    return arrays, rows, run.read_samples()


def assert_same_ending(folder: Path, undisturbed: Path) -> None:
    arrays, rows, samples = ending(folder)
    expected, expected_rows, expected_samples = ending(undisturbed)
    assert arrays.keys() == expected.keys()
    for key, array in arrays.items():
        assert array.dtype == expected[key].dtype
        assert array.tobytes() == expected[key].tobytes(), key
    assert rows == expected_rows
    assert samples == expected_samples


@pytest.fixture(scope="module")
def undisturbed(fork: Fork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert fork(tiny.main, str(folder)).wait(300) == 0
    return folder


def test_checkpoint_covers_dropout_seed_and_optimizer(undisturbed: Path) -> None:
    arrays, _, _ = ending(undisturbed)
    keys = " ".join(arrays)
    for part in ("seed_generator_state", "adam/iteration", "carried_state_0", "recurrent"):
        assert part in keys


def test_three_kills_end_like_none(fork: Fork, undisturbed: Path, tmp_path: Path) -> None:
    report = kill_until_done(lambda: fork(tiny.main, str(tmp_path), 0.05), tmp_path, kills=3, seed=0, longest=0.8)
    assert report.exit_code == 0
    assert report.kills >= 2
    assert_same_ending(tmp_path, undisturbed)


@pytest.mark.slow
def test_twenty_kills_end_like_none(fork: Fork, undisturbed: Path, tmp_path: Path) -> None:
    kills = inside_saves = seed = 0
    while kills < 20:
        folder = tmp_path / str(seed)
        report = kill_until_done(
            lambda folder=folder: fork(tiny.main, str(folder), 0.1), folder, kills=5, seed=seed, longest=1.5
        )
        assert report.exit_code == 0
        assert_same_ending(folder, undisturbed)
        kills, inside_saves, seed = kills + report.kills, inside_saves + report.inside_saves, seed + 1
    assert inside_saves >= 3


def stop(fork: Fork, folder: Path, number: int) -> int:
    """Sends a signal to a training whose validation would take a minute; returns the exit code."""
    process = fork(tiny.main, str(folder), 0.0, 60.0)
    while not list(folder.glob("state/step-*.json")):
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(process.process.pid, number)
    return process.wait(40)


def test_sigterm_saves_says_how_to_resume_and_the_rest_is_the_same(
    fork: Fork, undisturbed: Path, tmp_path: Path
) -> None:
    assert stop(fork, tmp_path, signal.SIGTERM) == 143
    (step,) = checkpoint_steps(tmp_path / "state")[1:]
    assert 0 < step <= tiny.CONFIG.evaluate_every
    printed = (tmp_path / tiny.LOG).read_text()
    assert f"stopped by SIGTERM at step {step} of 40; the state is saved; to resume: train again\n" in printed
    assert fork(tiny.main, str(tmp_path)).wait(300) == 0
    assert f"resuming at step {step} after " in (tmp_path / tiny.LOG).read_text()
    assert_same_ending(tmp_path, undisturbed)


def test_ctrl_c_saves_and_says_how_to_resume(fork: Fork, tmp_path: Path) -> None:
    assert stop(fork, tmp_path, signal.SIGINT) == 130
    assert "stopped by Ctrl-C at step" in (tmp_path / tiny.LOG).read_text()


def test_truncated_newest_checkpoint_falls_back_and_says_so(fork: Fork, undisturbed: Path, tmp_path: Path) -> None:
    for path in undisturbed.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(undisturbed)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    newest = next((tmp_path / "state").glob(f"step-*{tiny.CONFIG.steps}-*.npz"))
    os.truncate(newest, newest.stat().st_size // 2)
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write(json.dumps({"step": 40})[:6])  # a torn line as well
    assert fork(tiny.main, str(tmp_path)).wait(300) == 0
    printed = (tmp_path / tiny.LOG).read_text()
    assert f"{newest.name}: is damaged" in printed
    assert "falling back to the state before it" in printed
    assert "resuming at step 30 after" in printed
    assert_same_ending(tmp_path, undisturbed)
