"""Fits how much a piece's own past is believed, to pieces that the network has not learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.tasks.music_generation.echo import KINDS
from rnnapps.tasks.music_generation.frame_network import contexts_of, echo_of, first_states, key_distribution
from rnnapps.types import Array, Tensor

__all__ = ["echo_fitter", "fit_weights"]

MOST_STEPS = 8_000
"""Steps that weights are fitted to: of more, every second piece, or third..."""
PULL = 1.0
"""Half so many times the square of a weight is added to the nats of all steps: with little to learn from, it is 0."""
MULTIPLE = 64
"""Pieces are read in whole parts of so many steps, so that few shapes occur."""


def echo_fitter(network: keras.Model, rolls: Sequence[Array]) -> Callable[[], None]:
    """A function that fits the weights of the network's `Echo`, if it has one, with its other weights of that moment.

    Args:
        network: a frame network.
        rolls: frames of held-out pieces `(steps, keys)`.
    """
    echo, distribution = echo_of(network), key_distribution(network)
    whole = [roll for roll in rolls if len(roll) > 1]
    if echo is None or not whole:
        return lambda: None
    chosen = whole[:: -(-sum(map(len, whole)) // MOST_STEPS) or 1]
    padded = [_padded(roll) for roll in chosen]
    wanted = np.concatenate([roll[1:] for roll in chosen]).astype(np.float64)
    known: list[tuple[Array, ...]] = []

    @tf.function(autograph=False, reduce_retracing=True)
    def alone(frames: Tensor, following: Tensor) -> Tensor:
        contexts, _ = contexts_of(network, frames, first_states(network, 1), echo=False)
        return distribution(contexts, following)

    @tf.function(autograph=False, reduce_retracing=True)
    def recalled(frames: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(echo.recall(frames, echo.initial_state(1))[0])

    def fit() -> None:
        if not known:
            known.extend(
                _inside(recalled(tf.constant(before)), roll) for (before, _), roll in zip(padded, chosen, strict=True)
            )
        logits = [
            _inside((alone(tf.constant(before), tf.constant(after)),), roll)[0]
            for (before, after), roll in zip(padded, chosen, strict=True)
        ]
        frames, kinds = (np.concatenate(parts) for parts in zip(*known, strict=True))
        weights = fit_weights(np.concatenate(logits).astype(np.float64), frames > 0, kinds, wanted)
        echo.kernel.assign(weights.astype(np.float32))

    return fit


def _padded(roll: Array) -> tuple[Array, Array]:
    """Frames `(1, time, keys)` behind one of silence, and those that follow them."""
    width = -(-len(roll) // MULTIPLE) * MULTIPLE
    before, after = np.zeros((2, 1, width, roll.shape[1]), np.float32)
    before[0, 1 : len(roll)], after[0, : len(roll)] = roll[:-1], roll
    return before, after


def _inside(parts: Sequence[Tensor], roll: Array) -> tuple[Array, ...]:
    """What belongs to the predicted frames of a piece: all but its first."""
    return tuple(np.asarray(part)[0, 1 : len(roll)] for part in parts)


def fit_weights(logits: Array, frames: Array, kinds: Array, wanted: Array) -> Array:
    """The weights with which frames have the highest probability, but for a slight pull to 0.

    Args:
        logits: of the network alone `(steps, keys)`.
        frames: bool `(steps, keys)`, what is recalled.
        kinds: `(steps,)`, as in `Recalled`.
        wanted: the frames themselves, 0 or 1 `(steps, keys)`.

    Returns:
        Float64 `(kinds, 2)`.
    """
    from scipy.optimize import minimize

    some = kinds >= 0
    # Each case, a kind of passage and whether the key sounded in what followed, has a weight of its own.
    case = (2 * kinds[some, None] + ~frames[some]).ravel()
    known, truth = logits[some].ravel(), wanted[some].ravel()

    def objective(weights: Array) -> tuple[float, Array]:
        mixed = known + weights[case]
        nats = np.logaddexp(0, mixed) - mixed * truth
        slope = np.bincount(case, np.exp(mixed - np.logaddexp(0, mixed)) - truth, 2 * KINDS)
        return float(nats.sum() + PULL / 2 * (weights**2).sum()), slope + PULL * weights

    found = minimize(objective, np.zeros(2 * KINDS), jac=True, method="L-BFGS-B")
    weights: Array = found.x.reshape(KINDS, 2)
    return weights
