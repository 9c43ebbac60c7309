"""Built-in sentence pairs: dates, times, amounts and measures, written in English and in German.

They are made by Babel from Unicode's Common Locale Data Repository: synthetic phrases, in the forms that software shows
to people of each language.
"""

from __future__ import annotations

import datetime
import functools
import random
import unicodedata
from collections.abc import Callable
from typing import Literal

from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.pairs import Pair

__all__ = ["builtin_pairs", "phrase_pair"]

LANGUAGES = ("en", "de")
PHRASES = 24_000
SKELETONS = ("yMMMM", "yMEd", "GyMMM", "MMMEd", "MMMMd", "yQQQQ", "yw", "MMMMW")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "PLN", "CZK", "DKK", "CAD")
UNITS = [
    "length-kilometer",
    "length-meter",
    "length-centimeter",
    "length-millimeter",
    "length-mile",
    "length-foot",
    "length-inch",
    "mass-kilogram",
    "mass-gram",
    "mass-ounce",
    "mass-pound",
    "volume-liter",
    "volume-milliliter",
    "volume-cup",
    "area-square-meter",
    "area-square-kilometer",
    "area-hectare",
    "duration-second",
    "duration-minute",
    "duration-hour",
    "duration-day",
    "duration-week",
    "duration-month",
    "duration-year",
    "temperature-celsius",
    "speed-kilometer-per-hour",
    "speed-meter-per-second",
    "speed-mile-per-hour",
    "power-watt",
    "power-kilowatt",
    "energy-kilowatt-hour",
    "energy-joule",
    "digital-byte",
    "digital-megabyte",
    "digital-gigabyte",
    "frequency-hertz",
    "frequency-megahertz",
    "pressure-hectopascal",
    "angle-degree",
    "electric-volt",
]
Period = Literal["second", "minute", "hour", "day", "week"]
PERIODS: dict[Period, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 7 * 86_400}


@functools.cache
def builtin_pairs() -> list[Pair]:
    """24,000 different English phrases and their German translations, the same on every machine.

    Raises:
        DataError: Babel is not installed.
    """
    try:
        import babel  # noqa: F401
    except ImportError:
        raise DataError("builtin", "needs the package babel", "pip install rnnapps[samples]") from None
    generator = random.Random(0)
    pairs: dict[str, str] = {}
    while len(pairs) < PHRASES:
        pair = phrase_pair(generator)
        pairs.setdefault(pair.source, pair.target)
    return [Pair(source, target) for source, target in pairs.items()]


def phrase_pair(generator: random.Random) -> Pair:
    """A random phrase in both languages, or two joined by "and"."""
    from babel.lists import format_list

    parts = [_KINDS[generator.randrange(len(_KINDS))](generator) for _ in range(1 + (generator.random() < 0.3))]
    texts = ([write(language) for write in parts] for language in LANGUAGES)
    joined = (format_list(own, locale=language) for own, language in zip(texts, LANGUAGES, strict=True))
    return Pair(*(" ".join(unicodedata.normalize("NFKC", text).split()) for text in joined))


Writer = Callable[[str], str]


def _moment(generator: random.Random) -> datetime.datetime:
    """A random minute of the years 1950 to 2049."""
    start = datetime.datetime(1950, 1, 1)
    return start + datetime.timedelta(minutes=generator.randrange(100 * 365 * 24 * 60))


def _number(generator: random.Random) -> float:
    """A random number of one to six digits, some with decimals."""
    largest = 10 ** generator.randint(1, 6)
    decimals = generator.choice((0, 0, 1, 2))
    return round(generator.uniform(0, largest), decimals) if decimals else generator.randrange(largest)


def _date(generator: random.Random) -> Writer:
    from babel.dates import format_date

    moment, form = _moment(generator), generator.choice(("short", "medium", "long", "full"))
    if moment.month == 5 and form == "medium":
        form = "long"  # in English both are the same in May
    return lambda language: format_date(moment, form, locale=language)


def _part_of_date(generator: random.Random) -> Writer:
    from babel.dates import format_skeleton

    moment, skeleton = _moment(generator), generator.choice(SKELETONS)
    return lambda language: format_skeleton(skeleton, moment, locale=language)


def _time(generator: random.Random) -> Writer:
    from babel.dates import format_time

    moment, form = _moment(generator), generator.choice(("short", "medium"))
    return lambda language: format_time(moment.time(), form, locale=language)


def _moment_text(generator: random.Random) -> Writer:
    from babel.dates import format_datetime

    moment, form = _moment(generator), generator.choice(("short", "medium"))
    return lambda language: format_datetime(moment, form, locale=language)


def _span(generator: random.Random) -> Writer:
    from babel.dates import format_interval

    first = _moment(generator).date()
    last = first + datetime.timedelta(days=generator.randint(1, 60))
    return lambda language: format_interval(first, last, "yMMMd", locale=language)


def _distance(generator: random.Random) -> Writer:
    from babel.dates import format_timedelta

    unit, seconds = generator.choice(list(PERIODS.items()))
    delta = datetime.timedelta(seconds=seconds * generator.choice((-1, 1)) * generator.randint(1, 99))
    return lambda language: format_timedelta(
        delta, granularity=unit, threshold=1000, add_direction=True, locale=language
    )


def _amount(generator: random.Random) -> Writer:
    from babel.numbers import format_currency

    value, currency = _number(generator), generator.choice(CURRENCIES)
    forms: tuple[Literal["standard", "name"], ...] = ("standard", "name")
    form = generator.choice(forms)
    return lambda language: format_currency(value, currency, format_type=form, locale=language)


def _share(generator: random.Random) -> Writer:
    from babel.numbers import format_percent

    value = generator.randint(0, 1000) / 100
    return lambda language: format_percent(value, locale=language)


def _measure(generator: random.Random) -> Writer:
    from babel.units import format_unit

    value, unit = _number(generator), generator.choice(UNITS)
    lengths: tuple[Literal["short", "long"], ...] = ("short", "long", "long")
    length = generator.choice(lengths)
    if format_unit(value, unit, length="short", locale="en") == format_unit(value, unit, length="long", locale="en"):
        length = "long"
    return lambda language: format_unit(value, unit, length=length, locale=language)


_KINDS = (
    _date,
    _date,
    _part_of_date,
    _time,
    _moment_text,
    _span,
    _distance,
    _amount,
    _amount,
    _share,
    _measure,
    _measure,
)
