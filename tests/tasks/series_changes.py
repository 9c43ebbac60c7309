"""Tables of series in which each setting of their data shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.tasks.walk import Change

__all__ = ["series_changes", "stream_changes", "write_table"]

ROWS = 500
CHANNELS = ["east", "west"]


def write_table(path: Path, columns: Mapping[str, Sequence[object]]) -> str:
    """Writes a CSV file; returns its path."""
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


def write_database(path: Path, columns: Mapping[str, Sequence[object]]) -> str:
    """Writes an SQLite file of two tables, `one` and `two`, the second with a row less; returns its path."""
    frame = pd.DataFrame(columns).assign(time=np.datetime_as_string(np.asarray(columns["time"])))
    with closing(sqlite3.connect(path)) as connection:
        frame.to_sql("one", connection, index=False)
        frame.iloc[:-1].to_sql("two", connection, index=False)
    return str(path)


def series_changes(folder: Path, beside: Mapping[str, Any], *, reads: bool) -> dict[str, Change]:
    """What to set, for each setting of `SeriesDataConfig` that needs a table of its own.

    Args:
        folder: where tables are written.
        beside: settings that these tables need.
        reads: whether the task reads other columns than channels; else their roles only tell them from channels.
    """
    hours = np.datetime64("2024-03-20T00:00", "m") + 60 * np.arange(ROWS)
    noise = np.random.default_rng(0).normal(size=(2, ROWS))
    wave = 50 + 10 * np.sin(2 * np.pi * np.arange(ROWS) / 12) + noise
    plain = {"time": hours, "east": wave[0], "west": wave[1]}

    def table(name: str, keep: Sequence[int] | None = None, **columns: Sequence[object]) -> dict[str, Any]:
        chosen = {
            key: np.asarray(column)[... if keep is None else keep] for key, column in {**plain, **columns}.items()
        }
        return {**beside, "data.source": write_table(folder / f"{name}.csv", chosen)}

    regular = table("regular")
    hole = table("hole", keep=[row for row in range(ROWS) if not 100 < row < 104])
    extra: dict[str, Sequence[object]] = {
        "price": np.arange(ROWS) % 7,
        "day": [("mon", "tue", "wed")[row // 24 % 3] for row in range(ROWS)],
        "size": [3] * ROWS,
    }
    chosen = {"data.channels": CHANNELS} if reads else {}
    roles = {name: table(name, **{name: column}) | chosen for name, column in extra.items()}
    two = {"data.channels": CHANNELS} | table("two", later=hours + 30, shop=["a"] * (ROWS // 2) + ["b"] * (ROWS // 2))
    database = {**beside, "data.source": write_database(folder / "plant.sqlite", plain)}
    autumn = table("autumn", time=hours + np.timedelta64(210, "D")) | {"data.timezone": "Europe/Berlin"}
    days = {**regular, "data.validation_from": "2024-04-01", "data.test_from": "2024-04-05"}
    grid = {"data.irregular": "regularise"}
    return {
        "data.source": Change(regular["data.source"], hole | grid),
        "data.time": Change("later", two),
        "data.series": Change("shop", two),
        "data.channels": Change(["east"], regular),
        "data.known": Change(["price"], roles["price"]),
        "data.categorical": Change(["day"], roles["day"]),
        "data.static": Change(["size"], roles["size"]),
        "data.label": Change("mark", table("marked", mark=[int(row % 50 == 49) for row in range(ROWS)])),
        "data.table": Change("two", {**database, "data.table": "one"}),
        "data.query": Change("SELECT * FROM two", {**database, "data.query": "SELECT * FROM one"}),
        "data.autumn_hour": Change("second", {**autumn, **grid, "data.autumn_hour": "first"}),
        "data.timezone": Change("Europe/Berlin", regular),
        "data.time_format": Change("unix_ms", table("epochs", time=hours.astype("datetime64[s]").astype(int))),
        "data.irregular": Change("regularise", hole),
        "data.absent_rows": Change("zero", hole | grid),
        "data.frequency": Change("2h", regular | grid),
        "data.duplicates": Change("first", table("doubled", keep=sorted([*range(ROWS), 100]))),
        "data.separator": Change(";", regular),
        "data.decimal": Change(",", regular),
        "data.skip_lines": Change([2], regular),
        "data.header_lines": Change(2, regular),
        "data.missing": Change([-999], table("codes", east=np.where(np.arange(ROWS) % 9, wave[0], -999))),
        "data.validation_from": Change("2024-04-02", days),
        "data.test_from": Change("2024-04-06", days),
        "data.test_rows": Change(60, regular),
        "data.validation_rows": Change(50, {**regular, "data.test_rows": 40}),
        "data.until": Change("2024-04-08", regular),
    }


def stream_changes(folder: Path, channels: Sequence[str], *, minutes: int) -> dict[str, Change]:
    """What to set, for each option of streams of rows, each with lines that need it.

    Args:
        folder: where tables are written.
        channels: of the model.
        minutes: between two of its rows.
    """
    times = np.datetime64("2024-03-20T00:00", "m") + minutes * np.arange(80)
    values = {name: np.round(np.sin(np.arange(80) + number), 5) for number, name in enumerate(channels)}
    plain = {"time": times, **values}

    def lines(name: str, keep: Sequence[int], **columns: Sequence[object]) -> dict[str, Any]:
        chosen = {key: np.asarray(column)[keep] for key, column in {**plain, **columns}.items()}
        return {"input": write_table(folder / f"{name}.csv", chosen)}

    rows = list(range(80))
    broken = ["broken" if row == 60 else values[channels[0]][row] for row in rows]
    return {
        "bad_rows": Change("stop", lines("broken_line", rows, **{channels[0]: broken})),
        "late_rows": Change("stop", lines("late_line", [*rows[:50], 40, *rows[50:]])),
        "missing_rows": Change("stop", lines("missing_lines", [*rows[:50], *rows[55:]])),
    }
