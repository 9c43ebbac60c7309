"""After how many rows series repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.data.series.series import Series
from rnnapps.types import Array

__all__ = ["found_season", "found_seasons"]

MOST_ROWS = 1 << 15
LEAST_LIKENESS = 0.3
"""Autocorrelation that a period must have; that of chance is about 1 over the root of the rows."""

STANDS_OUT = 0.05
"""By how much a multiple of a period must be more alike than those beside it, to be a period of its own."""

HALF_ALIKE = 0.5
"""Autocorrelation that a part of a period must have, to be a period of its own."""

TIMES_SEEN = 3
"""How often a period must be seen at least."""


def found_season(series: Sequence[Series]) -> int:
    """The period of the longest series, in rows: the first that is followed by as good a peak of autocorrelation.

    Returns:
        0 where there is none, of 2 rows or more that is seen three times.
    """
    longest = max(series, key=len)
    if not longest.channels:
        return 0
    votes = [_period(longest.values[-MOST_ROWS:, place]) for place in range(len(longest.channels))]
    found = [vote for vote in votes if vote]
    return max(set(found), key=lambda vote: (found.count(vote), -vote)) if len(found) * 2 >= len(votes) else 0


def found_seasons(series: Sequence[Series]) -> tuple[int, int]:
    """A period, and a longer one beside it, such as the week of what has a rhythm of days.

    Returns:
        Zeros where there are none. One of them is that of `found_season`; the other is its first multiple at which more
        than half of the columns of the longest series are more like themselves than at the multiples beside it, or,
        without one, the least part of it at which so many are half like themselves.
    """
    season, longest = found_season(series), max(series, key=len)
    columns = (
        [_likeness(longest.values[-MOST_ROWS:, place]) for place in range(len(longest.channels))] if season else []
    )
    longer, part = (_most_found([find(own, season) for own in columns]) for find in (_multiple, _part))
    return (season, longer) if longer or not part else (part, season)


def _most_found(votes: Sequence[int]) -> int:
    """What most columns say, 0 where most find nothing."""
    found = [vote for vote in votes if vote]
    return max(set(found), key=lambda vote: (found.count(vote), -vote)) if len(found) * 2 > len(votes) else 0


def _likeness(values: Array) -> Array:
    """Autocorrelation of a column at the distances that are seen often enough; empty where too little is there."""
    filled = _filled(values)
    return _autocorrelation(filled)[: len(filled) // TIMES_SEEN] if len(filled) else filled


def _multiple(likeness: Array, season: int) -> int:
    """The first multiple of a period that stands out; 0 for none."""
    alike = likeness[season::season]  # at 1, 2, 3... periods
    inner = alike[1:-1]
    out = np.flatnonzero((inner > np.maximum(alike[:-2], alike[2:]) + STANDS_OUT) & (inner >= LEAST_LIKENESS))
    return int(out[0] + 2) * season if len(out) else 0


def _part(likeness: Array, season: int) -> int:
    """The least part of a period at which a column is half like itself, and more so than a row less or more away."""
    for part in range(2, min(season // 2, len(likeness) - 2) + 1):
        if season % part == 0 and likeness[part] >= max(HALF_ALIKE, *likeness[[part - 1, part + 1]]):
            return part
    return 0


def _period(values: Array) -> int:
    """The period of one column; 0 for none."""
    filled = _filled(values)
    if not len(filled):
        return 0
    changes = np.diff(filled)
    # Of changes from row to row a shift of level is one alone, whose size is cut to that of the others.
    changes = np.clip(changes, *np.percentile(changes, (1, 99)))
    return _first_peak(filled) or _first_peak(changes)


def _filled(values: Array) -> Array:
    """A column without gaps, lines drawn over them; empty where too little is there."""
    present = np.isfinite(values)
    if present.sum() < 4 * TIMES_SEEN or present.mean() < 0.5:
        return np.zeros(0)
    return np.interp(np.arange(len(values)), np.flatnonzero(present), values[present])


def _first_peak(values: Array) -> int:
    """The first distance at which a column is about as much like itself as at any; 0 for none."""
    likeness = _autocorrelation(values)
    most = len(values) // TIMES_SEEN
    inner = likeness[1:most]
    peaks = np.flatnonzero((inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:])) + 2
    peaks = peaks[likeness[peaks] >= LEAST_LIKENESS]
    if not len(peaks):
        return 0
    # Of a period its multiples are peaks too, a little lower; the first that is nearly as high as any is the period.
    near = peaks[likeness[peaks] >= likeness[peaks].max() - 0.1]
    return int(near[0])


def _autocorrelation(values: Array) -> Array:
    """Correlation of a column, its straight line taken out, with itself so many rows later `(rows,)`."""
    steps = np.arange(len(values))
    level = values - np.polyval(np.polyfit(steps, values, 1), steps)
    if not level.any() or np.ptp(level) < 1e-9 * max(float(np.abs(values).max()), 1e-300):
        return np.zeros(len(values))
    size = 1 << int(2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(level, size)
    raw = np.fft.irfft(spectrum * np.conj(spectrum), size)[: len(values)]
    pairs = np.arange(len(values), 0, -1)
    return np.asarray((raw / pairs) / (raw[0] / len(values)))
