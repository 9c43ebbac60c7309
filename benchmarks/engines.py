"""Rows a second of `rnnapps score` by one engine, and what its start costs: `make bench-engines` runs all of them.

`python -m benchmarks.engines ENGINE [ROWS]` prints a row of a table: `loop` is the plain loop of `benchmarks.scoring`,
`local`, `ray` and `beam` are those of `--engine`, and `spark` is a column of a frame of Parquet. The start is what one
row takes, from the call to the end; the rest of what all rows take is what the rate is of.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.scoring import MODELS, rates_of_loops

__all__ = ["main"]

MODEL = "text"
PART_ROWS = 1000
HEAD = "| engine | start, 1 process | rows a second | start, 2 processes | rows a second |\n|---|--:|--:|--:|--:|"

Rows = list[dict[str, Any]]


def main(engine: str, rows: int = 20_000) -> None:
    """Prints the row of an engine, or the head of the table."""
    from rnnapps.export.protos import shadow_tensorflow
    from rnnapps.zoo import unpacked

    if engine == "head":
        print(HEAD, flush=True)
        return
    signature, make = MODELS[MODEL]
    random.seed(0)
    made, export = list(make(rows)), unpacked(MODEL)
    if engine == "loop":
        shadow_tensorflow()
        _, rate = rates_of_loops(export, signature, made)
        print(f"| plain loop, 256 at a time | | {rate:,.0f} | | |", flush=True)
        return
    seconds = _spark if engine == "spark" else _scored
    cells = [cell for workers in (1, 2) for cell in _measured(seconds, engine, export, made, workers=workers)]
    print(f"| `{engine}` | {' | '.join(cells)} |", flush=True)


def _measured(
    seconds: Callable[[str, Path, Rows, int], float], engine: str, export: Path, rows: Rows, *, workers: int
) -> list[str]:
    """Start and rate."""
    start = seconds(engine, export, rows[:1], workers)
    rate = (len(rows) - 1) / (seconds(engine, export, rows, workers) - start)
    return [f"{start:.1f} s", f"{rate:,.0f}"]


def _scored(engine: str, export: Path, rows: Rows, workers: int) -> float:
    """What `score` takes, from JSON lines to JSON lines."""
    from rnnapps.scoring.options import ScoreOptions
    from rnnapps.scoring.score import score

    options = ScoreOptions(MODELS[MODEL][0], part_rows=PART_ROWS, workers=workers, engine=engine)
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        begun = time.monotonic()
        done = score(export, [path], Path(folder, "answers"), options)
        assert done.rows == len(rows)
        return time.monotonic() - begun


def _spark(engine: str, export: Path, rows: Rows, workers: int) -> float:
    """What a column of a frame takes, from Parquet to Parquet, the session among it."""
    import pandas as pd
    from pyspark.sql import SparkSession

    from rnnapps.scoring.on_spark import answers

    with TemporaryDirectory() as folder:
        pd.DataFrame(rows).to_parquet(f"{folder}/rows", row_group_size=PART_ROWS)
        begun = time.monotonic()
        os.environ["PYSPARK_PYTHON"] = sys.executable
        session = SparkSession.builder.master(f"local[{workers}]").config("spark.ui.enabled", "false").getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        try:
            frame = session.read.parquet(f"{folder}/rows").repartition(4 * workers)
            answer = answers(export, {"text": "text"}, signature=MODELS[MODEL][0])
            frame.withColumn("answer", answer).write.parquet(f"{folder}/answers")
            return time.monotonic() - begun
        finally:
            session.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
