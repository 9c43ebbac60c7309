"""Variables of a run as its states store them: named arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from rnnapps.errors import CheckpointError
from rnnapps.training.checkpoint import Arrays
from rnnapps.training.run import RunFolder
from rnnapps.types import Array

__all__ = ["Variables", "assign", "identity_of", "keyed", "path_of", "value_of"]

Variables = Mapping[str, Sequence[keras.Variable]]
"""Group name -> its variables in a fixed order."""


def keyed(variables: Variables) -> dict[str, keras.Variable]:
    """Names each variable `group/position/path`; the position, not the path, identifies it within its group."""
    return {
        f"{group}/{position:04d}/{variable.path}": variable
        for group, members in variables.items()
        for position, variable in enumerate(members)
    }


def path_of(key: str) -> str:
    """The variable's own path, of a key of `keyed`."""
    return key.split("/", 2)[2]


def identity_of(key: str) -> str:
    """Group and position, of a key of `keyed`."""
    return key.rsplit("/", key.count("/") - 1)[0]


def value_of(variable: keras.Variable) -> Array:
    """The variable as a NumPy array."""
    return np.asarray(keras.ops.convert_to_numpy(variable.value))


def assign(variables: Mapping[str, keras.Variable], arrays: Arrays, run: RunFolder) -> None:
    """Sets all variables, after it is known that all arrays fit: none is changed if one does not.

    Args:
        variables: as `keyed` returns them.
        arrays: by the same keys, whose paths may be others.
        run: where the arrays come from, for errors.

    Raises:
        CheckpointError: they are of another model.
    """
    stored = {identity_of(key): (key, array) for key, array in arrays.items()}
    for key, variable in variables.items():
        name, array = stored.pop(identity_of(key), ("nothing", np.empty(())))
        if name == "nothing" or array.shape != tuple(variable.shape) or array.dtype.name != variable.dtype:
            found = "nothing" if name == "nothing" else f"{path_of(name)} {array.dtype.name} {list(array.shape)}"
            raise CheckpointError(
                f"{run.path}: its state does not fit this model: for {variable.path} {variable.dtype} "
                f"{list(variable.shape)} it holds {found}; use the run's own configuration or another --run"
            )
    if stored:
        name, array = next(iter(stored.values()))
        raise CheckpointError(
            f"{run.path}: its state does not fit this model, which lacks {path_of(name)} {list(array.shape)}; "
            f"use the run's own configuration or another --run"
        )
    by_identity = {identity_of(key): array for key, array in arrays.items()}
    for key, variable in variables.items():
        variable.assign(by_identity[identity_of(key)])
