"""A user's own folder `pipelines` hides ours, and nothing but `python -m pipelines.NAME` minds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.text_generation.small import SETTINGS, write_words


@pytest.mark.slow
@pytest.mark.parametrize("on_path", [False, True], ids=["in the current folder", "on PYTHONPATH"])
def test_list_train_and_load_beside_somebody_elses_pipelines(tmp_path: Path, on_path: bool) -> None:
    foreign = tmp_path / "foreign"
    (foreign / "pipelines").mkdir(parents=True)
    (foreign / "pipelines" / "__init__.py").write_text("raise ImportError('the pipelines of somebody else')\n")
    text = write_words(tmp_path / "words.txt", 300)
    place = tmp_path if on_path else foreign
    path = os.pathsep.join([*([str(foreign)] if on_path else []), os.environ.get("PYTHONPATH", "")])

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=place, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = run("-m", "rnnapps", "list")
    assert "text_generation" in listed and "cannot be loaded" not in listed
    flags = ["--data.source", str(text), *SETTINGS, "--training.steps=2", "--training.evaluate_every=2"]
    run("-m", "rnnapps", "text_generation", "train", "--run", "run", *flags)
    code = "import rnnapps; print(rnnapps.load('run').predict('zoo', length=5))"
    assert run("-c", code).startswith("zoo")
