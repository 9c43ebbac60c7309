"""Strings of clips of one speaker: which clips follow each other, with which pauses, drawn once from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.types import Array

__all__ = ["ClipStrings", "draw_strings", "join_utterances"]

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.3
NOISE_FRAME_SECONDS = 0.01


@dataclass(frozen=True)
class ClipStrings:
    """Strings of clips.

    Attributes:
        clips: for each string the numbers of its clips, in order.
        pauses: for each string the samples of silence behind each clip but the last.
    """

    clips: tuple[tuple[int, ...], ...]
    pauses: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.clips)


def draw_strings(
    speakers: Sequence[str], *, minimum: int, maximum: int, passes: int, sample_rate_hz: int, seed: int
) -> ClipStrings:
    """Deals all clips of each speaker into strings, several times, each time in another order.

    Args:
        speakers: speaker of each clip.
        minimum: clips of a string, at least; a speaker with fewer gives strings of all they have.
        maximum: the same, at most.
        passes: how often every clip occurs.
        sample_rate_hz: for the pauses, which last 0.02 to 0.3 s.
        seed: chooses everything.
    """
    random = np.random.default_rng(seed)
    if maximum == 1:
        singles = tuple((number,) for number in range(len(speakers)))
        return ClipStrings(singles, ((),) * len(singles))
    clips: list[tuple[int, ...]] = []
    for speaker in sorted(set(speakers)):
        own = np.flatnonzero([name == speaker for name in speakers])
        for _ in range(passes):
            order = random.permutation(own).tolist()
            while order:
                size = int(random.integers(minimum, maximum + 1))
                if len(order) - size < minimum:
                    size = len(order)
                clips += [tuple(part) for part in _within(order[:size], maximum)]
                order = order[size:]
    low, high = (round(seconds * sample_rate_hz) for seconds in (SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
    pauses = tuple(tuple(random.integers(low, high + 1, len(string) - 1).tolist()) for string in clips)
    return ClipStrings(tuple(clips), pauses)


def _within(clips: list[int], maximum: int) -> list[list[int]]:
    """The clips in one string, or two of about the same size where they are more than the most."""
    if len(clips) <= maximum:
        return [clips]
    half = len(clips) // 2
    return [clips[:half], clips[half:]]


def join_utterances(utterances: Sequence[Utterance], pauses: Sequence[int], sample_rate_hz: int) -> Utterance:
    """One utterance of several; pauses hold noise as loud as the quietest hundredth of a second of their neighbours."""
    if len(utterances) == 1:
        return utterances[0]
    parts: list[Array] = [utterances[0].samples]
    for number, (pause, following) in enumerate(zip(pauses, utterances[1:], strict=True)):
        level = min(_quietest(clip.samples, sample_rate_hz) for clip in utterances[number : number + 2])
        noise = np.random.default_rng((pause, following.size)).normal(0.0, max(level, 0.5), pause)
        parts += [np.round(noise).astype(np.int16), following.samples]
    return Utterance(
        np.concatenate(parts),
        " ".join(clip.transcript for clip in utterances),
        utterances[0].speaker,
        " + ".join(clip.name for clip in utterances),
    )


def _quietest(samples: Array, sample_rate_hz: int) -> float:
    """Root mean square of the quietest tenth of short frames."""
    size = max(1, round(NOISE_FRAME_SECONDS * sample_rate_hz))
    count = max(1, len(samples) // size)
    frames = np.resize(samples, count * size).reshape(count, size).astype(np.float64)
    return float(np.quantile(np.sqrt((frames**2).mean(axis=1)), 0.1))
