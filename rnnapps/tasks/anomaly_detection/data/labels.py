"""Labelled stretches of series, from a file beside them."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from rnnapps.data.csv_dicts import csv_dicts
from rnnapps.data.series.series import Series
from rnnapps.data.sources import read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["mark", "read_stretches"]

Stretch = tuple[str, str]
"""First and last row, both inclusive: row numbers counted from 0, or times."""

MAXIMUM_BYTES = 1 << 28
NASA = {"chan_id", "anomaly_sequences"}
PLAIN = {"series", "first", "last"}


def read_stretches(path: str) -> dict[str, list[Stretch]]:
    """Reads labelled stretches: series name -> stretches.

    Three forms are known: a .csv with columns `series`, `first`, `last`; NASA's labeled_anomalies.csv with columns
    `chan_id` and `anomaly_sequences`, lists of row numbers; and a .json of NAB, file name -> pairs of times.

    Raises:
        DataError: the file is missing or in no known form.
    """
    text = decode_text(read_bytes(Path(path), maximum_bytes=MAXIMUM_BYTES), path)
    if path.lower().endswith(".json"):
        return _from_json(path, text)
    names, rows = csv_dicts(path, text)
    stretches: dict[str, list[Stretch]] = {}
    for where, row in rows:
        if names >= NASA:
            stretches.setdefault(row["chan_id"], []).extend(_sequences(path, where, row["anomaly_sequences"]))
        elif names >= PLAIN:
            if not row["first"] or not row["last"]:
                raise DataError(path, f"{where}: a stretch needs first and last", "fill both in")
            stretches.setdefault(row["series"], []).append((row["first"].strip(), row["last"].strip()))
        else:
            break
    if not names >= NASA and not names >= PLAIN:
        problem = f"has the columns {', '.join(sorted(names)) or 'none'}; expected series, first, last"
        raise DataError(path, problem, "name the columns so")
    return stretches


def mark(series: Series, stretches: Sequence[Stretch], source: str) -> Array:
    """Labels int32 `(rows,)`: 1 within a stretch, else 0.

    Args:
        series: the series; its times are needed where a stretch is given in times.
        stretches: see `read_stretches`.
        source: the labels' file, for errors.

    Raises:
        DataError: a stretch ends before it begins, is not within the series, or is no row number or time.
    """
    labels = np.zeros(len(series), np.int32)
    for first, last in stretches:
        low, high = _row(series, first, source, "left"), _row(series, last, source, "right")
        if low > high or low < 0 or high >= len(series):
            problem = f"series {series.name}: the stretch {first} to {last} is not within its {len(series):,} rows"
            raise DataError(source, problem, "correct the stretch")
        labels[low : high + 1] = 1
    return labels


def _row(series: Series, text: str, source: str, side: Literal["left", "right"]) -> int:
    """The row a stretch begins with (left) or ends with (right)."""
    if text.lstrip("-").isdigit():
        return int(text)
    if series.times is None:
        raise DataError(source, f"series {series.name}: {text!r} is no row number, and the series has no times")
    try:
        moment = np.datetime64(text.strip().replace(" ", "T"), "ns")
    except ValueError:
        raise DataError(source, f"series {series.name}: {text!r} is neither row number nor time") from None
    row = int(np.searchsorted(series.times, moment, side=side))
    return row if side == "left" else row - 1


def _sequences(path: str, where: str, text: str) -> list[Stretch]:
    """The stretches of a cell such as "[[12, 30], [95, 120]]"."""
    try:
        pairs = ast.literal_eval(text)
        return [(str(int(first)), str(int(last))) for first, last in pairs]
    except (ValueError, SyntaxError, TypeError):
        raise DataError(path, f"{where}: {text!r} is no list of [first, last] rows", "correct it") from None


def _from_json(path: str, text: str) -> dict[str, list[Stretch]]:
    """The labels of NAB: {file name: [[first time, last time], ...]}."""
    try:
        content = json.loads(text)
        return {Path(name).stem: [(str(first), str(last)) for first, last in pairs] for name, pairs in content.items()}
    except (ValueError, TypeError, AttributeError) as error:
        remedy = 'write {"file.csv": [["first time", "last time"], ...]}'
        raise DataError(path, f"is no JSON of labelled stretches ({error})", remedy) from None
