"""After how many rows series repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.data.series.series import Series
from rnnapps.types import Array

__all__ = ["found_season"]

MOST_ROWS = 1 << 15
LEAST_LIKENESS = 0.3
"""Autocorrelation that a period must have; that of chance is about 1 over the root of the rows."""

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


def _period(values: Array) -> int:
    """The period of one column; 0 for none."""
    present = np.isfinite(values)
    if present.sum() < 4 * TIMES_SEEN or present.mean() < 0.5:
        return 0
    filled = np.interp(np.arange(len(values)), np.flatnonzero(present), values[present])
    changes = np.diff(filled)
    # Of changes from row to row a shift of level is one alone, whose size is cut to that of the others.
    changes = np.clip(changes, *np.percentile(changes, (1, 99)))
    return _first_peak(filled) or _first_peak(changes)


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
