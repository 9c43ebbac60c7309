"""A time zone's clock inside the graph: local time through the changes to and from summer time."""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["LocalClock", "clock_changes"]

DAY = 86_400
FIRST_YEAR, LAST_YEAR = 1900, 2100


@dataclass(frozen=True)
class LocalClock:
    """A time zone's clock as arrays, so that a graph can read it.

    Attributes:
        timezone: its name.
        changes: moments at which its distance from UTC changes, Unix seconds, ascending.
        offsets: seconds ahead of UTC before the first change, and from each change on.
    """

    timezone: str
    changes: tuple[int, ...]
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, timezone: str) -> LocalClock:
        """Reads the changes from 1900 to 2100 from the system's time zone tables."""
        return LocalClock(timezone, *clock_changes(timezone))

    def local(self, seconds: Tensor) -> Tensor:
        """Unix seconds, int64 of any shape -> seconds of the local clock since its 1970."""
        # The number of changes so far is the number of the stretch of equal offset that a moment lies in.
        flat = tf.reshape(seconds, [-1])
        stretch = tf.searchsorted(tf.constant(self.changes, tf.int64, shape=(len(self.changes),)), flat, side="right")
        return seconds + tf.reshape(tf.gather(tf.constant(self.offsets, tf.int64), stretch), tf.shape(seconds))

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"timezone": self.timezone, "changes": list(self.changes), "offsets": list(self.offsets)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> LocalClock:
        """Restores what `as_json` gave, whatever the system's tables say by then."""
        return LocalClock(str(content["timezone"]), tuple(content["changes"]), tuple(content["offsets"]))


@functools.cache
def clock_changes(timezone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Moments at which the distance from UTC changes, and the distances, see `LocalClock`.

    Found by looking at every day's first moment, and halving the day where the offset differs from the next's.
    """
    zone = zoneinfo.ZoneInfo(timezone)

    def offset(second: int) -> int:
        moment = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(seconds=second)
        return round(moment.astimezone(zone).utcoffset().total_seconds())  # type: ignore[union-attr]

    start, end = (int(np.datetime64(f"{year}-01-01", "s").astype(np.int64)) for year in (FIRST_YEAR, LAST_YEAR))
    if timezone == "UTC":
        return (), (0,)
    changes, offsets = [], [offset(start)]
    for second in range(start, end, DAY):
        after = offset(second + DAY)
        if after != offsets[-1]:
            low, high = second, second + DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            changes.append(high)
            offsets.append(after)
    return tuple(changes), tuple(offsets)
