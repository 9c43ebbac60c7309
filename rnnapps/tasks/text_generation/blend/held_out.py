"""The part of a training text that is kept from the network, and fits the gate of a blend."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from rnnapps.data.text.stored_ids import StoredIds, without
from rnnapps.tasks.text_generation.blend.evidence import Evidence, NetworkScores
from rnnapps.tasks.text_generation.blend.fit import fit_gate
from rnnapps.tasks.text_generation.blend.gate import GATE
from rnnapps.tasks.text_generation.blend.grams import GramTable
from rnnapps.types import Array

__all__ = ["LEAST_TOKENS", "gate_fitter", "split_held_out"]

HELD_OUT_SHARE, MOST_HELD_OUT = 0.04, 50_000
BLOCKS, SHORTEST_BLOCK = 5, 200
LEAST_TOKENS = 10_000
"""Of shorter training texts too little is left to fit a gate to."""


def split_held_out(ids: Array | StoredIds) -> tuple[Array | StoredIds, Array]:
    """Keeps some blocks of a training text, evenly spread, from the network.

    A network that never saw the last part of a book lacks what the next one is about, so they lie all over the text.
    But they are few and long: in short gaps the text around says so much that n-grams are believed too much.

    Args:
        ids: the text `(tokens,)`, at least `LEAST_TOKENS` of them.

    Returns:
        The text without the blocks, and the blocks, each as one text.
    """
    held_out = min(round(HELD_OUT_SHARE * len(ids)), MOST_HELD_OUT)
    blocks = min(BLOCKS, held_out // SHORTEST_BLOCK)
    size, part = held_out // blocks, len(ids) // blocks
    places = [(end - size, end) for end in range(part, blocks * part + 1, part)]
    return without(ids, places), np.concatenate([ids[low:high] for low, high in places])


def gate_fitter(
    network: keras.Model, table: GramTable, held_out: Array, scores: Callable[[], NetworkScores]
) -> Callable[[], None]:
    """A function that fits the gate to the network's weights of that moment.

    Args:
        network: has a `BlendGate`.
        table: the n-grams of the training text without the part that is held out.
        held_out: that part, which the network is not trained on either.
        scores: what the network says of it.
    """
    evidence = Evidence.of(table, held_out)

    def fit() -> None:
        network.get_layer(GATE).kernel.assign(fit_gate(evidence, scores()))

    return fit
