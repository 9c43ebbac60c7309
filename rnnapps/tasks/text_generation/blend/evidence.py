"""What n-grams say of each symbol of a given text, without a graph: what a gate is fitted to, and scored on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.text_generation.blend.grams import ROOT, GramTable
from rnnapps.types import Array

__all__ = ["FEATURES", "Evidence", "NetworkScores"]

FEATURES = ("bias", "log_total", "log_kinds", "kept", "entropy")
"""What the belief in a context depends on: the sum of the counts of what followed it, how many kinds of symbols that
were, what the discounts leave of their shares, and how uncertain the network is."""

PART = 100_000
"""Symbols that are looked up at once: what is known of each then takes half a kilobyte."""


@dataclass(frozen=True)
class NetworkScores:
    """What a network says of each symbol of a text but the first.

    Attributes:
        log_probability: natural logarithm of what it gives the symbol, float64 `(symbols - 1,)`.
        entropy: how uncertain it is before it, in nats, float64 `(symbols - 1,)`.
    """

    log_probability: Array
    entropy: Array

    def __getitem__(self, places: slice) -> NetworkScores:
        """That of some places."""
        return NetworkScores(self.log_probability[places], self.entropy[places])


@dataclass(frozen=True)
class Evidence:
    """What the contexts before each symbol of a text but the first say; as `BlendedModel` has it in a graph.

    Attributes:
        share: of what followed each context, the share that is the symbol, less the discount, float64
            `(contexts, symbols - 1)`.
        kept: the sum of such shares of all symbols; 0 where the context is unknown.
        features: float64 `(contexts, symbols - 1, features)`, all but the last of `FEATURES`.
    """

    share: Array
    kept: Array
    features: Array

    @classmethod
    def of(cls, table: GramTable, ids: Array) -> Evidence:
        """Looks a text up."""
        entries = table.walk(ids)
        contexts, longer = entries[:-1, :-1], entries[1:, 1:]
        begin, end = table.children(contexts)
        sums = np.concatenate([[0], np.cumsum(table.counts, dtype=np.float64)])
        kinds, total, discounts = end - begin, sums[end] - sums[begin], table.discounts[2:].astype(np.float64)
        divisor = np.maximum(total, 1)
        share = np.where(longer == ROOT, 0, table.counts[longer] - discounts) / divisor
        kept = (total - discounts * kinds) / divisor
        features = [np.ones_like(share), np.log(divisor), np.log(np.maximum(kinds, 1)), kept]
        return cls(
            np.ascontiguousarray(share.T),
            np.ascontiguousarray(kept.T),
            np.ascontiguousarray(np.stack(features, axis=-1).transpose(1, 0, 2)),
        )

    @classmethod
    def in_parts(cls, table: GramTable, ids: Array) -> Iterator[tuple[slice, Evidence]]:
        """The same of parts of the text, one after the other, so that a long one takes no more memory; with places."""
        for start in range(0, len(ids) - 1, PART):
            before = min(start, table.order - 2)  # symbols before the first, with which a context may begin
            found = cls.of(table, ids[start - before : start + PART + 1])
            yield (
                slice(start, start + PART),
                cls(found.share[:, before:], found.kept[:, before:], found.features[:, before:]),
            )

    def blended(self, network: NetworkScores, kernel: Array) -> Array:
        """Probability of each symbol by network and n-grams, float64 `(symbols - 1,)`.

        Args:
            network: what the network says of the same text.
            kernel: the weights of the gate `(contexts, features)`.
        """
        probability = np.exp(network.log_probability)
        for gate, share, kept in zip(self.believed(network, kernel), self.share, self.kept, strict=True):
            probability = (1 - gate * kept) * probability + gate * share
        return probability

    def believed(self, network: NetworkScores, kernel: Array) -> Array:
        """How much each context is believed, from 0 to 1 `(contexts, symbols - 1)`."""
        scores = (self.features @ kernel[:, :-1, None])[..., 0] + network.entropy * kernel[:, -1:]
        return np.where(self.kept > 0, 1 / (1 + np.exp(-np.clip(scores, -60, 60))), 0.0)
