"""Searches of the tiny pipeline, which really train."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnapps.cli.pipeline_cli import main
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.search.quick_pipeline import QUICK

pytest.importorskip("optuna", reason="the extra `tune` is not installed")

SHORT = ["--training.steps=4", "--training.evaluate_every=2", "--training.compile=graph", "--training.warmup_steps=0"]
OVER = ["--settings", "training.learning_rate", "model.units=4,8"]


KILLS, NOTES = 4, 9
"""How often a search is killed, each time behind so many more notes in its journal."""


@pytest.fixture(scope="module", autouse=True)
def one_further_seed() -> Iterator[None]:
    """For searches in this process: three take their time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("budget", "choice", "state"):
            patch.setattr(f"rnnapps.search.{module}.SEEDS", 1)
        yield


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A search of three configurations of four steps, by the command line."""
    folder = tmp_path_factory.mktemp("searches") / "first"
    return answer("--search", str(folder), "--trials", "2", "--minutes", "5", *SHORT, *OVER)


def answer(*flags: str) -> dict[str, Any]:
    """What `tune --json` prints."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(QUICK, ["tune", *flags, "--json"]) == 0
    result: dict[str, Any] = json.loads(printed.getvalue())
    return result


def bits(run: Path) -> dict[str, bytes]:
    return {path: array.tobytes() for path, array in read_weights(RunFolder(run), "last")[1].items()}


def test_the_command_that_is_printed_trains_the_best_to_the_same_bits(
    found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: tmp_path / "report.html")
    words = found["command"].split()
    assert words[:3] == ["rnnapps", "tiny", "train"]
    again = tmp_path / "again"
    assert main(QUICK, [*words[2:-1], str(again)]) == 0
    assert bits(again) == bits(Path(found["run"]))
    assert RunFolder(again).read_metrics()[-1]["validation_nats_per_letter"] == pytest.approx(
        RunFolder(Path(found["run"])).read_metrics()[-1]["validation_nats_per_letter"], rel=0
    )


def test_what_was_found_is_told_in_full(found: dict[str, Any]) -> None:
    assert len(found["configurations"]) == 3
    assert found["metric"] == "validation_nats_per_letter"
    assert {"0", str(found["best"])} == set(found["test"])
    assert found["scored"] == len(found["test"])
    as_it_is = next(each for each in found["configurations"] if each["number"] == 0)
    assert as_it_is["settings"] == {"training.learning_rate": 0.05, "model.units": 8}
    assert as_it_is["milliseconds"] > 0
    assert as_it_is["parameters"] == 3 * 8 + 8 * 3 + 3  # embedding, logits
    page = Path(found["page"]).read_text()
    for heading in ("Best", "Configurations", "Metric against size and latency"):
        assert f">{heading}</h2>" in page
    assert found["command"] in page


def test_a_search_whose_time_is_not_over_has_nothing_left_to_do(
    found: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnapps.search.work.train_on", None)
    folder = found["folder"]
    assert main(QUICK, ["tune", "--search", folder, "--trials", "2"]) == 0
    printed = capsys.readouterr().out
    assert found["verdict"] in printed
    assert f"train it again: {found['command']}" in printed
    assert f"page: {folder}/report.html" in printed


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--model.layers", "2"], "this search was begun with other settings (model.layers)"),
        (["--settings", "model.units=4,16"], "this search was begun over other settings or cells"),
        (["--minutes", "0"], "--minutes must be a number above 0, not '0'"),
        (["--trials", "1.5"], "--trials must be a whole number, not '1.5'"),
    ],
)
def test_a_search_is_gone_on_with_as_it_was_begun(
    found: dict[str, Any], flags: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(QUICK, ["tune", "--search", found["folder"], *flags]) == 2
    assert line in capsys.readouterr().err


def test_data_that_have_changed_are_not_mixed_with_those_before(
    found: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cli.tiny_pipeline.Circle.digest", lambda circle: "others")
    assert main(QUICK, ["tune", "--search", found["folder"]]) == 2
    assert f"{found['folder']}: the data have changed since this search was begun" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(QUICK, ["tune", "--search", str(tmp_path), *SHORT]) == 2
    assert "holds no search, but something else" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_without_optuna_a_line_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main(QUICK, ["tune", "--search", str(tmp_path / "new"), *SHORT]) == 2
    assert "a search needs optuna, which is not installed; pip install 'rnnapps[tune]'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def command(folder: Path) -> list[str]:
    own = [*SHORT[1:], "--training.steps=60", "--trials=3", "--minutes=20", "--skip_evaluation"]
    return [sys.executable, "-m", "tests.search.quick_pipeline", "tune", "--search", str(folder), *own, *OVER, "--json"]


def outcome(folder: Path) -> dict[str, Any]:
    done = subprocess.run(command(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plain: dict[str, Any] = json.loads(done.stdout)
    rows = [{name: each[name] for name in ("number", "settings", "rungs")} for each in plain["configurations"]]
    return {"best": plain["best"], "rows": sorted(rows, key=lambda row: row["number"])}


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.mark.slow
def test_searches_that_are_killed_again_and_again_find_the_same(tmp_path: Path) -> None:
    expected = outcome(tmp_path / "whole")
    journal, kills = tmp_path / "killed" / "journal.log", 0
    while kills < KILLS:
        before = lines(journal)
        process = subprocess.Popen(command(tmp_path / "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and lines(journal) < before + NOTES:
            time.sleep(0.01)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert kills == KILLS
    assert outcome(tmp_path / "killed") == expected


@pytest.mark.slow
def test_two_processes_share_a_search(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    with open(tmp_path / "0.txt", "w") as first, open(tmp_path / "1.txt", "w") as second:
        files = (first, second)
        both = [subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, stderr=file) for file in files]
        assert [process.wait(600) for process in both] == [0, 0]
    told = [(tmp_path / f"{number}.txt").read_text() for number in range(2)]
    assert all(" step " in lines for lines in told)  # each has trained
    found = outcome(folder)
    assert [row["number"] for row in found["rows"]] == list(range(4))
