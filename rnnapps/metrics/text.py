"""Nats and bits per character, and perplexity per word, of a model of text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnnapps.contract.evaluation import MODEL, Comparison
from rnnapps.metrics.parts import block_length, ratio, summed
from rnnapps.types import Array, Tensor

__all__ = ["TextScore", "compare_texts", "nats", "per_character", "perplexity", "read_text", "score_text"]


@dataclass(frozen=True)
class TextScore:
    """Negative log-likelihood of a text.

    Attributes:
        losses: nats of each scored token, in the order of the text, float64 `(tokens,)`.
        sizes: characters of each, int64 `(tokens,)`; None where each is one.
        words: words of the text; 0 where it has none that are worth counting.
    """

    losses: Array
    sizes: Array | None = None
    words: int = 0

    @property
    def nats(self) -> float:
        """The total over the scored tokens."""
        return float(self.losses.sum())

    @property
    def characters(self) -> int:
        """The number of scored characters."""
        return len(self.losses) if self.sizes is None else int(self.sizes.sum())

    @property
    def nats_per_character(self) -> float:
        """Mean negative natural logarithm of a character's probability."""
        return self.nats / self.characters

    def metrics(self) -> dict[str, float]:
        """Nats and bits per character by name, and the perplexity per word: e to the nats of a word and what is around.

        Whatever the tokens are, they all compare.
        """
        found = per_character(self.nats_per_character)
        return found | {"perplexity_per_word": perplexity(self.nats / self.words)} if self.words else found

    def statistics(self) -> Array:
        """Nats and characters of each token, of which `ratio` makes the mean, float64 `(tokens, 2)`."""
        sizes = np.ones(len(self.losses)) if self.sizes is None else self.sizes
        return np.stack([self.losses, sizes], axis=-1)


def per_character(nats_per_character: float) -> dict[str, float]:
    """Returns {"nats_per_character", "bits_per_character"}; a bit is log(2) nats."""
    return {"nats_per_character": nats_per_character, "bits_per_character": nats_per_character / math.log(2)}


def perplexity(nats: float) -> float:
    """E to the nats; infinite where that is no number any more."""
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def compare_texts(model: TextScore, baselines: Mapping[str, TextScore], *, metric: str, part: str) -> Comparison:
    """A comparison of scores of the same tokens of a running text, in blocks of neighbours.

    Args:
        model: the score of the model.
        baselines: those of the baselines by name.
        metric: name of the mean of the losses.
        part: what the tokens are, in the plural: "characters".
    """
    length = block_length(len(model.losses))
    blocks = np.arange(len(model.losses)) // length
    scores = {MODEL: model, **baselines}
    statistics = {name: summed(score.statistics(), blocks) for name, score in scores.items()}
    return Comparison(metric, statistics, ratio, f"blocks of {length:,} {part}")


def nats(logits: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of each target in nats, computed in float32.

    Args:
        logits: unnormalised log-probabilities `(..., vocabulary)`.
        targets: ids `(...)`.

    Returns:
        float32 `(...)`.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, tf.cast(logits, tf.float32))


def score_text(
    apply: Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]],
    initial_states: Sequence[Tensor],
    ids: Array,
    *,
    batch_size: int,
    window_steps: int,
    context_windows: int = 1,
) -> TextScore:
    """Scores every character of a text but the first exactly once; arguments and errors as those of `read_text`."""
    reading = {"batch_size": batch_size, "window_steps": window_steps, "context_windows": context_windows}
    return TextScore(read_text(apply, initial_states, ids, measure=nats, **reading))


def read_text(
    apply: Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]],
    initial_states: Sequence[Tensor],
    ids: Array,
    *,
    measure: Callable[[Tensor, Tensor], Tensor],
    batch_size: int,
    window_steps: int,
    context_windows: int = 1,
) -> Array:
    """Measures every character of a text but the first exactly once, with the state carried through the text.

    The text is read as `batch_size` stretches side by side. Each stretch but the first starts `context_windows`
    windows early, unscored, so that its state has seen what comes before.

    Args:
        apply: maps (tokens int32 `(batch, time)`, states) to (logits `(batch, time, vocabulary)`, new states). It is
            called with one static shape; a `tf.function` is traced once.
        initial_states: states of `batch_size` rows before the first character.
        ids: the text `(characters,)`, at least 2.
        measure: maps (logits `(batch, time, vocabulary)`, the characters that came `(batch, time)`) to values
            `(batch, time, ...)`.
        batch_size: number of stretches.
        window_steps: time steps of one call.
        context_windows: unscored windows before each stretch.

    Returns:
        float64 `(characters - 1, ...)`.

    Raises:
        ValueError: fewer than 2 characters.
    """
    if len(ids) < 2:
        raise ValueError(f"scoring needs at least 2 characters, got {len(ids)}")
    scored = len(ids) - 1
    windows = math.ceil(scored / (batch_size * window_steps))
    stretch = windows * window_steps
    starts = np.arange(batch_size)[:, np.newaxis] * stretch
    steps = np.arange(window_steps)
    states, found = initial_states, np.zeros(0)
    for window in range(-context_windows, windows):
        places = starts + window * window_steps + steps
        inside = (places >= 0) & (places < scored)
        tokens = np.where(inside, ids[np.clip(places, 0, scored - 1)], 0).astype(np.int32)
        targets = np.where(inside, ids[np.clip(places + 1, 0, scored)], 0).astype(np.int32)
        logits, new_states = apply(tf.constant(tokens), states)
        # A row that has not reached the text yet keeps its initial state.
        begun = places[:, :1] >= 0
        states = [tf.where(_expand(begun, new), new, old) for new, old in zip(new_states, states, strict=True)]
        if window >= 0:
            values = np.asarray(measure(logits, targets))
            found = found if found.size else np.zeros((scored, *values.shape[2:]))
            found[places[inside]] = values[inside]
    return found


def _expand(rows: Array, values: Tensor) -> Tensor:
    """Reshapes a condition `(batch, 1)` to the rank of `values`."""
    return tf.reshape(tf.constant(rows), (-1,) + (1,) * (len(values.shape) - 1))
