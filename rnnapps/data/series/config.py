"""Where series come from, what their columns mean, and how they are split in time. Imports nothing heavy."""

from __future__ import annotations

import datetime
import itertools
import zoneinfo
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice
from rnnapps.data.large_data import LargeDataConfig
from rnnapps.errors import ConfigError

__all__ = ["SeriesDataConfig"]

Irregular = Literal["refuse", "regularise", "keep"]
Duplicates = Literal["refuse", "first", "last", "mean", "keep"]
AbsentRows = Literal["missing", "zero"]
Decimal = Literal["auto", ".", ","]
AutumnHour = Literal["refuse", "first", "second"]


_CHOICES: dict[str, object] = {
    "irregular": Irregular,
    "absent_rows": AbsentRows,
    "duplicates": Duplicates,
    "decimal": Decimal,
    "autumn_hour": AutumnHour,
}


@dataclass(frozen=True)
class SeriesDataConfig(LargeDataConfig):
    """The series to learn from, and how they are split in time.

    A source is a table in a file or a database, or a folder of tables (each one series, named after its file). A table
    is wide (one column a channel) or long (rows of several series, told apart by the column `series`). Lists are given
    as `'[a, b]'`. Columns are named, or counted from 1; `date+time` is what two columns say together.

    Attributes:
        source: `builtin`, a table (CSV, Parquet, Feather, Excel, JSON, SQLite, line protocol, .tsf, .ts...), a folder
            of tables, or the address of a database, such as postgresql://host/name.
        time: column of the timestamps; empty finds `time`, `timestamp`, `date`, `datetime` or `ds`; `none` reads rows
            as equally spaced steps. Of a day and a time of day in two columns: `date+time`.
        series: column that names the series of a row; empty takes `series_id`, `series` or `unique_id` where there is
            one. Several name it together: `store+family`.
        channels: columns of measured numbers; empty takes all columns without another role.
        known: columns of numbers that are known ahead of time, such as prices or a weather forecast.
        categorical: columns of text or codes that are known ahead of time, such as a holiday's name.
        static: columns that are constant within a series, numbers or text.
        label: column of whole numbers that marks rows, such as 1 for an anomaly.
        table: name of the sheet of a workbook, of the table of a database, or of the measurement of a line protocol;
            empty for the only one.
        query: the rows of a database to read, in SQL, such as SELECT * FROM readings WHERE plant = 7.
        timezone: time zone of timestamps that name none, and of calendar features, such as Europe/Berlin.
        autumn_hour: what an hour is that clocks show twice where they go back, but the file has once: refuse, or the
            first or the second of the two.
        time_format: strptime format of the timestamps (also with %q, a quarter), or excel for the serial numbers of a
            spreadsheet, or unix_s, unix_ms, unix_us, unix_ns; empty reads ISO 8601, numbers that are Unix times of this
            century, and other formats where only one makes sense of all rows.
        irregular: what to do when timestamps are not equally spaced, up to a quarter of a step: refuse; regularise,
            which gives rows the nearest places of a regular grid, averages rows that share a place and leaves empty
            places missing; or keep, which ignores it.
        absent_rows: what rows that are not there mean, with irregular: regularise: missing values; or zero, as on days
            on which nothing was sold.
        frequency: distance of the rows, such as 15min, 1h, 1d, 1b (business day), 1w, 1mo, 1me (month end), 1bme (its
            last business day) or 1y; empty finds it.
        duplicates: what to do with several rows of one time: refuse, or take the first, the last or their mean; or
            keep all of them, as events have them (with irregular: keep).
        separator: character between columns; auto finds it.
        decimal: decimal character; auto finds it.
        skip_lines: numbers of lines, from 1, that are no rows: titles above the column names, units, sums.
        header_lines: lines that name the columns; of several, what stands below each other is a name together.
        missing: what else than an empty cell, NA, null and their like means that nothing was measured, such as -999.
        season_steps: rows after which a series repeats itself, for naive forecasts and scores; 0 takes what is usual
            for its frequency.
        second_season_steps: rows of a longer season beside it, such as 336 of a week beside 48 of a day, for baselines;
            0 for none.
        validation_fraction: share of the time held out for validation, after the training rows.
        test_fraction: share of the time held out for the test, after the validation rows.
        validation_from: time at which validation begins, ISO 8601, instead of fractions; test_from must be given too.
        test_from: time at which the test begins.
        test_rows: last rows of each series that are its test, instead of fractions; 0 splits by fractions or times.
        validation_rows: rows of each series before them that validate, with test_rows; 0 takes as many.
        until: rows from this time on are left out; empty keeps all.

    Raises:
        ConfigError: a value is out of range.
    """

    source: str = "builtin"
    time: str = ""
    series: str = ""
    channels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    label: str = ""
    table: str = ""
    query: str = ""
    timezone: str = "UTC"
    autumn_hour: AutumnHour = "refuse"
    time_format: str = ""
    irregular: Irregular = "refuse"
    absent_rows: AbsentRows = "missing"
    frequency: str = ""
    duplicates: Duplicates = "refuse"
    separator: str = "auto"
    decimal: Decimal = "auto"
    skip_lines: tuple[int, ...] = ()
    header_lines: int = 1
    missing: tuple[str | float, ...] = ()
    season_steps: int = 0
    second_season_steps: int = 0
    validation_fraction: float = 0.15
    test_fraction: float = 0.15
    validation_from: str = ""
    test_from: str = ""
    test_rows: int = 0
    validation_rows: int = 0
    until: str = ""

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        for name, kind in _CHOICES.items():
            require_choice(f"data.{name}", getattr(self, name), kind)
        if self.absent_rows == "zero" and self.irregular != "regularise":
            raise ConfigError("data.absent_rows can only be zero where data.irregular is regularise, which finds them")
        object.__setattr__(
            self, "missing", tuple(each if isinstance(each, str) else f"{each:.15g}" for each in self.missing)
        )
        if self.duplicates == "keep" and self.irregular != "keep":
            raise ConfigError("data.duplicates can only be keep where data.irregular is keep too")
        if self.separator != "auto" and len(self.separator) != 1:
            raise ConfigError(f"data.separator must be auto or one character, not {self.separator!r}")
        try:
            zoneinfo.ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise ConfigError(
                f"data.timezone must be a name such as UTC or Europe/Berlin, not {self.timezone!r}"
            ) from None
        require("data.season_steps", self.season_steps, "at least 0", self.season_steps >= 0)
        first, second = self.season_steps, self.second_season_steps
        if second and not 0 < first < second:
            raise ConfigError(
                f"data.second_season_steps must be 0, or more than data.season_steps ({first:,}), which is given too, "
                f"not {second:,}"
            )
        require("data.skip_lines", self.skip_lines, "at least 1 each", all(line >= 1 for line in self.skip_lines))
        require("data.header_lines", self.header_lines, "from 1 to 9", 1 <= self.header_lines <= 9)
        self._check_roles()
        self._check_split()

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        fractions = ("validation_fraction", "test_fraction")
        if self.test_rows:
            return dict.fromkeys(fractions, "data.test_rows counts the rows of the parts")
        why = "data.validation_from and data.test_from say where the parts begin"
        return dict.fromkeys(fractions, why) if self.validation_from else {}

    @property
    def held_out_rows(self) -> tuple[int, int]:
        """Last rows of each series that validate, and that test; zeros where they are not counted."""
        return self.validation_rows or self.test_rows, self.test_rows

    def _check_roles(self) -> None:
        """Each column has one role."""
        single = [name for name in (self.time, self.series, self.label) if name and name != "none"]
        named = [*self.channels, *self.known, *self.categorical, *self.static, *single]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ConfigError(f"data: column {twice[0]!r} is given two roles; name it once")

    def _check_split(self) -> None:
        """Raises ConfigError unless the three splits have room and moments come in pairs."""
        validation, test = self.validation_fraction, self.test_fraction
        require("data.validation_fraction", validation, "above 0 and below 1", 0 < validation < 1)
        require("data.test_fraction", test, "from 0 to below 1", 0 <= test < 1)
        if validation + test >= 1:
            raise ConfigError("data.validation_fraction and data.test_fraction leave no time to train on; lower them")
        require("data.test_rows", self.test_rows, "at least 0", self.test_rows >= 0)
        require("data.validation_rows", self.validation_rows, "at least 0", self.validation_rows >= 0)
        if self.validation_rows and not self.test_rows:
            raise ConfigError("data.validation_rows needs data.test_rows, which says where the validation rows end")
        if self.test_rows and self.validation_from:
            raise ConfigError("data.test_rows and data.test_from both say where the test begins; give one of them")
        if bool(self.validation_from) != bool(self.test_from):
            raise ConfigError("data.validation_from and data.test_from must be given together")
        given = [name for name in ("validation_from", "test_from", "until") if getattr(self, name)]
        moments = [_moment(name, getattr(self, name)) for name in given]
        if any(later <= earlier for earlier, later in itertools.pairwise(moments)):
            raise ConfigError(f"data.{', data.'.join(given)} must follow each other in time")


def _moment(name: str, text: str) -> datetime.datetime:
    """The time a setting names, without a time zone."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"data.{name} must be an ISO 8601 time such as 2024-06-30 or 2024-06-30T12:00, not {text!r}"
        ) from None
    return moment.replace(tzinfo=None)
