from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rnnapps.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]


def test_help_has_examples_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom rnnapps.cli.main import main\nassert main(['--help']) == 0\n"
        "assert not {'tensorflow', 'keras', 'rich', 'jsonargparse', 'numpy', 'asyncio'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "examples:" in done.stdout
    assert "verify" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"  rnnapps {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("rnnapps ")


def test_unknown_command_has_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verfy"]) == 2
    assert "verfy" in capsys.readouterr().err


def test_verify_without_an_export_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "none")]) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert captured.count("\n") == 1


def test_list_shows_every_cell_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    from rnnapps.cells import CELLS
    from rnnapps.cli.listing import cell_summaries

    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in CELLS)
    assert "  rwkv7 *" in printed and "  min_gru *" in printed and "  lstm *" not in printed  # in parallel, or not
    assert all(cell_summaries().values())


def test_the_list_shows_configurations_by_name_with_the_first_sentence_of_their_header() -> None:
    from rnnapps.cli.listing import configuration_summaries

    found = configuration_summaries()
    assert found["text_generation quick"] == "A character model in half a minute"
    assert sum(name.endswith(" demo") for name in found) == 7
    assert all(4 < len(summary.split()) < 60 for summary in found.values())


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("text", "did you mean 'text_generation'"),
        ("verfy", "did you mean 'verify'"),
        ("zzz", "there are certify, deploy, ensemble, fit, launch, list, "),
    ],
)
def test_a_word_that_is_no_command(word: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word, "train"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: no command or pipeline is called '{word}'; ") and told in line
