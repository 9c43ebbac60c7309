"""The archives of UCR and UEA: `.ts` files, a case a line, one list of values a dimension."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from rnnapps.data.tables.headed import names_of_head, number_of, read_headed
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader
from rnnapps.data.tables.stacked import FileSeries, stacked, value_places
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["UeaReader"]

CLASS = "class"
_STAMPED = re.compile(r"\(([^(),]*+),([^(),]*+)\)(?:,|$)")


class UeaReader(TableReader):
    """`.ts` files; the class of a case is a column that a setting may name."""

    title, suffixes = "a .ts file of the UCR and UEA archives", (".ts",)

    def recognises(self, head: bytes) -> bool:
        """Whether it names its problem."""
        return "problemname" in names_of_head(head)

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file."""
        file = read_headed(path)
        stamped = file.value("timestamps").lower() == "true"
        labelled = file.value("classlabel").lower().startswith("true") or file.value("targetlabel").lower() == "true"
        series = [
            _read(path, row, number, stamped=stamped and options.timed, labelled=labelled, brackets=stamped)
            for number, row in enumerate(file.rows, start=1)
        ]
        widths = sorted({each.values.shape[1] for each in series})
        if len(widths) > 1:
            raise DataError(path, f"has cases of {widths[0]} and of {widths[-1]} dimensions", "correct the lines")
        return stacked(path, series, [f"dim_{number}" for number in range(widths[0])])


def _read(
    path: Path, row: tuple[int, str], number: int, *, stamped: bool, labelled: bool, brackets: bool
) -> FileSeries:
    """The case of a line."""
    line, text = row
    parts = _parts(text)
    label = parts.pop().strip() if labelled else None
    if not parts:
        raise DataError(path, f"line {line}: has no values", "write VALUES:VALUES:CLASS")
    read = [_dimension(path, line, part, brackets=brackets) for part in parts]
    lengths = {len(values) for _, values in read}
    if len(lengths) > 1:
        problem = f"line {line}: its dimensions have {min(lengths)} to {max(lengths)} values"
        raise DataError(path, problem, "pad the shorter ones by ?")
    times = _times(path, line, read[0][0]) if stamped else None
    values = np.stack([values for _, values in read], axis=1)
    facts = {CLASS: label} if labelled else {}
    return FileSeries(str(number), values, times, value_places(f"line {line}"), facts)


def _parts(text: str) -> list[str]:
    """What stands between colons, but for those within brackets, which are parts of times."""
    return re.sub(r"\([^()]*+\)", lambda found: found[0].replace(":", "\0"), text).split(":")


def _dimension(path: Path, line: int, part: str, *, brackets: bool) -> tuple[list[str], Array]:
    """The times, as texts, and the values of a dimension."""
    plain = part.replace("\0", ":").strip()
    if not brackets:
        return [], np.array([number_of(path, line, cell) for cell in plain.split(",")], np.float64)
    pairs = _STAMPED.findall(plain)
    if not pairs or _STAMPED.sub("", plain).strip():
        raise DataError(path, f"line {line}: {plain[:60]!r} is no list of (time,value)", "correct the line")
    return [time for time, _ in pairs], np.array([number_of(path, line, cell) for _, cell in pairs], np.float64)


def _times(path: Path, line: int, texts: list[str]) -> Array | None:
    """Times of a case; None where they only count its values."""
    if all(text.strip().replace(".", "", 1).isdecimal() for text in texts):
        return None
    times = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce")
    if times.isna().any():
        wrong = texts[int(np.flatnonzero(times.isna())[0])]
        raise DataError(path, f"line {line}: {wrong[:60]!r} is no time", "write it as 2024-06-30 14:00:00")
    return np.asarray(times.to_numpy("datetime64[ns]"))
