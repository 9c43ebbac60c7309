"""Layers: recurrent networks over whole sequences."""

from rnnapps.layers.bidirectional import Bidirectional
from rnnapps.layers.dropout import Dropout
from rnnapps.layers.recurrent import Recurrent
from rnnapps.layers.stack import RecurrentStack, recurrent_stack

__all__ = ["Bidirectional", "Dropout", "Recurrent", "RecurrentStack", "recurrent_stack"]
