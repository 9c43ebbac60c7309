"""Recurrent networks from raw sequences to verified TensorFlow SavedModels.

The names below load on first use, so that `import rnnapps` costs nothing and does not load TensorFlow:

    from rnnapps import Recurrent, cells
    layer = Recurrent(cells.LSTM(256))

    import rnnapps
    model = rnnapps.load("runs/load")

Keras finds our layers and cells in models that it saved: `import rnnapps` is enough for `keras.models.load_model`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnnapps.registration import register_with_keras

if TYPE_CHECKING:
    from rnnapps import cells, errors, testing
    from rnnapps.cells import CELLS, Cell
    from rnnapps.layers import Bidirectional, Recurrent, RecurrentStack
    from rnnapps.verbs.look import look
    from rnnapps.verbs.model import Model
    from rnnapps.verbs.start import ensemble, load, train

    __version__: str

__all__ = [
    "CELLS",
    "Bidirectional",
    "Cell",
    "Model",
    "Recurrent",
    "RecurrentStack",
    "__version__",
    "cells",
    "ensemble",
    "errors",
    "load",
    "look",
    "testing",
    "train",
]

_HOMES = {
    "CELLS": "rnnapps.cells",
    "Cell": "rnnapps.cells",
    "Bidirectional": "rnnapps.layers",
    "Recurrent": "rnnapps.layers",
    "RecurrentStack": "rnnapps.layers",
    "Model": "rnnapps.verbs.model",
    "ensemble": "rnnapps.verbs.start",
    "load": "rnnapps.verbs.start",
    "look": "rnnapps.verbs.look",
    "train": "rnnapps.verbs.start",
}
_MODULES = ("cells", "errors", "testing")


def __getattr__(name: str) -> Any:
    """Loads a public name on first use (PEP 562); raises AttributeError for any other."""
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _MODULES:
        value = import_module(f"rnnapps.{name}")
    else:
        raise AttributeError(f"module 'rnnapps' has no attribute {name!r}; it has {', '.join(__all__)}")
    globals()[name] = value
    if name in ("cells", "CELLS", "Cell"):
        import_module("rnnapps.layers")  # which Keras may meet in a file beside them
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("rnnapps")
    except PackageNotFoundError:
        return "0+uninstalled"


register_with_keras()
