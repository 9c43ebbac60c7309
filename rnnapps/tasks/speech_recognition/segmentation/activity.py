"""What finds out when somebody speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from rnnapps.types import Array

__all__ = ["FRAMES_A_SECOND", "STRETCH_FRAMES", "Activity", "reblocked", "scored_stretches"]

FRAMES_A_SECOND = 100
STRETCH_FRAMES = 1000

Activity: TypeAlias = Callable[[Array, Array, Array], Array]
"""Of the stretch before, a stretch and the one behind it, float32 `(samples,)` each, the scores of the frames of the
one in the middle, float32 `(frames,)`: above 0 where somebody speaks, and the lower the likelier nobody does."""


def scored_stretches(blocks: Iterable[Array], activity: Activity, sample_rate_hz: int) -> Iterator[tuple[Array, Array]]:
    """The sound in stretches of ten seconds, float32 `(samples,)`, and the scores of their frames, float32 `(frames,)`.

    What is before and behind a stretch counts as well, so that sound is held for twenty seconds.

    Args:
        blocks: float32 `(samples,)` each, of any sizes.
        activity: scores stretches.
        sample_rate_hz: of the sound.
    """
    nothing = np.zeros(0, np.float32)
    before, now = nothing, nothing
    for behind in reblocked(blocks, STRETCH_FRAMES * (sample_rate_hz // FRAMES_A_SECOND)):
        if len(now):
            yield now, activity(before, now, behind)
        before, now = now, behind
    if len(now):
        yield now, activity(before, now, nothing)


def reblocked(blocks: Iterable[Array], size: int) -> Iterator[Array]:
    """The same samples in blocks of one size, but for the last, which may be shorter."""
    held: list[Array] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count >= size:
            whole = np.concatenate(held)
            for first in range(0, count - size + 1, size):
                yield whole[first : first + size]
            held, count = [whole[count - count % size :]], count % size
    if count:
        yield np.concatenate(held)
