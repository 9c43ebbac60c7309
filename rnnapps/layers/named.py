"""LSTM, GRU and SimpleRNN with the names, arguments and files of Keras's layers."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import keras

from rnnapps.cells import GRU as GRUCell
from rnnapps.cells import LSTM as LSTMCell
from rnnapps.cells import SimpleRNN as SimpleRNNCell
from rnnapps.cells.dense import DenseCell
from rnnapps.cells.refused import refuse
from rnnapps.layers.recurrent import Recurrent

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class _Named(Recurrent):
    """A `Recurrent` that makes its cell from its own arguments."""

    kind: ClassVar[type[DenseCell]]

    def __init__(self, units: int, **options: Any) -> None:
        refuse(type(self).__name__, options, "implementation")
        chosen = {name: options.pop(name) for name in _cell_options(self.kind) if name in options}
        super().__init__(self.kind(units, name="cell", **chosen), **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config, cell = super().get_config(), self.cell.get_config()
        config.pop("cell")
        return config | {name: cell[name] for name in ("units", *_cell_options(self.kind))}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _Named:
        """Makes the layer from `get_config`."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="rnnapps.layers")
class LSTM(_Named):
    """`Recurrent(cells.LSTM(units))`, with the arguments of `keras.layers.LSTM`; it reads that layer's weight files.

    Args:
        units: size of each state.
        unit_forget_bias: start the forget gate's bias at one.
        **options: arguments of `cells.LSTM` and of `Recurrent`.
    """

    kind = LSTMCell

    def __init__(self, units: int, *, unit_forget_bias: bool = True, **options: Any) -> None:
        super().__init__(units, **({"forget_bias": 1.0 if unit_forget_bias else None} | options))


@keras.saving.register_keras_serializable(package="rnnapps.layers")
class GRU(_Named):
    """`Recurrent(cells.GRU(units))`, with the arguments of `keras.layers.GRU`; it reads that layer's weight files.

    Args:
        units: size of the state.
        **options: arguments of `cells.GRU` and of `Recurrent`.
    """

    kind = GRUCell


@keras.saving.register_keras_serializable(package="rnnapps.layers")
class SimpleRNN(_Named):
    """`Recurrent(cells.SimpleRNN(units))`, with the arguments and weight files of `keras.layers.SimpleRNN`.

    Args:
        units: size of the state.
        **options: arguments of `cells.SimpleRNN` and of `Recurrent`.
    """

    kind = SimpleRNNCell


def _cell_options(kind: type[DenseCell]) -> list[str]:
    """Names of the cell's own arguments but its units: those that make its weights and its maths."""
    makers = [maker for maker in kind.__mro__ if issubclass(maker, DenseCell)]
    names = dict.fromkeys(name for maker in makers for name in inspect.signature(maker.__init__).parameters)
    return [name for name in names if name not in ("self", "units", "kwargs")]
