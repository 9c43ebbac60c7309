"""Sequences that ask for one ability each, drawn at random.

Each function maps a generator, a number of rows and a number of steps to inputs `(rows, steps, features)` and targets:
classes `(rows, steps)`, -1 where none is asked for, or for `adding` numbers `(rows,)`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from rnnapps.types import Array

__all__ = ["Draw", "adding", "copying", "parity", "permutations_of_three", "recall", "selective_copying"]

Draw = Callable[[np.random.Generator, int, int], tuple[Array, Array]]

SYMBOLS, COPIED = 4, 4
"""Kinds of symbols to copy, and how many of them."""
KEYS, VALUES = 32, 8
"""Kinds of keys and of values to recall."""
NOT_ASKED = -1


def adding(random: np.random.Generator, rows: int, steps: int) -> tuple[Array, Array]:
    """The sum of the two marked of many uniform numbers, one in each half; Hochreiter & Schmidhuber 1997.

    Answering 1 always has a mean squared error of 1/6.
    """
    values, marks, row = random.random((rows, steps)), np.zeros((rows, steps)), np.arange(rows)
    marks[row, random.integers(0, steps // 2, rows)] = 1
    marks[row, random.integers(steps // 2, steps, rows)] = 1
    return np.stack([values, marks], axis=-1).astype(np.float32), (values * marks).sum(axis=1).astype(np.float32)


def copying(random: np.random.Generator, rows: int, steps: int) -> tuple[Array, Array]:
    """Symbols at the beginning, asked for at the end, blanks between; Arjovsky et al. 2016 (arXiv:1511.06464)."""
    wanted = random.integers(0, SYMBOLS, (rows, COPIED))
    tokens = np.full((rows, steps), SYMBOLS)
    tokens[:, :COPIED] = wanted
    return _asked_at_the_end(tokens, wanted)


def selective_copying(random: np.random.Generator, rows: int, steps: int) -> tuple[Array, Array]:
    """Symbols at places that differ from row to row, asked for at the end; Gu & Dao 2023 (arXiv:2312.00752)."""
    wanted = random.integers(0, SYMBOLS, (rows, COPIED))
    tokens = np.full((rows, steps), SYMBOLS)
    places = np.sort(random.permuted(np.tile(np.arange(steps - COPIED), (rows, 1)), axis=1)[:, :COPIED], axis=1)
    np.put_along_axis(tokens, places, wanted, axis=1)
    return _asked_at_the_end(tokens, wanted)


def _asked_at_the_end(tokens: Array, wanted: Array) -> tuple[Array, Array]:
    """One-hot tokens, the last ones marks that ask, and the targets there."""
    targets = np.full(tokens.shape, NOT_ASKED)
    tokens[:, -COPIED:], targets[:, -COPIED:] = SYMBOLS + 1, wanted
    return _one_hot(tokens, SYMBOLS + 2), targets


def parity(random: np.random.Generator, rows: int, steps: int) -> tuple[Array, Array]:
    """At each step whether the number of ones so far is odd."""
    bits = random.integers(0, 2, (rows, steps))
    return _one_hot(bits, 2), np.cumsum(bits, axis=1) % 2


def permutations_of_three(random: np.random.Generator, rows: int, steps: int) -> tuple[Array, Array]:
    """At each step the order that three things are in after all permutations so far: the group S3.

    State tracking as in Merrill et al. 2024 (arXiv:2404.08819).
    """
    moves = random.integers(0, len(ORDERS), (rows, steps))
    states = np.empty_like(moves)
    states[:, 0] = moves[:, 0]
    for step in range(1, steps):
        states[:, step] = AFTER[states[:, step - 1], moves[:, step]]
    return _one_hot(moves, len(ORDERS)), states


def recall(random: np.random.Generator, rows: int, steps: int) -> tuple[Array, Array]:
    """Keys with values, then all keys in another order: each one's value; Arora et al. 2023 (arXiv:2312.04927).

    A key and its value stand in one step, so that one layer can bind them.
    """
    pairs = steps // 2
    keys = random.permuted(np.tile(np.arange(KEYS), (rows, 1)), axis=1)[:, :pairs]
    values, order = (
        random.integers(0, VALUES, (rows, pairs)),
        random.permuted(np.tile(np.arange(pairs), (rows, 1)), axis=1),
    )
    asked, answers = np.take_along_axis(keys, order, axis=1), np.take_along_axis(values, order, axis=1)
    said = np.concatenate([_one_hot(values, VALUES), np.zeros((rows, pairs, VALUES), np.float32)], axis=1)
    inputs = np.concatenate([_one_hot(np.concatenate([keys, asked], axis=1), KEYS), said], axis=2)
    return inputs, np.concatenate([np.full_like(answers, NOT_ASKED), answers], axis=1)


ORDERS = tuple(itertools.permutations(range(3)))
AFTER = np.array([[ORDERS.index(tuple(order[place] for place in move)) for move in ORDERS] for order in ORDERS])
"""Which order follows from an order and a move."""


def _one_hot(tokens: Array, kinds: int) -> Array:
    """`(rows, steps)` -> `(rows, steps, kinds)`."""
    return np.eye(kinds, dtype=np.float32)[tokens]
