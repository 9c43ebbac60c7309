"""`rnnapps score` with the toy model: every row once, whatever happens on the way."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from rnnapps.cli.main import main
from rnnapps.errors import ConfigError, ExportError
from rnnapps.scoring.model import Model
from rnnapps.scoring.options import ScoreOptions
from rnnapps.scoring.part_scorer import told_signature
from rnnapps.scoring.score import score
from rnnapps.serving.job import Job
from rnnapps.serving.model_process import ModelProcess
from rnnapps.serving.pieces import Piece
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.types import Arrays

LONG = 300
"""Items of the longest row, which must not change the others."""


def write_lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read_lines(folder: Path, pattern: str = "part-*[0-9].jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob(pattern)) for line in path.read_text().splitlines()]


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """Rows of different lengths, one long, one that is no array."""
    rows: list[Any] = [{"id": f"r{n}", "values": [1.0] * (n % 4 + 1)} for n in range(9)]
    rows[3] = {"id": "long", "values": [1.0] * LONG}
    rows[5] = {"id": "bad", "values": "none"}
    return write_lines(tmp_path / "rows.jsonl", rows)


def test_rows_of_all_lengths_are_answered_as_alone(models: Path, numbers: Path, tmp_path: Path) -> None:
    to = tmp_path / "answers"
    words = ["--signature", "running", "--key", "id", "--part_rows", "4"]
    assert main(["score", str(models / "toy"), str(numbers), "--to", str(to), *words]) == 0
    assert [path.name for path in sorted(to.glob("part-*"))] == [
        "part-00000.jsonl", "part-00001.jsonl", "part-00001.problems.jsonl", "part-00002.jsonl",
    ]  # fmt: skip
    expected = {0: 1, 1: 2, 2: 3, 3: LONG, 4: 1, 6: 3, 7: 4, 8: 1}
    found = read_lines(to)
    assert [(line["row"], line["total"]) for line in found] == [
        (row, [float(n) for n in range(1, count + 1)]) for row, count in expected.items()
    ]
    assert [line["id"] for line in found][:4] == ["r0", "r1", "r2", "long"]
    (problem,) = read_lines(to, "*.problems.jsonl")
    assert problem["row"] == 5
    assert problem["id"] == "bad"
    assert problem["place"] == f"{numbers}, line 6"
    assert "values" in problem["problem"]


def test_what_the_model_refuses_is_a_problem(models: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.tar"
    with tarfile.open(rows, "w") as archive:
        for name, content in (("1.txt", b"good"), ("2.txt", b"\xff"), ("3.txt", "größer".encode())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    to = tmp_path / "answers"
    assert (
        main(["score", str(models / "toy"), str(rows), "--to", str(to), "--key", "key", "--columns", "text=txt"]) == 0
    )
    assert [(line["key"], line["upper"]) for line in read_lines(to)] == [("1", "GOOD"), ("3", "GRÖSSER")]
    assert read_lines(to)[0]["wave_bytes"] == {"b64": "Z29vZP8="}
    assert [line["key"] for line in read_lines(to, "*.problems.jsonl")] == ["2"]


def test_parquet_has_the_types_of_the_signature(models: Path, numbers: Path, tmp_path: Path) -> None:
    to = tmp_path / "answers"
    words = ["--signature", "running", "--format", "parquet", "--key", "id", "--json"]
    assert main(["score", str(models / "toy"), str(numbers), "--to", str(to), *words]) == 0
    table = pyarrow.parquet.read_table(to / "part-00000.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "row": "int64", "id": "string", "total": "list<element: float>",
    }  # fmt: skip
    assert table.column("total").to_pylist()[1] == [1.0, 2.0]


def test_finished_parts_are_not_asked_again(
    models: Path, numbers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "answers"
    words = ["score", str(models / "toy"), str(numbers), "--to", str(to), "--signature", "sums", "--part_rows", "4"]
    assert main(words) == 0
    before = {path: path.stat().st_mtime_ns for path in to.glob("part-*")}
    (to / "part-00001.jsonl").unlink()
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["parts"], told["parts_before"], told["rows"], told["problems"]) == (1, 2, 3, 1)
    after = {path: path.stat().st_mtime_ns for path in to.glob("part-*")}
    assert {path.name for path in after if after[path] != before[path]} == {
        "part-00001.jsonl", "part-00001.problems.jsonl",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--signature", "sums", "--part_rows", "3"], "was begun with another part_rows; give another --to"),
        (["--signature", "running"], "was begun with another signature; give another --to"),
        (["--signature", "none"], "has no signature 'none'; it has "),
        (["--signature", "sums", "--outputs", "product"], "has no output 'product'; it has problem, sum"),
        (["--signature", "sums", "--key", "name"], "there is no column 'name'; the columns are id, values"),
        (["--format", "xml"], "--format must be one of jsonl, parquet, not 'xml'"),
        (["--workers", "0"], "--workers must be at least 1, not 0"),
        (["--columns", "text"], "--columns text: INPUT=COLUMN expected, such as sentence=text"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], told: str, models: Path, numbers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "answers"
    to.mkdir()
    options = ScoreOptions(signature="sums")
    if "was begun" in told:
        score(models / "toy", [numbers], to, options)
    capsys.readouterr()
    assert main(["score", str(models / "toy"), str(numbers), "--to", str(to), *words]) == 2
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert told in captured
    assert captured.count("\n") == 1


def test_a_folder_of_something_else_is_left_alone(models: Path, numbers: Path, tmp_path: Path) -> None:
    (tmp_path / "part-of-me").write_text("mine")
    with pytest.raises(ConfigError, match="holds parts of something else"):
        score(models / "toy", [numbers], tmp_path, ScoreOptions(signature="sums"))


def test_the_row_whose_fault_it_is_pays_alone(
    models: Path, numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends the process, and one that is refused, are cut down to the row that does it."""
    run = ModelProcess.run
    deaths = []

    async def wrong(self: ModelProcess, signature: str, inputs: Arrays) -> Arrays:
        if LONG in inputs["lengths"]:
            deaths.append(self.pid)
            self.kill()
            await self.ended.wait()
        if 4 in inputs["lengths"]:
            raise Refusal(Code.RESOURCE_EXHAUSTED, "no memory\nfor this")
        return await run(self, signature, inputs)

    monkeypatch.setattr(ModelProcess, "run", wrong)
    scored = score(models / "toy", [numbers], tmp_path / "answers", ScoreOptions(signature="sums", workers=2))
    assert [line["row"] for line in read_lines(tmp_path / "answers")] == [0, 1, 2, 4, 6, 8]
    reasons = {line["row"]: line["problem"] for line in read_lines(tmp_path / "answers", "*.problems.jsonl")}
    assert list(reasons) == [3, 5, 7]
    assert reasons[3].startswith("the model's process was ended by SIGKILL")
    assert reasons[7] == "no memory for this"
    assert (scored.rows, scored.problems) == (6, 3)
    assert len(set(deaths)) == len(deaths)


