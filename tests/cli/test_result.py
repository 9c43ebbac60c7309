from __future__ import annotations

import io

from rich.console import Console

from rnnapps.cli.result import show_evaluation, show_table
from rnnapps.contract.evaluation import Evaluation


def shown(width: int, *, metrics: int) -> list[str]:
    names = [f"metric_{number}_percent" for number in range(metrics)]
    values = dict(zip(names, range(1000, 1000 + metrics), strict=True))
    evaluation = Evaluation(values, {"last value of each series": values}, examples=5, split="test")
    show_evaluation(console := Console(file=io.StringIO(), width=width), evaluation)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_table_that_is_too_wide_is_turned() -> None:
    assert shown(80, metrics=2)[1].split() == ["model", "1,000", "1,001"]
    lines = shown(80, metrics=9)
    assert lines[0].split() == ["model", "last", "value", "of", "each", "series"]
    assert lines[9].split() == ["metric", "8", "percent", "1,008", "1,008"]
    assert shown(400, metrics=9)[1].split()[0] == "model"


def test_what_fits_nowhere_is_folded_and_never_cut() -> None:
    console = Console(file=io.StringIO(), width=20)
    show_table(console, ("", "coverage_of_intervals"), [("a" * 30, 0.5), ("b", 0.25)])
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "…" not in text
    assert text.count("a") == 30 + "coverage_of_intervals".count("a")
