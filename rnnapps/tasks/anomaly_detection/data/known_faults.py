"""Entities whose fault is known already are not judged again: labels come late, but they come."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.types import Array

__all__ = ["days_of", "known_left_out"]


def days_of(series: Series) -> Array:
    """The number of the day of each row by the clock of the series, int `(rows,)`."""
    assert series.times is not None
    local = series.times
    if series.timezone != "UTC":  # a conversion for each of thousands of entities takes seconds
        local = pd.DatetimeIndex(local, tz="UTC").tz_convert(series.timezone).tz_localize(None).to_numpy()
    days: Array = local.astype("datetime64[D]").astype(np.int64)
    return days


def known_left_out(part: SeriesPart, delay_days: int | None) -> SeriesPart:
    """The part without labels from the day on which a fault of the entity is known.

    The label of a day's row is known `delay_days` days after that day: an entity with a fault on day 3 is judged on
    day 10 for the last time if labels take 7 days.

    Args:
        part: its labels are -1 where they do not count.
        delay_days: None leaves it as it is.
    """
    labels = part.series.labels
    if delay_days is None or labels is None or part.series.times is None or not (labels > 0).any():
        return part
    days = days_of(part.series)
    known = days > days[labels > 0].min() + delay_days
    return dataclasses.replace(part, series=dataclasses.replace(part.series, labels=np.where(known, -1, labels)))
