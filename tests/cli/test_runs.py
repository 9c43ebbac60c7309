"""`rnnapps runs`: folders as `train` leaves them, listed, compared and drawn."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnapps.cli.main import main
from rnnapps.contract.evaluation import Evaluation, Verdict
from rnnapps.training.run import RunFolder
from rnnapps.verbs.runs import EVALUATION


def make_run(path: Path, *, units: int = 8, pipeline: str = "text_generation", evaluated: bool = True) -> Path:
    """A folder with two evaluations on the way, and perhaps one at the end."""
    folder = RunFolder(path)
    folder.create()
    folder.config_path.write_text(
        f"pipeline: {pipeline}\nmodel:\n  cell: gru\n  units: {units}\ntraining:\n  steps: 40\n", encoding="utf-8"
    )
    for step in (20, 40):
        score = units / step
        folder.append_metrics({"step": step, "elapsed_seconds": step / 10, "validation_nats": score, "loss": score + 1})
    if evaluated:
        verdict = Verdict("better", "It is.", "nats", units / 40, "unigram", 3.0, 3.0 - units / 40)
        evaluation = Evaluation(
            {"bits": 9.0, "nats": units / 40}, {"unigram": {"nats": 3.0}}, 7, "test", verdict=verdict
        )
        (path / EVALUATION).write_text(json.dumps(evaluation.as_dict()), encoding="utf-8")
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    make_run(tmp_path / "runs" / "text_generation" / "small")
    make_run(tmp_path / "runs" / "text_generation" / "large", units=64)
    make_run(tmp_path / "runs" / "music_generation" / "tunes", pipeline="music_generation", evaluated=False)
    return tmp_path / "runs"


@pytest.fixture
def in_use(runs: Path) -> Iterator[Path]:
    """A run into which somebody trains: the lock is that of another open file, as another process has it."""
    path = runs / "text_generation" / "large"
    with open(path / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["runs", *words, "--json"]) == 0
    return list(json.loads(capsys.readouterr().out))


def test_each_run_has_a_row_with_what_decides(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {Path(row["run"]).name: row for row in listed(capsys, str(runs))}
    assert list(rows) == ["tunes", "large", "small"]
    small = rows["small"]
    assert (small["metric"], small["value"], small["split"]) == ("nats", 0.2, "test")
    assert (small["baseline"], small["baseline_value"], small["outcome"]) == ("unigram", 3.0, "better")
    assert (small["step"], small["steps"], small["seconds"], small["training"]) == (40, 40, 4.0, False)
    assert small["settings"] == {"model.cell": "gru", "model.units": 8, "training.steps": 40}
    tunes = rows["tunes"]
    assert (tunes["metric"], tunes["value"], tunes["split"], tunes["baseline"]) == ("nats", 0.2, "validation", None)


def test_tables_name_what_differs_and_nothing_else(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"small +40 +4 +nats, test +0\.2 +unigram +3 +better", shown)
    assert re.search(r"^model\.units +64 +8 *$", shown, re.MULTILINE)
    assert "model.cell" not in shown


def test_runs_of_one_name_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = make_run(tmp_path / "a" / "run"), make_run(tmp_path / "b" / "run", units=64)
    assert main(["runs", str(tmp_path)]) == 0
    assert re.search(rf"^setting +{first} +{second} *$", capsys.readouterr().out, re.MULTILINE)


def test_a_run_that_is_being_trained_says_so(runs: Path, in_use: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {Path(row["run"]): row["training"] for row in listed(capsys, str(runs / "text_generation"))} == {
        in_use: True,
        in_use.with_name("small"): False,
    }


def test_a_run_named_twice_is_one(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = runs / "text_generation" / "small"
    assert len(listed(capsys, str(one), str(runs / "text_generation"))) == 2


def test_the_page_has_the_curves_of_all_runs(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["runs", str(runs), "--html", str(page)]) == 0
    content = page.read_text(encoding="utf-8")
    drawn = re.findall(r'alt="([^"]*)"', content)
    expected = "validation nats over training step. large: from 3.2 to 1.6, between 1.6 and 3.2; small: from 0.4 to 0.2"
    assert any(alt.startswith(expected) for alt in drawn)
    assert any(alt.startswith("validation nats over seconds of training. large: from 3.2") for alt in drawn)
    assert '<th scope="row">model.units</th>' in content
    assert not list(tmp_path.glob("*.tmp*"))


def test_what_cannot_be_read_is_named_and_the_rest_is_listed(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = runs / "text_generation" / "large" / "config.yaml"
    broken.write_text("{", encoding="utf-8")
    assert main(["runs", str(runs), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {broken}: cannot be read: ")
    assert captured.err.count("\n") == 1
    assert [Path(row["run"]).name for row in json.loads(captured.out)] == ["tunes", "small"]


def test_a_folder_that_cannot_be_looked_into_is_one_line(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("os.scandir", closed)
    assert main(["runs", str(runs)]) == 2
    assert capsys.readouterr().err == f"error: {runs}: cannot be looked into (Permission denied); name runs\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none"], "none: no such folder; runs are made by `rnnapps PIPELINE train`"),
        (["."], ".: holds no run, which is a folder with a config.yaml that `train` wrote"),
        (["run", "--html", "no/such/page.html"], "no/such/page.html: cannot be written: "),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if "run" in words:
        make_run(tmp_path / "run")
    assert main(["runs", *words]) == 2
    captured = capsys.readouterr().err
    assert captured.startswith(f"error: {told}")
    assert captured.count("\n") == 1
