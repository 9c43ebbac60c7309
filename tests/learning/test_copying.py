"""The copying task of one symbol over a gap of 120 blanks, three runs of each cell.

Gated cells, their gates started at time scales up to the gap, remember in every run. SimpleRNN, its recurrent weights
small and random as in the textbooks, does not: its gradient vanishes on the way, and it stays at chance, but for the
run in which it finds a state that latches. (With orthogonal weights it does so more often, and with luck.)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import pytest

from rnnapps.cells import GRU, LSTM, Cell, MinGRU, SimpleRNN
from tests.learning.tasks import copying_batch, train

GAP, CHANCE = 120, math.log(4)


def losses(make: Callable[[int], Cell], span: int) -> list[float]:
    batch = copying_batch(GAP, length=1)
    options = {"outputs": 4, "updates": 600, "learning_rate": 0.02, "span": span}
    return [train([make(24)], batch, seed=seed, **options) for seed in (1, 2, 3)]


@pytest.mark.slow
@pytest.mark.parametrize("make", [LSTM, GRU, MinGRU])
def test_gated_cells_remember_in_every_run(make: Callable[[int], Cell]) -> None:
    every = losses(make, span=GAP)
    assert max(every) < 0.1, every


@pytest.mark.slow
def test_simple_rnn_does_not() -> None:
    small = keras.initializers.RandomNormal(stddev=0.1, seed=0)
    every = losses(lambda units: SimpleRNN(units, recurrent_initializer=small), span=0)
    assert max(every) > 0.9 * CHANCE, every
