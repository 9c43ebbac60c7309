"""What recurrent layers are called with: checked before anything runs, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.cells.linear import LinearCell
from rnnapps.cells.matrix_linear import MatrixLinearCell
from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Tensor, Tensors

__all__ = [
    "as_states",
    "check_arguments",
    "check_cell",
    "check_constants",
    "check_elapsed",
    "given",
    "matched",
    "valid_steps",
]

Shapes = Sequence[tuple[int, ...]]

_COUNTERPARTS = {"LSTMCell": "cells.LSTM", "GRUCell": "cells.GRU", "SimpleRNNCell": "cells.SimpleRNN"}


def check_cell(cell: Any) -> None:
    """Checks that a layer was given a cell of this package's kind.

    Raises:
        ConfigError: it was not; what to give instead.
    """
    if isinstance(cell, Cell):
        if cell.takes_constants and isinstance(cell, LinearCell | MatrixLinearCell):
            raise ConfigError(
                f"{type(cell).__name__}: coefficients see the inputs only; join constants to the inputs of each step, "
                "or write a Cell"
            )
        return
    name = type(cell).__name__
    if name in _COUNTERPARTS and isinstance(cell, keras.layers.Layer):
        remedy = f"{_COUNTERPARTS[name]} has the same weights"
    elif isinstance(cell, keras.layers.Layer):
        remedy = "keras.layers.RNN runs Keras's cells; a subclass of Cell has project, recur and update"
    else:
        remedy = "cells.LSTM(units), for example"
    raise ConfigError(f"Recurrent: expected a rnnapps.cells.Cell, got {name}; {remedy}")


def given(others: Sequence[Any], named: Mapping[str, Any], *names: str) -> list[Any]:
    """The arguments of a call by their names, None where they were left out.

    Args:
        others: positional arguments, in the order of `names`.
        named: keyword arguments.
        *names: which to return.
    """
    values = dict(zip(names, others, strict=False)) | {name: named[name] for name in names if name in named}
    return [values.get(name) for name in names]


def as_states(initial_state: Nest) -> list[Any]:
    """The initial states as a list: a layer with one state may be given it bare."""
    return list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]


def check_arguments(
    layer: keras.layers.Layer, sequences: Nest, states: Nest, mask: Nest, *, shapes: Shapes, features: int | None
) -> None:
    """Checks ranks, sizes and the number of states.

    Args:
        layer: the layer that is called; its name stands in messages.
        sequences: should be `(batch, time, features)`.
        states: initial states, should be one `(batch, *shape)` for each of `shapes`, or None.
        mask: should be `(batch, time)`, or None.
        shapes: shapes of the states without their rows.
        features: number of features that the layer was built for, None before.

    Raises:
        ConfigError: what was expected, what was found.
    """
    if isinstance(sequences, list | tuple) and sequences and hasattr(sequences[0], "shape"):
        raise ConfigError(
            f"{layer.name}: expected sequences (batch, time, features), got a list of {len(sequences)} tensors; "
            "pass states as initial_state, and what stays the same over a sequence as constants"
        )
    shape = _shape(sequences)
    if shape is None:
        return
    if len(shape) != 3 or shape[-1] is None:
        raise ConfigError(f"{layer.name}: expected sequences (batch, time, features), got the shape {shape}")
    if features is not None and shape[-1] != features:
        raise ConfigError(
            f"{layer.name}: built for {features} features, got sequences of {shape[-1]} ({shape}); "
            "pass inputs like the first, or make a new layer"
        )
    if mask is not None:
        _check_mask(layer.name, _shape(mask), shape)
    if states is not None:
        _check_states(layer.name, as_states(states), shapes, batch=shape[0])


def check_constants(layer: keras.layers.Layer, sequences: Nest, constants: Nest, cells: Sequence[Cell]) -> None:
    """Checks that constants were given where a cell reads them, with as many rows as the sequences.

    Args:
        layer: the layer that is called; its name stands in messages.
        sequences: `(batch, time, features)`.
        constants: should be a nest of tensors `(batch, ...)` if one of the cells takes constants, else None.
        cells: the layer's cells.

    Raises:
        ConfigError: what was expected, what was found.
    """
    names = [type(cell).__name__ for cell in cells if cell.takes_constants]
    if names and constants is None:
        raise ConfigError(f"{layer.name}: {names[0]} reads constants, but got none; pass constants=...")
    if not names and constants is not None:
        raise ConfigError(
            f"{layer.name}: {type(cells[0]).__name__} takes no constants; join them to the inputs of each step, or "
            "write a cell with constants(memory)"
        )
    shape = _shape(sequences)
    for tensor in tf.nest.flatten(constants) if names else []:
        own = _shape(tensor)
        if shape and own is not None and not (own and _agree(own[0], shape[0])):
            raise ConfigError(
                f"{layer.name}: expected constants (batch, ...) with the rows of sequences {shape}, got the shape {own}"
            )


def check_elapsed(layer: keras.layers.Layer, sequences: Nest, elapsed: Nest, cells: Sequence[Cell]) -> None:
    """Checks that elapsed times were given to a cell that reads them only, and one a step.

    Args:
        layer: the layer that is called; its name stands in messages.
        sequences: `(batch, time, features)`.
        elapsed: should be `(batch, time)`, or None.
        cells: the layer's cells.

    Raises:
        ConfigError: what was expected, what was found.
    """
    if elapsed is None:
        return
    if not any(cell.takes_elapsed for cell in cells):
        name = type(cells[0]).__name__
        raise ConfigError(f"{layer.name}: {name} reads no elapsed time; cells.Elapsed({name}(...)) does")
    shape, expected = _shape(elapsed), _shape(sequences)
    if shape is not None and expected and (len(shape) != 2 or not all(map(_agree, shape, expected))):
        raise ConfigError(
            f"{layer.name}: expected elapsed (batch, time) like sequences {expected}, got the shape {shape}"
        )


def _check_mask(name: str, mask: tuple[Any, ...] | None, shape: tuple[Any, ...]) -> None:
    if mask is not None and (len(mask) != 2 or not all(map(_agree, mask, shape))):
        raise ConfigError(f"{name}: expected a mask (batch, time) like sequences {shape}, got the shape {mask}")


def _check_states(name: str, states: list[Any], shapes: Shapes, *, batch: int | None) -> None:
    if len(states) != len(shapes):
        sizes = [" x ".join(map(str, shape)) for shape in shapes]
        raise ConfigError(
            f"{name}: expected {len(shapes)} initial states, of the sizes {', '.join(sizes)}, "
            f"got {len(states)}; layer.initial_states(batch_size) makes them"
        )
    for number, (state, expected) in enumerate(zip(states, shapes, strict=True)):
        shape = _shape(state)
        if shape is not None and (len(shape) != 1 + len(expected) or not all(map(_agree, shape, (batch, *expected)))):
            wanted = ", ".join(map(str, ("batch" if batch is None else batch, *expected)))
            raise ConfigError(f"{name}: expected initial state {number} as ({wanted}), got the shape {shape}")


def _agree(size: int | None, expected: int | None) -> bool:
    """Whether two sizes can be the same."""
    return size is None or expected is None or size == expected


def _shape(value: Any) -> tuple[Any, ...] | None:
    """The shape of a tensor or of what becomes one, None where it is not known."""
    shape = getattr(value, "shape", None)
    if shape is None:
        shape = tf.convert_to_tensor(value).shape
    return None if getattr(shape, "rank", 0) is None else tuple(shape)


def valid_steps(mask: Tensor | None) -> Tensor | None:
    """A mask of any type as bool: what is not 0 is valid."""
    return None if mask is None else tf.cast(mask, tf.bool)


def matched(states: Tensors, batch: int | None) -> Tensors:
    """The states with the number of rows in their static shapes."""
    return [tf.ensure_shape(state, [batch, *([None] * (state.shape.rank - 1))]) for state in states]
