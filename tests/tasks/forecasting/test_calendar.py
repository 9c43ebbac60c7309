"""The calendar of the graph against the calendar of the standard library."""

from __future__ import annotations

import datetime
import json
import zoneinfo

import holidays
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.series.frequency import parse_frequency
from rnnapps.errors import ConfigError
from rnnapps.tasks.forecasting.calendar import Calendar, calendar_features, tells_days
from rnnapps.tasks.forecasting.public_holidays import PublicHolidays

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
DAY = datetime.timedelta(days=1)
MOMENTS = st.lists(st.integers(-2_000_000_000, 4_000_000_000), min_size=1, max_size=20)


def clock(seconds: int, zone: str) -> datetime.datetime:
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.astimezone(zoneinfo.ZoneInfo(zone))


def as_seconds(moment: datetime.datetime) -> int:
    return int((moment.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)).total_seconds())


@given(moments=MOMENTS, zone=st.sampled_from(ZONES))
@settings(max_examples=30, deadline=None)
def test_local_time(moments: list[int], zone: str) -> None:
    local = Calendar.make(zone, ()).local(tf.constant(moments, tf.int64))
    assert local.numpy().tolist() == [as_seconds(clock(moment, zone)) for moment in moments]


@given(moments=MOMENTS)
@settings(max_examples=30, deadline=None)
def test_features_are_shares_of_their_cycles(moments: list[int]) -> None:
    calendar = Calendar.make("UTC", ("hour", "weekday", "year"))
    found = calendar.encode(tf.constant(moments, tf.int64)).numpy()
    for row, moment in zip(found, moments, strict=True):
        time = clock(moment, "UTC").replace(tzinfo=None)
        midnight = time.replace(hour=0, minute=0, second=0)
        into_day = (time - midnight).total_seconds() / 86_400
        shares = [into_day, (time.weekday() + into_day) / 7, (time.timetuple().tm_yday - 1 + into_day) / 365.2425]
        expected = [wave(2 * np.pi * share) for share in shares for wave in (np.sin, np.cos)]
        np.testing.assert_allclose(row, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("text", "start", "zone"),
    [
        ("1h", "2024-03-31 00:00", "Europe/Berlin"),
        ("1d", "2024-03-29 00:00", "Europe/Berlin"),
        ("1mo", "2023-11-01 06:00", "America/New_York"),
        ("1y", "2023-01-01 00:00", "UTC"),
        ("1w", "2024-10-20 00:00", "Europe/Berlin"),
    ],
)
def test_steps_follow_the_calendar(text: str, start: str, zone: str) -> None:
    aliases = {"1h": "h", "1d": "D", "1mo": "MS", "1y": "YS", "1w": "7D"}
    frequency, first = parse_frequency(text), pd.Timestamp(start, tz=zone)
    dates = pd.date_range(first, periods=6, freq=aliases[text], inclusive="both")
    last = tf.constant([int(dates[2].timestamp())], tf.int64)
    found = Calendar.make(zone, ()).steps_from(last, tf.range(-2, 4, dtype=tf.int64)[None], frequency)
    assert found.numpy()[0].tolist() == [as_seconds(date.to_pydatetime()) for date in dates]


def test_only_cycles_that_rows_can_show() -> None:
    chosen = {text: calendar_features(parse_frequency(text)) for text in ("1h", "1d", "1w", "1mo", "1y")}
    assert chosen == {
        "1h": ("hour", "weekday", "year"),
        "1d": ("weekday", "year"),
        "1w": ("year",),
        "1mo": ("year",),
        "1y": (),
    }
    assert calendar_features(None) == ()


def test_saved_with_its_changes() -> None:
    calendar = Calendar.make("Europe/Berlin", ("hour",))
    assert Calendar.from_json(json.loads(json.dumps(calendar.as_json()))) == calendar


@given(
    start=st.integers(0, 25_000),
    kind=st.sampled_from([("1b", "B"), ("3b", "3B"), ("1me", "ME"), ("3me", "3ME"), ("12me", "12ME"), ("1bme", "BME")]),
    hour=st.integers(0, 23),
)
@settings(max_examples=40, deadline=None)
def test_business_days_and_month_ends_in_the_graph(start: int, kind: tuple[str, str], hour: int) -> None:
    text, offset = kind
    first = pd.Timestamp(1970, 1, 1, hour) + pd.Timedelta(days=start)
    dates = pd.date_range(first, periods=9, freq=offset)
    last = tf.constant([int(dates[4].timestamp())], tf.int64)
    found = Calendar.make("UTC", ()).steps_from(last, tf.range(-4, 5, dtype=tf.int64)[None], parse_frequency(text))
    assert found.numpy()[0].tolist() == [int(date.timestamp()) for date in dates]


def test_a_month_that_lacks_the_day_ends_with_its_last() -> None:
    last = tf.constant([int(pd.Timestamp("2024-01-31").timestamp())], tf.int64)
    found = Calendar.make("UTC", ()).steps_from(last, tf.range(1, 4, dtype=tf.int64)[None], parse_frequency("1mo"))
    expected = [pd.Timestamp(day).timestamp() for day in ("2024-02-29", "2024-03-31", "2024-04-30")]
    assert found.numpy()[0].tolist() == expected


def test_holidays_and_working_days() -> None:
    """Bavaria: May Day is a Wednesday in 2024, Epiphany a Monday in 2025; the days around them, and a weekend."""
    calendar = Calendar.make("Europe/Berlin", (), PublicHolidays.of("DE-BY"))
    days = ["2024-04-30", "2024-05-01", "2024-05-02", "2024-05-04", "2025-01-06", "2025-01-07"]
    local = np.array(days, "datetime64[s]").astype(np.int64) + 3600 * 7
    found = calendar.encode(tf.constant(local)).numpy().tolist()
    assert calendar.names == ("holiday", "holiday the day before", "holiday the day after", "working day")
    assert found == [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize("place", ["de", "US-CA", "CN", "IR", "CU"])
def test_days_of_a_year_are_those_of_the_package(place: str) -> None:
    """Weekends on other days, and weekends that are worked, included; one year of days at once."""
    country, _, part = place.upper().partition("-")
    table = holidays.country_holidays(country, subdiv=part or None, years=range(2022, 2026))
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(n) for n in range(366)]
    numbers = tf.constant([[(day - datetime.date(1970, 1, 1)).days] for day in days], tf.int64)
    found = PublicHolidays.of(place).encode(numbers).numpy()[:, 0]
    around = [[shifted in table for shifted in (day, day - DAY, day + DAY)] for day in days]
    np.testing.assert_array_equal(found[:, :3], around)
    np.testing.assert_array_equal(found[:, 3], [table.is_working_day(day) for day in days])


def test_holidays_survive_a_file() -> None:
    calendar = Calendar.make("UTC", ("weekday",), PublicHolidays.of("FR"))
    copy = Calendar.from_json(json.loads(json.dumps(calendar.as_json())))
    assert copy == calendar
    assert copy.size == 6
    old = {name: value for name, value in calendar.as_json().items() if name != "holidays"}
    assert Calendar.from_json(old).holidays is None


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("QX-BY", r"model.holidays: there is no country 'QX'; expected such as"),
        ("DE-BQ", r"model.holidays: DE has no part 'BQ'; expected such as .*B"),
    ],
)
def test_places_that_are_none(place: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PublicHolidays.of(place)


def test_rows_without_days_have_no_holidays() -> None:
    assert [tells_days(parse_frequency(text)) for text in ("1h", "1d", "1b", "2d", "1w", "1mo")] == [True] * 3 + [
        False
    ] * 3
