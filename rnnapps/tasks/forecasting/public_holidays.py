"""Public holidays and working days of a country as tables, so that a graph can look days up."""

from __future__ import annotations

import datetime
import difflib
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.types import Tensor

__all__ = ["COLUMNS", "PublicHolidays"]

FIRST_YEAR, LAST_YEAR = 1950, 2080
"""Other years have no holidays."""
COLUMNS = ("holiday", "holiday the day before", "holiday the day after", "working day")
EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class PublicHolidays:
    """Days of a place, as days since 1970.

    Attributes:
        place: a country of ISO 3166-1 and perhaps a part of it: DE, DE-BY, US-CA.
        days: public holidays, ascending.
        weekend: weekdays that are free, from 0 for Monday on.
        others: days on which it is otherwise, ascending: weekends that are worked, or were when they were others.
    """

    place: str
    days: tuple[int, ...]
    weekend: tuple[int, ...]
    others: tuple[int, ...]

    @classmethod
    def of(cls, place: str) -> PublicHolidays:
        """Looks a place up in the tables of the package `holidays`.

        Raises:
            ConfigError: the package is missing, or does not know the place.
        """
        try:
            import holidays
        except ModuleNotFoundError as error:
            message = f"model.holidays {place}: needs the package holidays; install it: pip install 'rnnapps[holidays]'"
            raise ConfigError(message) from error
        country, _, part = place.upper().partition("-")
        known = holidays.list_supported_countries()
        if country not in known:
            raise ConfigError(f"model.holidays: there is no country {country!r}; {_near(country, list(known))}")
        names = {name.upper(): name for name in known[country]}
        if part and part not in names:
            raise ConfigError(f"model.holidays: {country} has no part {part!r}; {_near(part, list(known[country]))}")
        found = holidays.country_holidays(country, subdiv=names.get(part), years=range(FIRST_YEAR, LAST_YEAR + 1))
        every = range(_number(datetime.date(FIRST_YEAR, 1, 1)), _number(datetime.date(LAST_YEAR, 12, 31)) + 1)
        dates = ((number, EPOCH + datetime.timedelta(number)) for number in every)
        others = [
            number
            for number, date in dates
            if found.is_working_day(date) != (date.weekday() not in found.weekend and date not in found)
        ]
        return cls(place, tuple(sorted(map(_number, found))), tuple(sorted(found.weekend)), tuple(others))

    def encode(self, days: Tensor) -> Tensor:
        """Days since 1970, int64 `(...)` -> 1 or 0 for each of `COLUMNS`, float32 `(..., 4)`."""
        today, before, after = (_among(days + shift, self.days) for shift in (0, -1, 1))
        weekday = (days + 3) % 7  # 1970 began on a Thursday
        free = tf.reduce_any(weekday[..., None] == tf.constant(self.weekend, tf.int64, shape=(len(self.weekend),)), -1)
        working = tf.math.logical_xor(~free & ~today, _among(days, self.others))
        return tf.cast(tf.stack([today, before, after, working], axis=-1), tf.float32)

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        lists = {"days": list(self.days), "weekend": list(self.weekend), "others": list(self.others)}
        return {"place": self.place, **lists}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PublicHolidays:
        """Restores what `as_json` gave, whatever the package's tables say by then."""
        return cls(str(content["place"]), *(tuple(content[name]) for name in ("days", "weekend", "others")))


def _among(days: Tensor, table: tuple[int, ...]) -> Tensor:
    """Whether days, int64 `(...)`, are in an ascending table."""
    if not table:
        return tf.zeros_like(days, tf.bool)
    flat, known = tf.reshape(days, [-1]), tf.constant(table, tf.int64)
    places = tf.minimum(tf.searchsorted(known, flat), len(table) - 1)
    return tf.reshape(tf.gather(known, places) == flat, tf.shape(days))


def _number(day: datetime.date) -> int:
    """Days since 1970."""
    return (day - EPOCH).days


def _near(name: str, known: list[str]) -> str:
    """What may have been meant."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known[:12]
    return f"expected such as {', '.join(near)}" if near else "leave the part out"
