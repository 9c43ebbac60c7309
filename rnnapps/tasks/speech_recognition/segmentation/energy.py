"""When somebody speaks, by loudness alone: the baseline of voice activity detection."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.speech_recognition.segmentation.activity import FRAMES_A_SECOND
from rnnapps.types import Array

__all__ = ["EnergyActivity", "frame_decibels"]

SMOOTHED_FRAMES = 5
FLOOR_QUANTILE, PEAK_QUANTILE = 0.1, 0.95
WIDEST_DECIBELS = 50.0
"""The floor is at most so far below the peaks, so that noise between stretches of digital silence is no speech."""

SILENT_POWER = 1e-10
"""Added to the power: -100 dB of full scale."""


class EnergyActivity:
    """Scores frames by their loudness above a floor that adapts: decibels over a threshold between floor and peaks.

    With f and p the tenth and the 95th percentile of the levels of half a minute, the threshold is
    f + max(share (p - f), least).

    Args:
        sample_rate_hz: of the sound.
        share: of the distance from floor to peaks.
        least_decibels: of a threshold above the floor.
    """

    def __init__(self, sample_rate_hz: int, *, share: float = 0.25, least_decibels: float = 4.0) -> None:
        self.frame = sample_rate_hz // FRAMES_A_SECOND
        self.share, self.least_decibels = share, least_decibels

    def __call__(self, before: Array, stretch: Array, behind: Array) -> Array:
        """Decibels above the threshold of each frame of a stretch, float32 `(frames,)`; see `Activity`."""
        first = len(before) // self.frame
        levels = frame_decibels(np.concatenate([before, stretch, behind]), self.frame)
        floor, peak = np.quantile(levels, (FLOOR_QUANTILE, PEAK_QUANTILE))
        floor = max(floor, peak - WIDEST_DECIBELS)
        threshold = floor + max(self.share * (peak - floor), self.least_decibels)
        scores: Array = (levels[first : first - (-len(stretch) // self.frame)] - threshold).astype(np.float32)
        return scores


def frame_decibels(samples: Array, frame: int) -> Array:
    """Level of each frame and its neighbours together, decibels of full scale, float64 `(frames,)`.

    Args:
        samples: float32 `(samples,)`; the last frame may be shorter.
        frame: samples of a frame.
    """
    count = -(-len(samples) // frame)
    squares = np.zeros(count * frame)
    squares[: len(samples)] = samples.astype(np.float64) ** 2
    power = squares.reshape(count, frame).mean(axis=1)
    reach = SMOOTHED_FRAMES // 2
    window = np.ones(SMOOTHED_FRAMES)
    total = np.convolve(power, window)[reach : reach + count]
    inside = np.convolve(np.ones(count), window)[reach : reach + count]
    return 10 * np.log10(total / inside + SILENT_POWER)
