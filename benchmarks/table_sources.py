"""A small table in each format that is read beside CSV, for benchmarks of the readers; `excel` needs xlsxwriter."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["TABLES"]

ROWS = 240


def _frame() -> pd.DataFrame:
    """Two channels, an hour apart."""
    draw, steps = np.random.default_rng(0), np.arange(ROWS)
    values = np.round(50 + 10 * np.sin(2 * np.pi * steps[:, None] / 12 + [0, 1]) + draw.normal(size=(ROWS, 2)), 3)
    frame = pd.DataFrame(values, columns=["east", "west"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=ROWS, freq="h"))
    return frame


def _texts() -> pd.DataFrame:
    """The same with times as texts."""
    frame = _frame()
    return frame.assign(time=frame["time"].astype(str))


def _sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        _texts().to_sql("readings", connection, index=False)


def _line_protocol(path: Path) -> None:
    rows = _frame().itertuples(index=False)
    path.write_text("".join(f"power,site=a east={row.east},west={row.west} {row.time.value}\n" for row in rows))


def _prometheus(path: Path) -> None:
    frame = _frame()
    times = [time.timestamp() for time in frame["time"]]
    results = [
        {"metric": {"__name__": name}, "values": [[t, str(v)] for t, v in zip(times, frame[name], strict=True)]}
        for name in ("east", "west")
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": results}}
    path.write_text(json.dumps(answer))


def _gluonts(path: Path) -> None:
    frame = _frame()
    lines = [
        {"start": "2024-01-01 00:00:00", "freq": "h", "target": frame[name].tolist(), "item_id": name}
        for name in ("east", "west")
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _monash(path: Path) -> None:
    frame = _frame()
    head = "@relation x\n@attribute series_name string\n@attribute start_timestamp date\n@frequency hourly\n@data\n"
    lines = [f"{name}:2024-01-01 00-00-00:{','.join(map(str, frame[name]))}\n" for name in ("east", "west")]
    path.write_text(head + "".join(lines))


def _uea(path: Path) -> None:
    frame = _frame()
    head = "@problemName x\n@timeStamps false\n@univariate false\n@classLabel true a b\n@data\n"
    dimensions = ":".join(",".join(map(str, frame[name])) for name in ("east", "west"))
    path.write_text(f"{head}{dimensions}:a\n{dimensions}:b\n")


def _m4(path: Path) -> None:
    frame = _frame()
    lines = [f'"H{number}",{",".join(map(str, frame[name]))}' for number, name in enumerate(("east", "west"), start=1)]
    head = ",".join(f'"V{number}"' for number in range(1, ROWS + 2))
    path.write_text("\n".join([head, *lines]) + "\n")


def _dates(path: Path) -> None:
    """CSV with days and times of day in two columns, and units."""
    rows = (f"{row.time:%d.%m.%Y};{row.time:%H:%M};{row.east} kW;{row.west}\n" for row in _frame().itertuples())
    path.write_text("Datum;Uhrzeit;east;west\n" + "".join(rows), encoding="utf-8")


def _ucr(path: Path) -> None:
    """Cases without names of columns, the class first."""
    frame = _frame()
    lines = ["\t".join([label, *map(str, frame[name])]) for label in "12" for name in ("east", "west")]
    path.write_text("\n".join(lines) + "\n")


def _encoded(path: Path, encoding: str) -> None:
    """CSV in another encoding, with German names of months."""
    months = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ]
    rows = (
        f"{row.time.day}. {months[row.time.month - 1]} {row.time:%Y %H:%M};{row.east};{row.west}\n"
        for row in _frame().itertuples()
    )
    path.write_text("Tag;Süd;Nord (m²)\n" + "".join(rows), encoding=encoding)


def _write(folder: Path, name: str, writer: Callable[[Path], object]) -> Path:
    """Writes a file; returns its path."""
    writer(folder / name)
    return folder / name


_WRITERS: dict[str, Callable[[Path], object]] = {
    "dates.csv": _dates,
    "parquet.parquet": lambda path: _frame().to_parquet(path),
    "feather.feather": lambda path: _frame().to_feather(path),
    "excel.xlsx": lambda path: _frame().to_excel(path, index=False, engine="xlsxwriter"),
    "json.json": lambda path: _texts().to_json(path, orient="records"),
    "jsonlines.jsonl": lambda path: _texts().to_json(path, orient="records", lines=True),
    "sqlite.sqlite": _sqlite,
    "line_protocol.lp": _line_protocol,
    "prometheus.json": _prometheus,
    "gluonts.json": _gluonts,
    "monash.tsf": _monash,
    "uea.ts": _uea,
    "m4.csv": _m4,
    "ucr.tsv": _ucr,
    "large_csv.csv": lambda path: _frame().to_csv(path, index=False),
    "large_parquet.parquet": lambda path: _frame().to_parquet(path),
    "utf16.csv": partial(_encoded, encoding="utf-16"),
    "cp1252.csv": partial(_encoded, encoding="cp1252"),
}

TABLES: dict[str, Callable[[Path], Path]] = {
    name.split(".")[0]: partial(_write, name=name, writer=writer) for name, writer in _WRITERS.items()
}
"""Format -> writes a table of it into a folder; returns its path. Large ones are to be read in pieces."""
