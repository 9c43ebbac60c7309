"""`rnnapps new`: what it writes works, and nothing is overwritten."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from rnnapps.cli.main import main


@pytest.mark.parametrize("kind", ["pipeline", "cell"])
def test_what_is_written_is_clean(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", kind, "gestures_x", "--to", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.split()
    written = sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())
    assert sorted(printed) == written
    text = "".join(Path(path).read_text() + path for path in written)
    assert f"my_{kind}" not in text and f"My{kind.capitalize()}" not in text
    assert "gestures_x" in text and "GesturesX" in text
    root = tmp_path / "gestures_x" if kind == "pipeline" else tmp_path
    for check in (["check", "--select=E,F,I,UP,B,SIM"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", "--line-length=120", "."]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_cell_passes_its_own_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["new", "cell", "written_cell", "--to", str(tmp_path)]) == 0
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("test_written_cell").test_one_step()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Gestures", "lower case"),
        ("9lives", "lower case"),
        ("../x", "lower case"),
        ("class", "lower case"),
        ("json", "installed already"),
        ("text_generation", "installed already"),
    ],
)
def test_names_that_cannot_be(name: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "pipeline", name, "--to", str(tmp_path)]) == 2
    assert reason in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["pipeline", "cell"])
def test_nothing_is_overwritten(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / ("mine" if kind == "pipeline" else "mine.py")
    taken.write_text("kept")
    assert main(["new", kind, "mine", "--to", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert taken.read_text() == "kept" and list(tmp_path.iterdir()) == [taken]


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["new", "pipeline", "mine", "--to", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
