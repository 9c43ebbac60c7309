"""Recurrent cells, one file each, and the table of their names."""

from __future__ import annotations

from rnnapps.cells.base import Cell
from rnnapps.cells.gru import GRU
from rnnapps.cells.lstm import LSTM
from rnnapps.cells.simple_rnn import SimpleRNN

__all__ = ["GRU", "LSTM", "Cell", "SimpleRNN"]
