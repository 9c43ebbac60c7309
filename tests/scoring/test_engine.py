"""Which parts an engine is given, and that each is what `local` writes; the engines themselves are in tests/engines."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rnnapps.cli.main import main
from rnnapps.scoring.engine import PartDone, PartTask, PartWorker, counted, failure_in, missing_parts
from rnnapps.scoring.options import Progress, Scored, ScoreOptions
from rnnapps.scoring.part_scorer import ScoreJob
from rnnapps.scoring.records import rows_of
from rnnapps.scoring.score import score


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 100])
def test_every_part_begins_where_its_first_row_is(tmp_path: Path, size: int) -> None:
    counts = [0, 3, 0, 0, 1, 5, 0]
    rows = [(source, row) for source, count in enumerate(counts) for row in range(count)]
    job = ScoreJob(tmp_path, (), tmp_path, ScoreOptions(part_rows=size))
    expected = [PartTask(n, *rows[first]) for n, first in enumerate(range(0, len(rows), size))]
    assert list(missing_parts(job, counts)) == expected
    (tmp_path / "part-00000.jsonl").touch()
    (tmp_path / "part-00001.problems.jsonl").touch()
    assert list(missing_parts(job, counts)) == expected[1:]
    assert list(missing_parts(job, [0, 0])) == []


def test_what_a_worker_says_is_found_in_what_an_engine_makes_of_it(tmp_path: Path) -> None:
    path = tmp_path / 'a "b".csv'
    path.write_text('id\n"open')
    with pytest.raises(RuntimeError) as error:
        counted(path)
    wrapped = RuntimeError(f"Traceback:\n  RuntimeError: {error.value} [while running 'count']")
    assert str(failure_in(wrapped)) == f"{path}: behind line 1: unexpected end of data; correct the file"
    assert failure_in(RuntimeError("anything else")) is None


@pytest.fixture
def rows(tmp_path: Path) -> list[Path]:
    """Two files of rows, some of which are no row."""
    paths = []
    for name in "ab":
        lines = [json.dumps({"id": f"{name}{n}", "values": [1.0] * (n + 1) if n != 3 else "none"}) for n in range(5)]
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("\n".join(lines))
    return paths


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("part-*")}


def test_a_worker_writes_what_local_writes(
    models: Path, rows: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ScoreOptions(signature="running", key=("id",), part_rows=3)
    score(models / "toy", rows, tmp_path / "local", options)

    def backwards(job: ScoreJob, progress: Progress) -> Scored:
        worker = PartWorker(job)
        tasks = list(missing_parts(job, list(map(rows_of, job.sources))))
        done = list(map(worker, tasks[::-1]))
        worker.close()
        assert done[0] == PartDone(3, 1, 0)
        return Scored(sum(part.rows for part in done), sum(part.problems for part in done), len(done))

    monkeypatch.setattr("rnnapps.scoring.score._run", lambda name: backwards)
    by_engine = ScoreOptions(signature="running", key=("id",), part_rows=3, engine="ray")
    scored = score(models / "toy", rows, tmp_path / "engine", by_engine)
    assert (scored.rows, scored.problems, scored.parts, scored.parts_before) == (8, 2, 4, 0)
    assert written(tmp_path / "engine") == written(tmp_path / "local")
    assert len(written(tmp_path / "local")) == 6
    # One engine goes on with what another has begun; nothing is left here, so that no model is needed.
    again = score(models / "toy", rows, tmp_path / "engine", options)
    assert (again.parts, again.parts_before) == (0, 4)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--engine", "ray"],
            "--engine ray: ray is not installed; in an environment of its own, pip install 'rnnapps[",
        ),
        (["--engine", "flink"], "--engine must be one of local, ray, beam, not 'flink'"),
        (["--engine_options", "address=auto"], "--engine_options: the engine local has none"),
        (
            ["--engine", "beam", "--engine_options", "x"],
            "--engine_options x: NAME=VALUE expected, such as address=auto",
        ),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], told: str, models: Path, rows: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sys.modules.pop("rnnapps.scoring.on_ray", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        named = ["score", str(models / "toy"), str(rows[0]), "--to", str(tmp_path / "to"), "--signature", "sums"]
        assert main([*named, *words]) == 2
    told_there = capsys.readouterr().err
    assert told in told_there
    assert told_there.count("\n") == 1
