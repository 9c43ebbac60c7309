"""Perplexity and accuracy of note events, and naive baselines."""

from __future__ import annotations

import numpy as np

from rnnapps.metrics.ngram import KneserNey
from rnnapps.types import Array

__all__ = ["baselines", "event_metrics"]


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


def baselines(train: Array, held_out: Array, note_on: Array, *, tokens: int) -> dict[str, dict[str, float]]:
    """Scores predictions without a network on held-out events.

    Args:
        train: training tokens in order.
        held_out: tokens to score, all but the first.
        note_on: which of the held-out tokens strike a key.
        tokens: number of different tokens.

    Returns:
        "repeat the last event", smoothed by how often training events repeat; "unigram" and "first-order Markov" with
        Kneser-Ney smoothing.
    """
    repeats = (np.sum(train[1:] == train[:-1]) + 1) / (len(train) + 1)
    same = held_out[1:] == held_out[:-1]
    metrics = {"repeat the last event": event_metrics(_repeat_nats(same, repeats, tokens), same, note_on[1:])}
    for name, order in (("unigram", 1), ("first-order Markov", 2)):
        model = KneserNey(train, order=order, vocabulary_size=tokens)
        right = held_out[1:] == _likeliest(train, tokens, order)[held_out[:-1]]
        metrics[name] = event_metrics(-model.log_probabilities(held_out)[1:], right, note_on[1:])
    return metrics


def _repeat_nats(same: Array, repeats: float, tokens: int) -> Array:
    """Nats of each event, where one probability is that of the same event again and the others share the rest."""
    return -np.log(np.where(same, repeats, (1 - repeats) / (tokens - 1)))


def _likeliest(train: Array, tokens: int, order: int) -> Array:
    """The commonest token after each token `(tokens,)`; the commonest of all for order 1, or where none followed."""
    commonest = np.full(tokens, np.bincount(train).argmax())
    if order == 1:
        return commonest
    pairs = np.bincount(train[:-1].astype(np.int64) * tokens + train[1:], minlength=tokens * tokens)
    table = pairs.reshape(tokens, tokens)
    return np.where(table.any(axis=1), table.argmax(axis=1), commonest)
