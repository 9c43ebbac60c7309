"""The run folder: metrics, samples and the lock."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from rnnapps.atomic import write_atomically
from rnnapps.errors import CheckpointError
from rnnapps.training.run import RunFolder


def test_metrics_round_trip_and_torn_line(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append_metrics({"step": 10, "loss": 1.5})
    run.append_metrics({"step": 20, "loss": float("nan")})
    with open(run.metrics_path, "a") as file:
        file.write('{"step": 3')
    assert run.read_metrics() == [{"step": 10, "loss": 1.5}, {"step": 20, "loss": None}]


def test_forget_after_drops_later_and_torn_rows(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for step in (10, 20, 30):
        run.append_metrics({"step": step})
        run.append_samples(step, ["a", "b"])
    with open(run.metrics_path, "a") as file:
        file.write('{"st')
    run.forget_after(20)
    run.append_metrics({"step": 30})
    assert [row["step"] for row in run.read_metrics()] == [10, 20, 30]
    assert run.read_samples() == [{"step": 10, "samples": ["a", "b"]}, {"step": 20, "samples": ["a", "b"]}]


def test_broken_line_in_the_middle_is_an_error_with_its_number(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.metrics_path.write_text('{"step": 1}\nnonsense\n{"step": 3}\n')
    with pytest.raises(CheckpointError, match="line 2 is not JSON"):
        run.read_metrics()


def _try_lock(folder: str, answer: multiprocessing.Queue[str]) -> None:
    try:
        with RunFolder(folder).lock():
            answer.put("locked")
    except CheckpointError as error:
        answer.put(str(error))


def test_second_process_is_kept_out_until_the_first_is_gone(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with RunFolder(tmp_path).lock():
        process = context.Process(target=_try_lock, args=(str(tmp_path), answers))
        process.start()
        assert "already training into this run folder" in answers.get(timeout=60)
        process.join()
    with RunFolder(tmp_path).lock():
        pass


def test_run_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot create the run folder"):
        RunFolder(tmp_path / "file" / "run").create()


def test_write_atomically_replaces_whole_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"
    write_atomically(path, b"old")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="stop"):
        patch.setattr("os.replace", lambda *_, **__: (_ for _ in ()).throw(OSError("stop")))
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
