"""Negative log-likelihood and accuracy of piano-roll frames, and naive baselines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor, Tensors

__all__ = ["Apply", "FrameScore", "baselines", "best_threshold", "frame_nats", "score_frames"]

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
    """

    nats: float
    steps: int
    hits: int = 0
    misjudged: int = 0

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
    ordered = sorted(rolls, key=len)
    nats, steps, hits, misjudged = 0.0, 0, 0, 0
    for first in range(0, len(ordered), batch_size):
        group = ordered[first : first + batch_size]
        frames, valid = _padded(group, batch_size, window_steps)
        states: Sequence[Tensor] = initial_states(batch_size)
        for start in range(0, frames.shape[1] - 1, window_steps):
            now = slice(start, start + window_steps)
            targets = frames[:, start + 1 : start + 1 + window_steps]
            logits, expected, states = apply(tf.constant(frames[:, now]), tf.constant(targets), states)
            inside = valid[:, now]
            nats += float(np.sum(np.asarray(frame_nats(logits, targets), np.float64) * inside))
            steps += int(inside.sum())
            sounding = np.asarray(expected) * inside[..., None]
            hits += int((sounding * targets).sum())
            misjudged += int((np.abs(sounding - targets) * inside[..., None]).sum())
    return FrameScore(nats, steps, hits, misjudged)


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


def baselines(
    train: Sequence[Array], held_out: Sequence[Array], validation: Sequence[Array] = ()
) -> dict[str, dict[str, float]]:
    """Scores predictions without a network on held-out pieces; all keys are independent, counts are Laplace's (+1).

    Args:
        train: frames of the training pieces `(steps, keys)`.
        held_out: frames of the pieces to score.
        validation: frames on which each chooses its `best_threshold`; without, it is one half.

    Returns:
        "repeat the last step": one probability for keys that sound to go on, one for others to begin; "pitch unigram":
        how often each key sounds; "first-order Markov": how often each key sounds after it did, and after it did not.
    """
    probabilities, actual = _predictions(train, held_out)
    thresholds = dict.fromkeys(probabilities, 0.5)
    if validation:
        known, sounded = _predictions(train, validation)
        for name, own in known.items():
            accuracy = functools.partial(_accuracy, own, sounded)
            thresholds[name] = best_threshold(accuracy)
    return {name: _scored(own, actual, thresholds[name]).metrics() for name, own in probabilities.items()}


def _accuracy(probabilities: Array, actual: Array, threshold: float) -> float:
    """Frame accuracy with a threshold."""
    return _scored(probabilities, actual, threshold).metrics()["frame_accuracy"]


def _predictions(train: Sequence[Array], held_out: Sequence[Array]) -> tuple[dict[str, Array], Array]:
    """The probability of each key of each predicted frame by each baseline, and which sounded: `(frames, keys)`."""
    before, after = _pairs(train)
    last, actual = _pairs(held_out)
    on = before.sum(axis=0, dtype=np.float64)
    stayed, begun = ((after * kind).sum(axis=0, dtype=np.float64) for kind in (before, 1 - before))
    count = len(before)
    probabilities = {
        "repeat the last step": np.where(
            last > 0, _smoothed(stayed.sum(), on.sum()), _smoothed(begun.sum(), before.size - on.sum())
        ),
        "pitch unigram": np.broadcast_to(_smoothed(after.sum(axis=0), count), last.shape),
        "first-order Markov": np.where(last > 0, _smoothed(stayed, on), _smoothed(begun, count - on)),
    }
    return probabilities, actual


def _smoothed(positive: Array, total: Array | int) -> Array:
    """Laplace's rule of succession."""
    return (positive + 1) / (total + 2)


def _pairs(rolls: Sequence[Array]) -> tuple[Array, Array]:
    """All frames that are followed by another of their piece, and those others."""
    frames = [np.concatenate([roll[side] for roll in rolls]) for side in (slice(None, -1), slice(1, None))]
    return frames[0].astype(np.int8), frames[1].astype(np.int8)


def _scored(probabilities: Array, actual: Array, threshold: float) -> FrameScore:
    """The score of probabilities `(frames, keys)`; keys above the threshold are expected."""
    nats = -np.sum(np.log(np.where(actual > 0, probabilities, 1 - probabilities)))
    expected = probabilities > threshold
    hits = int((expected & (actual > 0)).sum())
    return FrameScore(float(nats), len(actual), hits, int((expected != (actual > 0)).sum()))
