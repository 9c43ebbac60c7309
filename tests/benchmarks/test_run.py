"""The whole benchmark on tiny problems."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_help_is_quick_and_has_examples() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "benchmarks", "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Examples:" in result.stdout
    assert "tensorflow" not in {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is an extra")
def test_everything_runs_quickly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--repetitions", "1", "--to", str(tmp_path / "now")]
    subprocess.run(command, cwd=ROOT, check=True)
    figures = json.loads((tmp_path / "now.json").read_text())
    assert figures["Layers: training"]["overview"]["Keras"]["geometric_mean"] > 0
    assert set(figures["machine"]["versions"]) >= {"tensorflow", "keras", "torch"}
    assert {"Linear scan: forward and backward", "Memory of a training step: step / process, MB"} <= set(figures)
