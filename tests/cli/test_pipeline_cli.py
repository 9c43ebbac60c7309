from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rnnapps.cli.pipeline_cli import main
from rnnapps.cli.verb_table import VERBS
from tests.cli.toy_pipeline import Toy

ROOT = Path(__file__).parents[2]
HEAVY = ("tensorflow", "keras", "matplotlib", "pandas")


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("argv", [["--help"], *([verb, "--help"] for verb in VERBS)], ids=lambda argv: argv[0])
def test_help_has_examples_and_loads_nothing_heavy(argv: list[str]) -> None:
    done = run("-X", "importtime", "-m", "tests.cli.toy_pipeline", *argv)
    assert done.returncode == 0
    assert "examples:" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in imported or argv == ["--help"]
    assert imported.isdisjoint(HEAVY)


def test_help_of_train_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Toy(), ["train", "--help"]) == 0
    printed = capsys.readouterr().out
    for flag in ("--data.source", "--data.test", "--model.cell", "--training.steps", "--seed", "--config", "--run"):
        assert flag in printed
    assert "--model CONFIG" not in printed


def test_errors_are_one_line_on_stderr_with_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Toy(), ["train", "--modle.cell", "lstm"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: unknown flag '--modle.cell'; did you mean '--model.cell'?\n"


def test_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Toy(), ["trian"]) == 2
    assert "unknown verb 'trian'; did you mean 'train'?" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["evaluate", "inspect"])
def test_a_missing_run_is_one_line(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Toy(), [verb, "--run", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/none: not a run folder (no such folder)")


@pytest.mark.parametrize("verb", ["evaluate", "inspect", "train", "finetune"])
def test_a_file_is_not_taken_for_a_run(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    flags = {"finetune": ["--from", str(file)]}.get(verb, ["--run", str(file)])
    assert main(Toy(), [verb, *flags]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"error: {file}: ")
    assert "it is a file" in line


def test_print_config_is_a_file_for_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Toy(), ["train", "--print_config", "--model.cell", "mgu"]) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text)["model"]["cell"] == "mgu"
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert main(Toy(), ["train", "--config", str(path), "--print_config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == yaml.safe_load(text)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Toy(), ["--version"]) == 0
    assert capsys.readouterr().out.startswith("rnnapps ")
