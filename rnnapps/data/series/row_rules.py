"""How the rows of a stream are written and follow each other: as those that a model was trained on."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency, parse_frequency

__all__ = ["RowRules"]


@dataclass(frozen=True)
class RowRules:
    """What a model says of the rows it reads.

    Attributes:
        config: the settings that tables are read with.
        channels: the columns it reads.
        known: how the cells of the training data were written, see `Series.rules`.
        needs_time: whether it cannot do without times.
        longest_gap: missing rows that are filled in, of those before a row; what lies further back does not matter.
        step: distance of the rows; None takes what is known of the training data.
    """

    config: SeriesDataConfig
    channels: tuple[str, ...]
    known: Mapping[str, str] = field(default_factory=dict)
    needs_time: bool = False
    longest_gap: int = 0
    step: Frequency | None = None

    @functools.cached_property
    def frequency(self) -> Frequency | None:
        """Distance of the rows; None where they have none."""
        if self.config.irregular == "keep":
            return None
        return self.step or (parse_frequency(self.known["frequency"]) if self.known.get("frequency") else None)

    @property
    def time_format(self) -> str:
        """Of the times, as a setting says or as it was found; "" for ISO 8601, and Unix times of this century."""
        return self.config.time_format or self.known.get("time_format", "")
