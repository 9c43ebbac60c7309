"""Tables and verdicts on made-up timings, figures worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import cells, generation, layers, linear_scan, matrix_memory, memory, report
from benchmarks.problems import Case

CASE = Case(16, 50, 64, 128)


def test_cases_read_what_they_write() -> None:
    assert Case.parse("64x100,512-1024") == Case(64, 100, 512, 1024)
    assert Case.parse(str(CASE)) == CASE
    with pytest.raises(ValueError, match="got '64x100'"):
        Case.parse("64x100")


def test_layers_compare_with_the_faster_keras() -> None:
    races = {
        ("lstm", CASE): {"ours": [0.010], "Keras graph": [0.030], "Keras XLA": [0.020], "PyTorch": [0.010]},
        ("gru", CASE): {"ours": [0.010], "Keras graph": [0.080], "Keras XLA": [0.090], "PyTorch": [0.040]},
    }
    result = layers.summarise("Layers", races)
    keras, torch = (result.figures["overview"][rival] for rival in ("Keras", "PyTorch"))
    assert keras["geometric_mean"] == pytest.approx(4.0)  # of 2 and 8
    assert (keras["least"], keras["least_at"]) == (pytest.approx(2.0), "lstm 16x50,64-128")
    assert torch["geometric_mean"] == pytest.approx(2.0)  # of 1 and 4
    rows = result.text.splitlines()
    assert rows[2] == "| lstm 16x50,64-128 | 10.0 | 20.0 | Keras XLA | 10.0 | 2.00 | 1.00 |"
    assert rows[3] == "| gru 16x50,64-128 | 10.0 | 80.0 | Keras graph | 40.0 | 8.00 | 4.00 |"


def test_own_cells_compare_with_our_lstm_and_the_generic_loop() -> None:
    races = {
        ("peephole_lstm", CASE): {
            "ours": [0.012],
            "our LSTM": [0.010],
            "Keras graph": [0.036],
            "Keras XLA": [0.060],
        }
    }
    result = layers.summarise_own_cells("Cells", races)
    assert (
        result.text.splitlines()[2] == "| peephole_lstm 16x50,64-128 | 12.0 | 10.0 | 36.0 | Keras graph | 1.20 | 3.00 |"
    )


def test_generation_counts_characters_of_all_rows() -> None:
    races = {8: {"ours": [0.5], "one-step tf.function": [2.0], "PyTorch": [1.0]}}
    result = generation.summarise("Generation", races, length=100)
    assert result.text.splitlines()[2] == "| 8 | 1,600 | 400 | 800 | 4.00 | 2.00 |"


@pytest.mark.parametrize(
    ("parallel", "verdict"), [(0.05, "is right here"), (0.001, 'kernel="parallel" is worth asking')]
)
def test_linear_scan_says_what_follows(parallel: float, verdict: str) -> None:
    times = {"sequential XLA": [0.01], "sequential graph": [0.02], "parallel XLA": [parallel], "parallel graph": [0.5]}
    result = linear_scan.summarise({CASE: times})
    assert verdict in result.text
    assert f"| {0.01 / parallel:.2f} |" in result.text


def test_chunks_compare_with_the_faster_loop() -> None:
    times = {"chunks XLA": [0.01], "chunks graph": [0.02], "steps XLA": [0.05], "steps graph": [0.5]}
    result = matrix_memory.summarise({(CASE, "mamba2"): times})
    assert result.text.splitlines()[2] == "| mamba2 | 16x50, 128 | 10.0 | 20.0 | 50.0 | 500 | 5.00 |"
    assert result.figures["gains"] == {"mamba2 16x50,64-128": pytest.approx(5.0)}


def test_memory_is_in_megabytes() -> None:
    uses = {
        ("gru", CASE): {"ours": {"rise": 12_300_000, "peak": 1_000_000_000}, "PyTorch": {"rise": None, "peak": 10**8}}
    }
    assert memory.summarise(uses).text.splitlines()[2] == "| gru 16x50,64-128 | 12 / 1,000 | ? / 100 |"


def test_steps_for_a_time() -> None:
    rows = [{"step": 50, "elapsed_seconds": 9.0}, {"step": 100, "elapsed_seconds": 13.0}]
    # 4 s an interval, 5 s before the first: 55 s of 60 hold 13 whole intervals.
    assert cells.steps_within(60.0, rows) == 650
    assert cells.steps_within(1.0, rows) == 50  # at least one interval


def test_reports_are_written_whole(tmp_path: Path) -> None:
    machine = {"date": "today", "processor": "P", "cores": 2, "load": 0.5, "versions": {"keras": "3"}}
    text = report.write([report.Report("One", "body", {"x": 1})], machine, tmp_path / "results" / "now")
    assert text == "# Benchmarks\n\ntoday: P, 2 cores, load 0.5 at the start; keras 3.\n\n## One\n\nbody\n"
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["now.json", "now.md"]
    assert json.loads((tmp_path / "results" / "now.json").read_text())["One"] == {"x": 1}
