"""Dates with names of months in other languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.month_names import in_english, names_of_months
from rnnapps.data.series.reading import read_series

GERMAN = [
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
]
SHORT = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
FRENCH = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
SPANISH = [
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
]
DUTCH = [
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
]
ITALIAN = ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"]
DAYS = pd.date_range("2023-01-31", periods=24, freq="ME")


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (GERMAN, "{day}. {month} {year}"),
        (SHORT, "{day:02}. {month} {year}"),
        ([f"{name}." for name in SHORT], "{day:02}. {month} {year}"),
        (FRENCH, "{day} {month} {year}"),
        (SPANISH, "{day} de {month} de {year}"),
        (DUTCH, "{day} {month} {year}"),
        (ITALIAN, "{day}-{month}-{year}"),
        ([name.upper() for name in ITALIAN], "{day}-{month}-{year}"),
    ],
)
def test_months_of_other_languages_are_read(names: list[str], form: str, tmp_path: Path) -> None:
    rows = [form.format(day=day.day, month=names[day.month - 1], year=day.year) for day in DAYS]
    lines = [f"{row};{number}" for number, row in enumerate(rows)]
    (tmp_path / "x.csv").write_text("\n".join(["Datum;Last", *lines, ""]), encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.csv")))
    assert series.times is not None
    np.testing.assert_array_equal(series.times, DAYS.to_numpy("datetime64[ns]"))
    (tmp_path / "one.csv").write_text("\n".join(["Datum;Last", *lines[3:5], ""]), encoding="utf-8")
    (few,) = read_series(SeriesDataConfig(source=str(tmp_path / "one.csv")), known=series.rules)
    assert few.times is not None and few.times.tolist() == series.times[3:5].tolist()


def test_english_texts_stay_as_they_are() -> None:
    texts = pd.Series(["5 May 2025", "5 Augustine 2025", "Decorum 3", "2025-01-02T03:04", "March 2024"])
    assert in_english(texts, full=False).tolist() == texts.tolist()


def test_no_name_means_two_months() -> None:
    names = [name for month in names_of_months() for name in month]
    assert len(names) == len(set(names)) and len(names_of_months()) == 12
