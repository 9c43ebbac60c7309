"""InfluxDB's line protocol: `power,site=a load=0.5,temp=20i 1735689600000000000`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnapps.data.series.clock_columns import UNITS, unix_unit
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, chosen, read_text
from rnnapps.data.tables.stacked import FileSeries, stacked
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["LineProtocolReader", "Point"]

# Repeated signs are never given back (++): else many of them are split in every way there is.
_KEY = r"(?:[^\\ \n]|\\.)++"
_VALUE = r'(?:"(?:[^"\\]|\\.)*+"|[^", \n]++)'
_NAME = r"(?:[^=, \\\n]|\\.)++"
_LINE = re.compile(rf"(?P<key>{_KEY}) ++(?P<fields>{_NAME}={_VALUE}(?:,{_NAME}={_VALUE})*+)(?: ++(?P<time>-?\d++))? *+")
_FIELD = re.compile(rf"({_NAME})=({_VALUE})(?:,|$)")
_NUMBER = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?")
_WHOLE = re.compile(r"[+-]?\d++[iu]")
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), 0.0),
}
LONGEST_TIME = 19
FORM = "write MEASUREMENT,TAG=VALUE FIELD=1.5 TIME"


@dataclass(frozen=True)
class Point:
    """One line.

    Attributes:
        line: its number.
        measurement: what was measured.
        tags: what tells its series from others.
        fields: numbers by their names, and texts.
        time: in the unit of the file.
    """

    line: int
    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: Mapping[str, float | str]
    time: int


class LineProtocolReader(TableReader):
    """Lines of one measurement; each set of tags is a series, and each field of numbers a channel."""

    title, suffixes = "a file of InfluxDB's line protocol", (".lp", ".line", ".influx")
    takes = ("table",)

    def recognises(self, head: bytes) -> bool:
        """Whether the first line that is no comment is one of the protocol, with its time."""
        for line in head.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")[:-1]:
            if line.strip() and not line.startswith("#"):
                found = _LINE.fullmatch(line.rstrip("\r"))
                return found is not None and found["time"] is not None
        return False

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file."""
        points = list(_points(path, read_text(path)))
        names = list(dict.fromkeys(point.measurement for point in points))
        name = chosen(path, names, options.table, "measurements")
        own = [point for point in points if point.measurement == name]
        channels = _channels(path, own)
        unit = unix_unit(np.array([point.time for point in own], np.float64)) or "unix_ns"
        told = [] if unit == "unix_ns" else [f"times are read as {unit}"]
        groups: dict[tuple[tuple[str, str], ...], list[Point]] = {}
        for point in own:
            groups.setdefault(point.tags, []).append(point)
        series = [_series(path, tags, points, channels=channels, unit=unit) for tags, points in groups.items()]
        return stacked(path, series, channels, notes=told)


def _points(path: Path, text: str) -> Iterator[Point]:
    """The lines that are no comments."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.rstrip("\r"))
        if found is None:
            raise DataError(path, f"line {number}: {line[:60]!r} is no line of InfluxDB's protocol", FORM)
        if found["time"] is None or len(found["time"].lstrip("-")) > LONGEST_TIME:
            raise DataError(path, f"line {number}: has no time, or one of too many digits", FORM)
        measurement, *tags = re.split(r"(?<!\\),", found["key"])
        if not all(re.search(r"(?<!\\)=", tag) for tag in tags):
            raise DataError(path, f"line {number}: {found['key'][:60]!r} has a tag without a value", FORM)
        pairs = tuple(sorted(map(_tag, tags)))
        fields = {_plain(name): _field(path, number, value) for name, value in _FIELD.findall(found["fields"])}
        yield Point(number, _plain(measurement), pairs, fields, int(found["time"]))


def _tag(text: str) -> tuple[str, str]:
    """The name and the value of a tag."""
    name, value = re.split(r"(?<!\\)=", text, maxsplit=1)
    return _plain(name), _plain(value)


def _plain(text: str) -> str:
    """A name or a tag without the signs that guard commas, spaces and equals signs."""
    return re.sub(r"\\([,= ])", r"\1", text)


def _field(path: Path, line: int, value: str) -> float | str:
    """The number or the text of a field."""
    if value.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", value[1:-1])
    if _WHOLE.fullmatch(value):
        return float(value[:-1])
    if _NUMBER.fullmatch(value):
        return float(value)
    if value in _BOOLEANS:
        return _BOOLEANS[value]
    raise DataError(path, f"line {line}: {value[:60]!r} is no number, boolean or quoted text", "correct the field")


def _channels(path: Path, points: list[Point]) -> list[str]:
    """Names of the fields that hold numbers."""
    kinds: dict[str, bool] = {}
    for point in points:
        for name, value in point.fields.items():
            if kinds.setdefault(name, isinstance(value, str)) != isinstance(value, str):
                problem = f"line {point.line}: field {name!r} is {value!r}, a text in one line, a number in another"
                raise DataError(path, problem, "write it in one way")
    numbers = [name for name, is_text in kinds.items() if not is_text]
    if not numbers:
        raise DataError(path, f"has no field of numbers, only {', '.join(map(repr, kinds))}", "give one with numbers")
    return numbers


def _series(
    path: Path, tags: tuple[tuple[str, str], ...], points: list[Point], *, channels: list[str], unit: str
) -> FileSeries:
    """The points of one set of tags, in the order of the file."""
    values = np.array([[_number(point, name) for name in channels] for point in points], np.float64)
    texts = {name for point in points for name in point.fields if name not in channels}
    columns = {name: [point.fields.get(name) for point in points] for name in texts}
    name = ",".join(f"{key}={value}" for key, value in tags) or points[0].measurement
    facts = {key: value for key, value in tags if key not in channels}
    return FileSeries(name, values, _times(path, points, unit), lambda row: f"line {points[row].line}", facts, columns)


def _number(point: Point, name: str) -> float:
    """The number of a field; NaN where a line does not hold it."""
    value = point.fields.get(name, np.nan)
    assert not isinstance(value, str)
    return value


def _times(path: Path, points: list[Point], unit: str) -> Array:
    """Their times, datetime64[ns]."""
    size = 10**9 // UNITS[unit]
    for point in points:
        if not abs(point.time * size) < 9 * 10**18:
            problem = f"line {point.line}: {point.time} is no time in {unit}"
            raise DataError(path, problem, "write nanoseconds since 1970")
    return np.array([point.time * size for point in points], np.int64).astype("datetime64[ns]")
