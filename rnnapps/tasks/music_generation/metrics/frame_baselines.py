"""Predictions of piano-roll frames without a network: each key by itself, from how often it sounded after what."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnnapps.metrics.parts import means, summed
from rnnapps.tasks.music_generation.metrics.frames import FrameScore, best_threshold
from rnnapps.types import Array

__all__ = ["HISTORIES", "STRENGTHS", "score_baselines"]

HISTORIES = range(2, 9)
"""Lengths of a key's own past, in steps, that are tried."""
STRENGTHS = (0.5, 2.0, 8.0, 32.0)
"""How many observations of all keys together weigh as much as those of the key itself."""


def score_baselines(
    train: Sequence[Array], held_out: Sequence[Array], validation: Sequence[Array] = ()
) -> dict[str, FrameScore]:
    """Scores predictions without a network on held-out pieces; all keys are independent, counts are Laplace's (+1).

    Args:
        train: frames of the training pieces `(steps, keys)`.
        held_out: frames of the pieces to score.
        validation: frames on which each chooses its `best_threshold`, and the last its history; without, the threshold
            is one half, and the last is left out.

    Returns:
        "repeat the last step": one probability for keys that sound to go on, one for others to begin; "pitch unigram":
        how often each key sounds; "first-order Markov": how often each key sounds after it did, and after it did not;
        "key history of ... steps": how often each key sounds after what it did in so many steps.
    """
    shape = _best_history(train, validation) if validation else None
    probabilities, actual = _predictions(train, held_out, shape)
    thresholds = dict.fromkeys(probabilities, 0.5)
    if validation:
        known, sounded = _predictions(train, validation, shape)
        for name, own in known.items():
            thresholds[name] = best_threshold(functools.partial(_accuracy, own, sounded))
    pieces = np.repeat(np.arange(len(held_out)), [max(len(roll) - 1, 0) for roll in held_out])
    scores = {name: _scored(own, actual, thresholds[name]) for name, own in probabilities.items()}
    return {name: _with_pieces(*own, pieces, len(held_out)) for name, own in scores.items()}


def _accuracy(probabilities: Array, actual: Array, threshold: float) -> float:
    """Frame accuracy with a threshold."""
    return _scored(probabilities, actual, threshold)[0].metrics()["frame_accuracy"]


def _predictions(
    train: Sequence[Array], held_out: Sequence[Array], shape: tuple[int, float] | None
) -> tuple[dict[str, Array], Array]:
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
    if shape is not None:
        table = _history_table(_history_counts(train, shape[0]), shape[1])
        codes = _histories(held_out, shape[0])[0]
        probabilities[f"key history of {shape[0]} steps"] = table[np.arange(table.shape[0]), codes]
    return probabilities, actual


def _best_history(train: Sequence[Array], validation: Sequence[Array]) -> tuple[int, float]:
    """The length of a key's past and the weight of all keys together with the fewest nats on validation pieces."""
    nats: dict[tuple[int, float], float] = {}
    for steps in HISTORIES:
        learned, seen = _history_counts(train, steps), _history_counts(validation, steps)
        for strength in STRENGTHS:
            table = _history_table(learned, strength)
            nats[steps, strength] = -float((np.log(1 - table) * seen[0] + np.log(table) * seen[1]).sum())
    return min(nats, key=lambda shape: nats[shape])


def _history_counts(rolls: Sequence[Array], steps: int) -> Array:
    """How often each key was silent, and how often it sounded, after each past: float64 `(2, keys, 2 ** steps)`."""
    codes, after = _histories(rolls, steps)
    keys = codes.shape[1]
    places = (after.astype(np.int64) * keys + np.arange(keys)) * 2**steps + codes
    counts = np.bincount(places.ravel(), minlength=2 * keys * 2**steps)
    return counts.reshape(2, keys, 2**steps).astype(np.float64)


def _history_table(counts: Array, strength: float) -> Array:
    """Probability that a key sounds after each past `(keys, 2 ** steps)`: its own share, drawn to that of all keys."""
    silent, sounded = counts
    shared = _smoothed(sounded.sum(axis=0), counts.sum(axis=(0, 1)))
    table: Array = (sounded + strength * shared) / (silent + sounded + strength)
    return table


def _histories(rolls: Sequence[Array], steps: int) -> tuple[Array, Array]:
    """The past of each key before each predicted frame as a number, the last step its lowest bit, and those frames."""
    pasts: list[Array] = []
    for roll in rolls:
        padded = np.concatenate([np.zeros((steps - 1, roll.shape[1]), np.int16), roll.astype(np.int16)])
        past = np.zeros((max(len(roll) - 1, 0), roll.shape[1]), np.int16)
        for ago in range(steps):
            past |= padded[steps - 1 - ago :][: len(past)] << ago
        pasts.append(past)
    return np.concatenate(pasts), np.concatenate([roll[1:] for roll in rolls])


def _smoothed(positive: Array, total: Array | int) -> Array:
    """Laplace's rule of succession."""
    return (positive + 1) / (total + 2)


def _pairs(rolls: Sequence[Array]) -> tuple[Array, Array]:
    """All frames that are followed by another of their piece, and those others."""
    frames = [np.concatenate([roll[side] for roll in rolls]) for side in (slice(None, -1), slice(1, None))]
    return frames[0].astype(np.int8), frames[1].astype(np.int8)


def _scored(probabilities: Array, actual: Array, threshold: float) -> tuple[FrameScore, Array]:
    """The score of probabilities `(frames, keys)`, and nats of each frame; keys above the threshold are expected."""
    nats = -np.sum(np.log(np.where(actual > 0, probabilities, 1 - probabilities)), axis=1)
    expected = probabilities > threshold
    hits = int((expected & (actual > 0)).sum())
    return FrameScore(float(nats.sum()), len(actual), hits, int((expected != (actual > 0)).sum())), nats


def _with_pieces(score: FrameScore, nats: Array, pieces: Array, count: int) -> FrameScore:
    """The score with its statistics of each piece; pieces of one frame have none."""
    return replace(score, by_piece=summed(means(nats), pieces, count=count))
