"""Sampling one sequence chunk by chunk, for output that appears while it is generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import Progress, StepFunction, advance, begin
from rnnapps.types import Array, Tensor

__all__ = ["stream"]


def stream(
    step: StepFunction,
    states: Sequence[Tensor],
    first_logits: Tensor,
    rules: Rules,
    *,
    length: int,
    chunk_steps: int = 16,
) -> Iterator[Array]:
    """Yields pieces that together are exactly the ids `sampling.generate` returns for the same arguments.

    Ids that may be the beginning of the stop sequence are held back until that is decided.

    Args:
        step: as in `sampling.generate`.
        states: states of one row after the prompt.
        first_logits: logits `(1, vocabulary)` after the prompt.
        rules: how to sample, for one row.
        length: ids wanted.
        chunk_steps: ids drawn between two pieces.

    Yields:
        int32 `(piece,)`, not empty.
    """
    stop = [] if rules.stop is None else np.asarray(rules.stop)[0, : int(rules.stop_lengths[0])].tolist()
    chunk = tf.function(lambda progress: advance(step, progress, rules, steps=chunk_steps), autograph=False)
    progress = begin(states, first_logits, rules, length=tf.constant([length]))
    held: list[int] = []
    while not _ended(progress):
        drawn_before = int(progress.position)
        ids, progress = chunk(progress)
        new = np.asarray(ids)[0, : int(progress.limit[0]) - drawn_before].tolist()
        held += new
        if bool(progress.stopped[0]):
            held = held[: len(held) - len(stop)]
        keep = 0 if _ended(progress) else _possible_stop(held, stop)
        piece, held = held[: len(held) - keep], held[len(held) - keep :]
        if piece:
            yield np.array(piece, np.int32)


def _ended(progress: Progress) -> bool:
    """Whether all ids that were wanted are drawn."""
    return int(progress.position) >= int(progress.limit[0])


def _possible_stop(ids: list[int], stop: list[int]) -> int:
    """Length of the longest end of `ids` that is a beginning of `stop`."""
    longest = min(len(ids), max(len(stop) - 1, 0))
    return next((size for size in range(longest, 0, -1) if ids[-size:] == stop[:size]), 0)