def test_a_finished_folder_needs_no_model(
    models: Path, numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ScoreOptions(signature="sums", part_rows=4)
    score(models / "toy", [numbers], tmp_path / "answers", options)

    async def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(ModelProcess, "start", never)
    assert score(models / "toy", [numbers], tmp_path / "answers", options).parts_before == 3


def test_a_model_that_does_not_come_back_is_one_line(
    models: Path, numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process ends, and cannot be started again: an error of ours, whatever runs beside it."""
    start = ModelProcess.start

    async def once(job: Job, **how: Any) -> ModelProcess:
        if not job.learn:
            raise ExportError("no memory for the model")
        return await start(job, **how)

    async def ends(self: ModelProcess, signature: str, inputs: Arrays) -> Arrays:
        self.kill()
        await self.ended.wait()
        raise Refusal(Code.UNAVAILABLE, "the process has ended")

    monkeypatch.setattr(ModelProcess, "start", once)
    monkeypatch.setattr(ModelProcess, "run", ends)
    with pytest.raises(ExportError, match="no memory for the model"):
        score(models / "toy", [numbers], tmp_path / "answers", ScoreOptions(signature="sums"))


def test_runs_are_bounded_by_rows_and_bytes(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = models / "toy" / "1"
    model = Model(folder, "sums", told_signature(folder, ScoreOptions(signature="sums")))
    monkeypatch.setattr("rnnapps.scoring.model.MOST_ROWS", 4)
    monkeypatch.setattr("rnnapps.scoring.model.MOST_BYTES", 100)

    def piece(items: int, key: str) -> Piece:
        return Piece({"values": np.zeros((1, items), np.float32)}, np.arange(1), (key,))

    pieces = [piece(1, "small")] * 9 + [piece(10, "large")] * 5 + [piece(100, "huge")] * 2
    sizes = [len(numbers) for numbers in model._batches(pieces)]
    assert sizes == [4, 4, 1, 2, 2, 1, 1, 1]


@pytest.mark.slow
def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(models: Path, tmp_path: Path) -> None:
    count = 3000
    rows = write_lines(tmp_path / "rows.jsonl", [{"id": n, "values": [float(n)] * (n % 7 + 1)} for n in range(count)])
    to = tmp_path / "answers"
    words = ["score", str(models / "toy"), str(rows), "--to", str(to), "--signature", "sums", "--part_rows", "50"]
    kills = 0
    for attempt in range(60):
        process = subprocess.Popen([sys.executable, "-m", "rnnapps", *words], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        wanted = len(list(to.glob("part-*"))) + 1 + attempt % 3
        while process.poll() is None and time.monotonic() < deadline and len(list(to.glob("part-*"))) < wanted:
            time.sleep(0.002)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        if process.wait() == 0:
            break
    assert kills >= 5
    found = read_lines(to)
    assert [line["row"] for line in found] == list(range(count))
    assert [line["sum"] for line in found] == [float(n * (n % 7 + 1)) for n in range(count)]
    assert not list(to.glob(".*.tmp"))
