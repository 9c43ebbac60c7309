"""Layers: recurrent networks over whole sequences, and what masks and thins their inputs."""

from rnnapps.layers.bidirectional import Bidirectional
from rnnapps.layers.dropout import Dropout
from rnnapps.layers.named import GRU, LSTM, SimpleRNN
from rnnapps.layers.recurrent import Recurrent
from rnnapps.layers.sequence_mask import SequenceMask
from rnnapps.layers.stack import RecurrentStack, recurrent_stack

__all__ = [
    "GRU",
    "LSTM",
    "Bidirectional",
    "Dropout",
    "Recurrent",
    "RecurrentStack",
    "SequenceMask",
    "SimpleRNN",
    "recurrent_stack",
]
