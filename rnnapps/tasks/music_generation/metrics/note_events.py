"""Perplexity and accuracy of note events, and naive baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnapps.metrics.ngram import expected_symbols
from rnnapps.metrics.ngram_baselines import ngram_losses
from rnnapps.metrics.parts import means, summed
from rnnapps.types import Array

__all__ = ["EventScore", "event_metrics", "score_baselines"]


def event_metrics(nats: Array, right: Array, note_on: Array) -> dict[str, float]:
    """Figures of predicted events.

    Args:
        nats: negative log-likelihood of each scored event `(events,)`.
        right: whether each was the likeliest `(events,)`.
        note_on: which of them strike a key `(events,)`.

    Returns:
        `nats_per_event`, `event_perplexity` (its exponential) and `next_note_accuracy`: the share of the events that
        strike a key which were expected.
    """
    mean = float(np.mean(nats))
    notes = right[note_on]
    return {
        "nats_per_event": mean,
        "event_perplexity": float(np.exp(mean)),
        "next_note_accuracy": float(notes.mean()) if len(notes) else 0.0,
    }


@dataclass(frozen=True)
class EventScore:
    """How well events were predicted.

    Attributes:
        nats: negative log-likelihood of each scored event `(events,)`.
        right: whether each was the expected one `(events,)`.
        note_on: which of them strike a key `(events,)`.
        piece: number of the piece that each belongs to, from 0 `(events,)`.
    """

    nats: Array
    right: Array
    note_on: Array
    piece: Array

    def metrics(self) -> dict[str, float]:
        """See `event_metrics`."""
        return event_metrics(self.nats, self.right, self.note_on)

    @property
    def by_piece(self) -> Array:
        """Nats and events of each piece, float64 `(pieces, 2)`."""
        return summed(means(self.nats), self.piece)


def score_baselines(
    train: Array, held_out: Array, note_on: Array, *, tokens: int, boundary: int
) -> dict[str, EventScore]:
    """Scores predictions without a network on held-out events.

    Args:
        train: training tokens in order.
        held_out: tokens to score, all but the first.
        note_on: which of the held-out tokens strike a key.
        tokens: number of different tokens.
        boundary: the token that ends a piece.

    Returns:
        "repeat the last event", smoothed by how often training events repeat; "unigram", and n-grams of the length
        that suits the training events best, with Kneser-Ney smoothing; what they expect is the commonest token after
        the longest context that training has.
    """
    repeats = (np.sum(train[1:] == train[:-1]) + 1) / (len(train) + 1)
    same = held_out[1:] == held_out[:-1]
    piece = np.concatenate([[0], np.cumsum(held_out[1:-1] == boundary)])
    scored = {"repeat the last event": EventScore(_repeat_nats(same, repeats, tokens), same, note_on[1:], piece)}
    for name, nats in ngram_losses(train, held_out, vocabulary_size=tokens, shortest=2).items():
        order = 1 if name == "unigram" else int(name.partition("-")[0])
        expected = expected_symbols(train, held_out, order=order, vocabulary_size=tokens)
        scored[name] = EventScore(nats, (expected == held_out)[1:], note_on[1:], piece)
    return scored


def _repeat_nats(same: Array, repeats: float, tokens: int) -> Array:
    """Nats of each event, where one probability is that of the same event again and the others share the rest."""
    return -np.log(np.where(same, repeats, (1 - repeats) / (tokens - 1)))
