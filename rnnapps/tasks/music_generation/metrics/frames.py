"""Negative log-likelihood and accuracy of piano-roll frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor, Tensors

__all__ = ["Apply", "FrameScore", "best_threshold", "frame_nats", "score_frames"]

THRESHOLDS = (0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1)
"""Probabilities above which a key may be expected; of equally good ones the first is taken."""

Apply = Callable[[Tensor, Tensor, Sequence[Tensor]], tuple[Tensor, Tensor, Sequence[Tensor]]]
"""See `score_frames`."""


@dataclass(frozen=True)
class FrameScore:
    """How well frames were predicted.

    Attributes:
        nats: negative log-likelihood summed over all keys of all scored frames.
        steps: number of scored frames.
        hits: keys that sound and were expected to.
        misjudged: keys that sound but were not expected, or the other way round.
        by_piece: nats and scored frames of each piece, in the order they were given, float64 `(pieces, 2)`.
    """

    nats: float
    steps: int
    hits: int = 0
    misjudged: int = 0
    by_piece: Array = field(default_factory=lambda: np.zeros((0, 2)))

    def metrics(self) -> dict[str, float]:
        """`nats_per_step`, and `frame_accuracy`: hits / (hits + misjudged), as Bay et al. 2009 define it."""
        accuracy = self.hits / max(self.hits + self.misjudged, 1)
        return {"nats_per_step": self.nats / self.steps, "frame_accuracy": accuracy}


def frame_nats(logits: Tensor, frames: Tensor | Array) -> Tensor:
    """Negative log-likelihood of each frame in nats `(...)`, summed over its keys, for logits `(..., keys)`."""
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=frames, logits=logits), axis=-1)


def score_frames(
    apply: Apply,
    initial_states: Callable[[int], Tensors],
    rolls: Sequence[Array],
    *,
    batch_size: int = 32,
    window_steps: int = 64,
) -> FrameScore:
    """Scores every frame of every piece but its first, each given all frames of the piece before it.

    Args:
        apply: maps (frames, next frames, both float32 `(batch, time, keys)`, states) to (logits of the next frames,
            the frames expected, 0 or 1, new states); called with one static shape.
        initial_states: states before the first frame, for a batch size.
        rolls: frames of each piece `(steps, keys)`; pieces of one frame have nothing to score.
        batch_size: pieces side by side.
        window_steps: time steps of one call.
    """
    order = np.argsort([len(roll) for roll in rolls], kind="stable")
    hits, misjudged, by_piece = 0, 0, np.zeros((len(rolls), 2))
    for first in range(0, len(order), batch_size):
        group = order[first : first + batch_size]
        frames, valid = _padded([rolls[piece] for piece in group], batch_size, window_steps)
        states: Sequence[Tensor] = initial_states(batch_size)
        for start in range(0, frames.shape[1] - 1, window_steps):
            now = slice(start, start + window_steps)
            targets = frames[:, start + 1 : start + 1 + window_steps]
            logits, expected, states = apply(tf.constant(frames[:, now]), tf.constant(targets), states)
            inside = valid[:, now]
            nats = np.asarray(frame_nats(logits, targets), np.float64)
            by_piece[group] += np.stack([(nats * inside).sum(axis=1), inside.sum(axis=1)], axis=1)[: len(group)]
            sounding = np.asarray(expected) * inside[..., None]
            hits += int((sounding * targets).sum())
            misjudged += int((np.abs(sounding - targets) * inside[..., None]).sum())
    nats_and_steps = by_piece.sum(axis=0)
    return FrameScore(float(nats_and_steps[0]), int(nats_and_steps[1]), hits, misjudged, by_piece)


def _padded(group: Sequence[Array], batch_size: int, window_steps: int) -> tuple[Array, Array]:
    """Frames behind one of silence, and which of the predicted ones count: all but a piece's first."""
    width = -(-len(group[-1]) // window_steps) * window_steps
    frames = np.zeros((batch_size, width + 1, group[0].shape[1]), np.float32)
    valid = np.zeros((batch_size, width), np.float32)
    for row, roll in enumerate(group):
        frames[row, 1 : len(roll) + 1] = roll
        valid[row, 1 : len(roll)] = 1
    return frames, valid


def best_threshold(accuracy: Callable[[float], float]) -> float:
    """The probability from which on expecting a key scores best, for the accuracy on validation pieces with each.

    Frame accuracy counts no silent key that is rightly not expected. To expect a key therefore pays below one half:
    where the accuracy is A, from A / (1 + A) on.
    """
    return max(THRESHOLDS, key=accuracy)
