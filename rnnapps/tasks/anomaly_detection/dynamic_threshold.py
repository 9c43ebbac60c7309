"""A nonparametric threshold that adapts to the scores around it, and the pruning of what it flags.

Source: Hundman et al. 2018, "Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic Thresholding",
arXiv:1802.04431, sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.anomaly_detection.metrics.events import Interval, intervals, merge_overlapping
from rnnapps.types import Array

__all__ = ["DynamicThreshold", "detect_dynamic", "find_epsilon", "prune", "widen"]

DEVIATIONS = tuple(np.arange(2.5, 12.0, 0.5))
MOST_SEQUENCES = 5
LARGEST_SHARE = 0.5
"""An epsilon that flags more than this many sequences or this share of a window is no threshold but a description."""


@dataclass(frozen=True)
class DynamicThreshold:
    """Settings; the defaults are those published with the paper.

    Attributes:
        window_steps: scores that a threshold is computed from.
        stride_steps: rows from one window to the next; each window judges only what it sees.
        buffer_steps: rows before and after an exceedance that belong to its event.
        pruning: least relative drop between the largest scores of events, p of the paper.
        smallest_share: an exceedance must also be above this share of the values' spread (5th to 95th percentile).
        ignored_steps: first rows of a series, which are never flagged.
        floor: the largest score of an event must also be above this one, such as the largest of normal rows.
    """

    window_steps: int = 2100
    stride_steps: int = 70
    buffer_steps: int = 100
    pruning: float = 0.13
    smallest_share: float = 0.05
    ignored_steps: int = 0
    floor: float = 0.0


def find_epsilon(scores: Array, *, buffer_steps: int = 0) -> float:
    """The threshold whose exceedances, taken away, lower mean and deviation of the scores most.

    It maximises (Δμ/μ + Δσ/σ) / (|e_a| + |E_seq|²) over ε = μ + zσ, z from 2.5 to 11.5; e_a are the flagged scores, the
    buffer's among them, E_seq their sequences.

    Args:
        scores: smoothed errors `(time,)`, none negative.
        buffer_steps: rows around an exceedance that are flagged with it.

    Returns:
        ε; when no z is better than none at all, μ + 12σ.
    """
    mean, deviation = float(scores.mean()), float(scores.std())
    best, epsilon = -np.inf, mean + 12.0 * deviation
    if not mean > 0 or not deviation > 0:
        return epsilon
    for z in DEVIATIONS:
        candidate = mean + z * deviation
        kept = scores[scores < candidate]  # what is left without the exceedances; their buffers stay in
        if len(kept) in (0, len(scores)):
            continue
        flagged = widen(scores >= candidate, buffer_steps)
        count, sequences = int(flagged.sum()), len(intervals(flagged))
        gain = (mean - kept.mean()) / mean + (deviation - kept.std()) / deviation
        value = gain / (count + sequences**2)
        # Of equally good ones the last, which is the highest, is taken.
        if value >= best and sequences <= MOST_SEQUENCES and count < LARGEST_SHARE * len(scores):
            best, epsilon = value, candidate
    return epsilon


def prune(peaks: Sequence[float], normal_peak: float, *, least_drop: float = 0.13) -> list[bool]:
    """Which events stay anomalies: those above the last drop of at least `least_drop` in the sorted peaks.

    Args:
        peaks: largest score of each event.
        normal_peak: largest score outside of all events, which ends the sorted sequence.
        least_drop: p, as a share of the higher of two neighbours.
    """
    order = np.argsort(peaks)[::-1]
    ranked = np.append(np.asarray(peaks, np.float64)[order], normal_peak)
    drops = (ranked[:-1] - ranked[1:]) / np.maximum(ranked[:-1], np.finfo(np.float64).tiny)
    # drops[i] lies between the i-th and the next peak; everything before the last large one stands out from the rest.
    large = np.flatnonzero(drops > least_drop)
    kept = np.zeros(len(peaks), bool)
    kept[order[: large[-1] + 1 if len(large) else 0]] = True
    return [bool(value) for value in kept]


def widen(flags: Array, steps: int) -> Array:
    """Flags also the `steps` rows before and after each flagged row."""
    if not steps or not flags.any():
        return flags
    # counts[i] flags lie before row i: a row is near one where the counts at both ends of its surroundings differ.
    counts = np.cumsum(np.concatenate([[0], flags.astype(np.int64)]))
    rows = np.arange(len(flags))
    return counts[np.minimum(rows + steps + 1, len(flags))] > counts[np.maximum(rows - steps, 0)]


def detect_dynamic(scores: Array, values: Array, settings: DynamicThreshold | None = None) -> list[Interval]:
    """Flags events in the scores of one series.

    Both scores that are unusually high and, mirrored at their mean, unusually low ones are looked for, as a model
    whose error vanishes has met something unusual too.

    Args:
        scores: smoothed errors `(time,)`, in the unit of the values.
        values: what was predicted `(time,)`; its spread says which errors are large enough to matter.
        settings: see `DynamicThreshold`.
    """
    settings = settings or DynamicThreshold()
    low, high = np.percentile(values, [5, 95])
    smallest = settings.smallest_share * float(high - low)
    events: list[Interval] = []
    for start, stop in _windows(len(scores), settings):
        window, ignored = scores[start:stop], max(settings.ignored_steps - start, 0)
        # In a window of small and even errors the threshold, which is relative, would flag noise.
        if window.std() <= 0.05 * values.std() and window.max() <= max(smallest, 0.05):
            continue
        # Windows overlap and each judges itself: a row is flagged if it stands out in any of those that hold it.
        for mirrored in (False, True):
            errors = 2 * window.mean() - window if mirrored else window
            above = _events_of_window(errors, settings, ignored=ignored, smallest=smallest)
            events += [(start + first, start + last) for first, last in above]
    return [event for event in merge_overlapping(events) if scores[event[0] : event[1] + 1].max() > settings.floor]


def _events_of_window(errors: Array, settings: DynamicThreshold, *, ignored: int, smallest: float) -> list[Interval]:
    """The events of one window `(time,)` that survive pruning, counted from its first row."""
    epsilon = find_epsilon(errors, buffer_steps=settings.buffer_steps)
    above = (errors >= epsilon) & (errors > smallest)
    flags = widen(above, settings.buffer_steps)
    flags[:ignored] = False
    events = intervals(flags)
    if not events:
        return []
    outside = errors[~flags]
    peaks = [float(errors[first : last + 1].max()) for first, last in events]
    kept = prune(peaks, float(outside.max()) if len(outside) else 0.0, least_drop=settings.pruning)
    return [event for event, keep in zip(events, kept, strict=True) if keep]


def _windows(length: int, settings: DynamicThreshold) -> list[tuple[int, int]]:
    """First row and end of each window; the last one ends with the series."""
    last = max(length - settings.window_steps, 0)
    starts = [*range(0, last, settings.stride_steps), last]
    return [(start, min(start + settings.window_steps, length)) for start in starts]
