"""Arguments of Keras's layers that have another place here, or none."""

from __future__ import annotations

from typing import Any

from rnnapps.errors import ConfigError

__all__ = ["refuse"]

_ELSEWHERE = {
    "stateful": "states are arguments and results: pass initial_state, and keep what return_state=True returns",
    "unroll": 'the loops are compiled already; kernel="reference" unrolls',
    "use_cudnn": "there is one implementation; leave it out",
    "implementation": "there is one implementation; leave it out",
    "dropout": "give it to the layer: Recurrent(cell, dropout=0.2)",
    "recurrent_dropout": "give it to the layer: Recurrent(cell, recurrent_dropout=0.2)",
    "seed": "give it to the layer: Recurrent(cell, dropout=0.2, seed=1)",
    "merge_mode": 'it is called merge: "concat", "sum", "mean", "mul"',
    "backward_layer": "it is the second argument, backward",
}


def refuse(layer: str, options: dict[str, Any], *names: str) -> None:
    """Refuses arguments that Keras's layers have and ours do otherwise, unless they ask for nothing.

    Args:
        layer: name of the class that was called.
        options: its keyword arguments; those of the given names are taken out.
        *names: arguments to refuse.

    Raises:
        ConfigError: what to do instead.
    """
    for name in names:
        if options.pop(name, None):
            raise ConfigError(f"{layer}: there is no {name}; {_ELSEWHERE[name]}")
