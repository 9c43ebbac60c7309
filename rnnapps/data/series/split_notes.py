"""What a person should know of the moments at which series are split."""

from __future__ import annotations

from collections.abc import Sequence

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.series import Series, deciding_frequencies

__all__ = ["split_notes"]

SHOWN = 3


def split_notes(series: Sequence[Series], config: SeriesDataConfig) -> list[str]:
    """Tells where series are not split at the same moments, and which are too short for a training row and a test row.

    Args:
        series: those that are split.
        config: how.
    """
    notes = []
    timed = all(each.times is not None for each in series)
    frequencies = deciding_frequencies(series)
    if timed and len(series) > 1 and len(frequencies) > 1 and not config.validation_from:
        told = ", ".join(sorted(str(each) for each in frequencies))
        notes.append(
            f"series are {told} apart, so each is split at shares of its own rows: one may train on days that another "
            "is tested on (--data.validation_from and --data.test_from split all at the same moments)"
        )
    short = [each.name for each in series if len(each) == 1]
    if short and len(series) > 1:
        names = ", ".join(map(repr, short[:SHOWN])) + (", ..." if len(short) > SHOWN else "")
        notes.append(f"{len(short):,} of {len(series):,} series have a single row ({names})")
    return notes
