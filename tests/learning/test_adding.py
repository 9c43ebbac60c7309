"""The adding problem over 80 steps: SimpleRNN does no better than a constant (0.167), gated cells solve it."""

from __future__ import annotations

import pytest

from rnnapps.cells import GRU, LSTM, MinGRU, SimpleRNN
from tests.learning.tasks import adding_batch, train

BATCH, CONSTANT = adding_batch(80), 1 / 6


def test_min_gru_solves_it() -> None:
    assert train([MinGRU(16, update_bias=-3.0)], BATCH, outputs=1, updates=400, learning_rate=0.02) < 0.2 * CONSTANT


@pytest.mark.slow
def test_gru_solves_it() -> None:
    assert train([GRU(16)], BATCH, outputs=1, updates=600) < 0.2 * CONSTANT


@pytest.mark.slow
def test_lstm_solves_it() -> None:
    assert train([LSTM(16)], BATCH, outputs=1, updates=1500, learning_rate=0.02, span=80) < 0.2 * CONSTANT


def test_simple_rnn_does_not() -> None:
    assert train([SimpleRNN(16)], BATCH, outputs=1, updates=400) > 0.9 * CONSTANT
