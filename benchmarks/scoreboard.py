"""The scoreboard: what shipped configurations reach, as tables in the documentation.

python -m benchmarks.scoreboard                        # writes the tables of docs/ from scoreboard.yaml
python -m benchmarks.scoreboard text-documentation     # measures rows again first, with all of their seeds
"""

from __future__ import annotations

import datetime
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.pipeline_runs import rows_of, run_verb
from benchmarks.report import table
from benchmarks.worker import BenchmarkError

__all__ = ["BOARD", "DOCS", "main", "measured", "read_board", "row_cells", "with_tables"]

BOARD = Path(__file__).with_name("scoreboard.yaml")
DOCS = Path(__file__).parents[1] / "docs"
HEADER = ("data", "configuration", "the model", "its network alone", "best baseline", "seconds")
_BLOCK = re.compile(r"(<!-- scoreboard: (?P<rows>[\w, -]+) -->\n)(?P<table>.*?)(?=<!-- scoreboard end -->)", re.DOTALL)

Row = dict[str, Any]


def read_board() -> dict[str, Row]:
    """The rows by name."""
    rows: dict[str, Row] = yaml.safe_load(BOARD.read_text(encoding="utf-8")) or {}
    return rows


def with_tables(text: str, rows: Mapping[str, Row]) -> str:
    """A page whose tables, between `<!-- scoreboard: ROW, ROW -->` and `<!-- scoreboard end -->`, are made anew."""

    def made(block: re.Match[str]) -> str:
        cells = [row_cells(rows[name.strip()]) for name in block["rows"].split(",")]
        return f"{block[1]}{table(HEADER, cells)}\n"

    return _BLOCK.sub(made, text)


def row_cells(row: Row) -> list[str]:
    """A row of the table: means over the seeds, with their range; the better of model and baseline is bold."""
    figures, baseline = row["figures"], row["baseline"]
    model, alone, value = figures["model"], figures.get("alone"), baseline["value"]
    form = "{:.3f}" if value >= 1 else "{:.4f}"
    ahead = (sum(model) / len(model) - value) * (1 if row.get("higher_is_better") else -1) > 0
    ours, theirs = _mean_and_range(model, form), f"{baseline['name']} {form.format(value)}"
    return [
        row["data"],
        f"`{row['configuration']}`",
        f"**{ours}**" if ahead else ours,
        _mean_and_range(alone, form) if alone else "",
        theirs if ahead else f"**{theirs}**",
        _mean_and_range(figures["seconds"], "{:.0f}"),
    ]


def measured(row: Row) -> Row:
    """The row with figures of now: its command once for each seed, evaluated on the split of its protocol.

    Raises:
        BenchmarkError: a run failed.
    """
    words = shlex.split(row["command"])
    if words[:1] != ["rnnapps"] or words[2:3] != ["train"]:
        raise BenchmarkError(f"{row['command']}: expected rnnapps PIPELINE train")
    figures: dict[str, list[float]] = {"model": [], "seconds": []}
    baseline: dict[str, Any] = {}
    for seed in row["seeds"]:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            run_verb(words[1], "train", [*words[3:], "--seed", str(seed), "--run", str(run), "--skip_evaluation"])
            found = json.loads(run_verb(words[1], "evaluate", ["--run", str(run), "--json"]))
            figures["seconds"].append(round(rows_of(run)[-1]["elapsed_seconds"], 1))
        figures["model"].append(round(found[row["metric"]], 6))
        for alone in found.get("alone", {}).values():
            figures.setdefault("alone", []).append(round(alone[row["metric"]], 6))
        verdict = found["verdict"]
        baseline = {"name": verdict["baseline"], "value": round(verdict["baseline_value"], 6)}
    return row | {"figures": figures, "baseline": baseline, "date": datetime.date.today().isoformat()}


def main(names: Sequence[str]) -> None:
    """Measures the named rows again, and writes all tables.

    Raises:
        BenchmarkError: a run failed, or there is no such row.
    """
    rows = read_board()
    comments = [line for line in BOARD.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    for name in names:
        if name not in rows:
            raise BenchmarkError(f"{BOARD.name} has no row {name!r}; there are {', '.join(rows)}")
        rows[name] = measured(rows[name])
        body = yaml.safe_dump(rows, sort_keys=False, width=120, allow_unicode=True)
        BOARD.write_text("\n".join([*comments, body]), encoding="utf-8")
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = with_tables(before, rows)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page)


def _mean_and_range(values: Sequence[float], form: str) -> str:
    """Mean of the seeds, and from which to which value they lie."""
    low, high = form.format(min(values)), form.format(max(values))
    mean = form.format(sum(values) / len(values))
    return mean if low == high else f"{mean} ({low} to {high})"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BenchmarkError as problem:
        sys.exit(f"scoreboard: {problem}")
