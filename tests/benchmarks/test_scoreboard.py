"""The tables of the documentation are those of the scoreboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import scoreboard
from benchmarks.worker import BenchmarkError

ROW: dict[str, Any] = {
    "data": "a book",
    "configuration": "quick.yaml",
    "metric": "nats_per_character",
    "command": "rnnapps text_generation train --config quick --data.source 'a book.txt'",
    "seeds": [0, 1],
    "figures": {"model": [1.4, 1.5], "alone": [1.6, 1.6], "seconds": [60.0, 64.0]},
    "baseline": {"name": "6-gram Kneser-Ney", "value": 1.5584},
}


def test_the_documentation_says_what_the_scoreboard_says() -> None:
    rows, blocks = scoreboard.read_board(), 0
    for page in scoreboard.DOCS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        blocks += text.count("<!-- scoreboard: ")
        assert scoreboard.with_tables(text, rows) == text, f"{page.name}: make scoreboard writes its tables anew"
    assert blocks
    for row in rows.values():
        assert all(len(values) == len(row["seeds"]) for values in row["figures"].values())
        assert {"task", "protocol", "hardware", "chosen", "date"} <= row.keys()


def test_a_table_has_means_and_ranges() -> None:
    page = "# Title\n<!-- scoreboard: one -->\nold\n<!-- scoreboard end -->\nend\n"
    line = "| a book | `quick.yaml` | **1.450 (1.400 to 1.500)** | 1.600 | 6-gram Kneser-Ney 1.558 | 62 (60 to 64) |"
    found = scoreboard.with_tables(page, {"one": ROW})
    assert line in found and "old" not in found and found.endswith("<!-- scoreboard end -->\nend\n")


def test_a_row_is_measured_with_each_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run_verb(pipeline: str, verb: str, flags: Any) -> str:
        asked.append((pipeline, verb, *flags))
        run = Path(flags[flags.index("--run") + 1])
        if verb == "train":
            run.mkdir()
            (run / "metrics.jsonl").write_text(json.dumps({"step": 1, "elapsed_seconds": 12.34}) + "\n")
            return ""
        verdict = {"baseline": "7-gram", "baseline_value": 1.23456789}
        alone = {"network alone": {"nats_per_character": 2.0}}
        return json.dumps({"nats_per_character": 1.0 + len(asked), "alone": alone, "verdict": verdict})

    monkeypatch.setattr(scoreboard, "run_verb", run_verb)
    found = scoreboard.measured(ROW)
    assert found["figures"] == {"model": [3.0, 5.0], "alone": [2.0, 2.0], "seconds": [12.3, 12.3]}
    assert found["baseline"] == {"name": "7-gram", "value": 1.234568} and found["command"] == ROW["command"]
    trained = [flags for flags in asked if flags[1] == "train"]
    assert [flags[flags.index("--seed") + 1] for flags in trained] == ["0", "1"]
    assert all("a book.txt" in flags for flags in trained)
    with pytest.raises(BenchmarkError, match="expected rnnapps PIPELINE train"):
        scoreboard.measured(ROW | {"command": "make demo"})


def test_an_unknown_row_is_told_before_anything_is_written() -> None:
    with pytest.raises(BenchmarkError, match="has no row 'text-poems'; there are text-documentation, text-shakespeare"):
        scoreboard.main(["text-poems"])
