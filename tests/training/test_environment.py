from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rnnapps.errors import CheckpointError
from rnnapps.training import environment as module
from rnnapps.training.environment import environment, keep_environment, kept_environment


def test_what_bits_depend_on_is_known() -> None:
    found = environment()
    assert set(found) > {"rnnapps", "tensorflow", "keras", "numpy", "python", "processor", "instruction set"}
    assert int(found["threads"]) >= 1
    assert all(value and isinstance(value, str) for value in found.values())


def test_another_environment_is_kept_and_told_on_resuming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_environment(tmp_path) == []
    assert list(keep_environment(tmp_path, 0)) == []
    assert list(keep_environment(tmp_path, 100)) == []
    assert kept_environment(tmp_path) == [{"step": 0, **environment()}]
    other = {**environment(), "threads": "64", "keras": "9.9"}
    monkeypatch.setattr(module, "environment", lambda: other)
    (told,) = keep_environment(tmp_path, 100)
    assert f"keras (was {environment()['keras']}, now 9.9), threads (was {environment()['threads']}, now 64)" in told
    assert "may differ in the last digits" in told
    assert [entry["step"] for entry in kept_environment(tmp_path)] == [0, 100]
    assert list(keep_environment(tmp_path, 200)) == []


@pytest.mark.parametrize("content", ["", "[1]", "{}x", "3"])
def test_a_damaged_file_is_one_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"environment\.json: cannot be read; delete it"):
        kept_environment(tmp_path)


def test_a_limit_of_the_instruction_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert environment.__wrapped__()["instruction set"].endswith(", limited to AVX2")
    assert "limited" not in json.dumps(environment()) or os.environ["ONEDNN_MAX_CPU_ISA"]
