from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cells import best_within, fastest_step, steps_within, summarise, units_for
from benchmarks.pipeline_runs import rows_of, run_verb, runs_folder
from benchmarks.tensorflow_networks import network
from benchmarks.worker import BenchmarkError
from tests.tasks.music_generation.midi_bytes import write_scales

ROWS = [
    {"step": 100, "elapsed_seconds": 7.0, "validation_nats": 3.0},
    {"step": 200, "elapsed_seconds": 12.0, "validation_nats": 2.0},
    {"step": 300, "elapsed_seconds": 17.0, "validation_nats": 2.5},
    {"step": 400, "elapsed_seconds": 22.0, "validation_nats": 1.0},
]


def test_steps_that_fit_into_a_time() -> None:
    assert steps_within(20.0, ROWS) == 300  # 2 s to begin, 5 s an interval
    assert steps_within(1.0, ROWS) == 100


def test_the_time_of_a_step_is_that_of_the_fastest_interval() -> None:
    assert fastest_step([*ROWS, {"step": 450, "elapsed_seconds": 24.0}]) == 0.04


def test_the_best_row_within_a_time() -> None:
    assert best_within(20.0, ROWS, "validation_nats")["step"] == 200
    with pytest.raises(BenchmarkError, match="no evaluation within 5"):
        best_within(5.0, ROWS, "validation_nats")
    report = summarise({"slow": ROWS[:1], "good": ROWS}, 20.0, "a/book.txt", "validation_nats")
    assert report.title == "Cells on book.txt, 20 s of training each"
    assert [line.split()[1] for line in report.text.splitlines()] == ["cell", "---", "good", "slow"]


@pytest.mark.parametrize(("parameters", "units"), [(10_000, 100), (10_199, 101), (10_000 * 100, 1000), (1, 1), (3, 2)])
def test_units_for_a_number_of_parameters(parameters: int, units: int) -> None:
    asked: list[int] = []

    def count(units: int) -> int:
        asked.append(units)
        return units * units

    assert units_for(parameters, count) == units
    assert max(asked) <= 2 * max(units, 2)  # large networks are not built for nothing


def test_networks_are_counted_as_the_pipeline_builds_them(tmp_path: Path) -> None:
    source = str(write_scales(tmp_path / "scales", 4))
    flags = ["--data.source", source, "--data.steps_per_beat=1", "--model.key_units=0", "--model.echo_steps=0"]
    counted = network("music_generation", flags, ["--model.cell=simple_rnn", "--model.units=3"])
    assert counted.answers() == {"parameters": 88 * 3 + 3 * 3 + 3 + 3 * 88 + 88}


def test_verbs_and_rows_of_runs(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"text_generation evaluate --run .* ended with code 2: error: "):
        run_verb("text_generation", "evaluate", ["--run", str(tmp_path / "none")])
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    assert [row["step"] for row in rows_of(tmp_path)] == [1, 2]
    with runs_folder(None) as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with runs_folder(tmp_path) as folder:
        assert folder == tmp_path.resolve()
