"""What a person should know of the moments at which series are split."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.series import Series, deciding_frequencies

__all__ = ["split_notes", "tell_notes"]

SHOWN = 3


def tell_notes(series: Sequence[Series], config: SeriesDataConfig) -> None:
    """Prints to standard error what was noticed while series were read, and what there is to know of their split.

    A note that several series share is printed once, with the first of them.

    Args:
        series: those that are split.
        config: how they were read and are split.
    """
    shared: dict[str, list[Series]] = {}
    for one_series in series:
        for note in one_series.notes:
            shared.setdefault(note, []).append(one_series)
    for note, noted in shared.items():
        more = f" and {len(noted) - 1:,} more" if len(noted) > 1 else ""
        print(f"{noted[0].source}, series {noted[0].name!r}{more}: {note}", file=sys.stderr)
    for note in split_notes(series, config):
        print(f"{config.source}: {note}", file=sys.stderr)


def split_notes(series: Sequence[Series], config: SeriesDataConfig) -> list[str]:
    """Tells where series are not split at the same moments, and which are too short for a training row and a test row.

    Args:
        series: those that are split.
        config: how.
    """
    notes = []
    timed = all(each.times is not None for each in series)
    frequencies = deciding_frequencies(series)
    if timed and len(series) > 1 and len(frequencies) > 1 and not (config.validation_from or config.test_rows):
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
