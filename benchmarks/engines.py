"""Rows a second of `rnnapps score` by one engine, and what its start costs: `make bench-engines` runs all of them.

`python -m benchmarks.engines ENGINE [ROWS]` prints a row of a table: `loop` is the plain loop of `benchmarks.scoring`,
`local`, `ray` and `beam` are those of `--engine`, and `spark` is a column of a frame of Parquet. The rate is that
between the first parts and the last one; what the whole takes beside it is the start, and the end.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.scoring import MODELS, rates_of_loops

__all__ = ["main"]

MODEL = "text"
PART_ROWS = 250
HEAD = "| engine | start, 1 process | rows a second | start, 2 processes | rows a second |\n|---|--:|--:|--:|--:|"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where one run works, and in how many processes."""

    folder: Path
    workers: int


Run = Callable[[str, Path, Rows, Place], None]


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
    run = _spark if engine == "spark" else _scored
    cells = [cell for workers in (1, 2) for cell in _measured(run, engine, export, made, workers=workers)]
    print(f"| `{engine}` | {' | '.join(cells)} |", flush=True)


def _measured(run: Run, engine: str, export: Path, rows: Rows, *, workers: int) -> list[str]:
    """Start and rate: that of the parts behind the first of each worker, by the times of their files."""
    with TemporaryDirectory() as folder:
        begun = time.monotonic()
        run(engine, export, rows, Place(Path(folder), workers))
        seconds = time.monotonic() - begun
        moments = sorted(path.stat().st_mtime for path in Path(folder, "answers").glob("part-*"))
    assert len(moments) >= len(rows) / PART_ROWS
    rate = len(rows) * (1 - workers / len(moments)) / (moments[-1] - moments[workers - 1])
    return [f"{seconds - len(rows) / rate:.1f} s", f"{rate:,.0f}"]


def _scored(engine: str, export: Path, rows: Rows, place: Place) -> None:
    """By `score`, from JSON lines to JSON lines."""
    from rnnapps.scoring.options import ScoreOptions
    from rnnapps.scoring.score import score

    path = place.folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = ScoreOptions(MODELS[MODEL][0], part_rows=PART_ROWS, workers=place.workers, engine=engine)
    assert score(export, [path], place.folder / "answers", options).rows == len(rows)


def _spark(engine: str, export: Path, rows: Rows, place: Place) -> None:
    """As a column of a frame, from Parquet to Parquet, the session among it."""
    import pandas as pd
    from pyspark.sql import SparkSession

    from rnnapps.scoring.on_spark import answers

    pd.DataFrame(rows).to_parquet(place.folder / "rows")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    session = SparkSession.builder.master(f"local[{place.workers}]").config(map=quiet).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        frame = session.read.parquet(str(place.folder / "rows")).repartition(len(rows) // PART_ROWS)
        answer = answers(export, {"text": "text"}, signature=MODELS[MODEL][0])
        frame.withColumn("answer", answer).write.parquet(str(place.folder / "answers"))
    finally:
        session.stop()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
