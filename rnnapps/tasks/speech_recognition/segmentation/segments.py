"""Pieces of a recording of any length, none longer than a bound: between pauses, or cut blindly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.speech_recognition.segmentation.activity import (
    FRAMES_A_SECOND,
    Activity,
    reblocked,
    scored_stretches,
)
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig
from rnnapps.types import Array

__all__ = ["Segment", "between_pauses", "blind_windows"]

PADDED_FRAMES = 2
"""Of what surrounds speech and stays with it: few, as in the clips that recognisers learn from."""

SHORTEST_FRAMES = 3
"""Of speech; what is shorter is a click."""

QUIET_FRAMES = 9
"""Over which the mean score decides where a segment that is too long is cut."""


@dataclass(frozen=True)
class Segment:
    """A piece of a recording.

    Attributes:
        start: its first sample in the recording.
        samples: float32 `(samples,)` of full scale 1.
    """

    start: int
    samples: Array


def blind_windows(blocks: Iterable[Array], config: SegmentationConfig, sample_rate_hz: int) -> Iterator[Segment]:
    """Windows of the longest length, one behind the other, whatever is said where one ends."""
    size = round(config.longest_seconds * sample_rate_hz)
    return (Segment(number * size, window) for number, window in enumerate(reblocked(blocks, size)))


def between_pauses(
    blocks: Iterable[Array], activity: Activity, config: SegmentationConfig, sample_rate_hz: int
) -> Iterator[Segment]:
    """What is said between pauses; where there is none for too long, it is cut where the later half is quietest.

    What is not said is left out. However the sound comes in blocks, the segments are the same.

    Args:
        blocks: the recording, float32 `(samples,)` each.
        activity: tells speech from what is none.
        config: longest segment and shortest pause.
        sample_rate_hz: of the sound.
    """
    held = _Held(config, sample_rate_hz // FRAMES_A_SECOND)
    for samples, scores in scored_stretches(blocks, activity, sample_rate_hz):
        held.add(samples, scores)
        while (segment := held.take()) is not None:
            yield segment
    held.ended = True
    while (segment := held.take()) is not None:
        yield segment


class _Held:
    """The part of a recording of which no segment is made yet: at most the longest segment and a stretch.

    Args:
        config: longest segment and shortest pause.
        frame: samples of a frame.

    Attributes:
        ended: whether the recording ends with what is held.
    """

    def __init__(self, config: SegmentationConfig, frame: int) -> None:
        self.frame, self.ended = frame, False
        self._longest = max(1, round(config.longest_seconds * FRAMES_A_SECOND))
        self._pause = max(1, round(config.pause_seconds * FRAMES_A_SECOND))
        self._padded = min(PADDED_FRAMES, self._pause // 2)
        self._samples, self._scores, self._start = np.zeros(0, np.float32), np.zeros(0, np.float32), 0

    def add(self, samples: Array, scores: Array) -> None:
        """Takes a further stretch: float32 `(samples,)`, and the scores of its frames `(frames,)`."""
        self._samples = np.concatenate([self._samples, samples])
        self._scores = np.concatenate([self._scores, scores])

    def take(self) -> Segment | None:
        """The next segment, where all of it is known."""
        while len(spoken := np.flatnonzero(self._scores > 0)):
            first, end = int(spoken[0]), self._end_of_speech(spoken)
            begin = max(0, first - self._padded)
            stop = len(self._scores) if end is None else min(end + self._padded, len(self._scores))
            if end is None and stop - begin < self._longest:
                self._drop(begin)
                return None
            if end is None or stop - begin > self._longest:
                return self._cut(begin, self._quietest(begin))
            if end - first >= SHORTEST_FRAMES:
                return self._cut(begin, stop)
            self._drop(end)
        self._drop(max(0, len(self._scores) - self._padded))
        return None

    def _end_of_speech(self, spoken: Array) -> int | None:
        """The frame behind the first speech, which a pause follows; None where that is not known yet."""
        gaps = np.flatnonzero(np.diff(spoken) > self._pause)
        if len(gaps):
            return int(spoken[gaps[0]]) + 1
        end = int(spoken[-1]) + 1
        return end if self.ended or len(self._scores) - end >= self._pause else None

    def _quietest(self, begin: int) -> int:
        """Where a segment that is too long is cut: a frame of the later half of what it may hold."""
        window = np.ones(QUIET_FRAMES)
        scores, counts = (np.convolve(v, window, mode="same") for v in (self._scores, np.ones(len(self._scores))))
        first = begin + max(1, self._longest // 2)
        return first + int(np.argmin((scores / counts)[first : begin + self._longest + 1]))

    def _cut(self, begin: int, stop: int) -> Segment:
        """The segment from one frame to another; it and what is before are held no longer."""
        samples = self._samples[begin * self.frame : stop * self.frame]
        segment = Segment(self._start + begin * self.frame, samples.copy())
        self._drop(stop)
        return segment

    def _drop(self, frames: int) -> None:
        """Forgets the first frames."""
        self._samples, self._scores = self._samples[frames * self.frame :], self._scores[frames:]
        self._start += frames * self.frame
