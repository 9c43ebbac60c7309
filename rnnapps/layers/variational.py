"""Dropout of the same units at every step of a row; Gal & Ghahramani 2016 (arXiv:1512.05287), section 4."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.cells.linear import LinearCell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.kernels.random_mask import random_mask
from rnnapps.types import Size, Tensor

__all__ = ["check_rates", "drawn_inputs", "drawn_mask", "drawn_units"]


def check_rates(cell: Cell, dropout: float, recurrent_dropout: float, weight_drop: float) -> None:
    """Checks shares of dropout.

    Raises:
        ConfigError: a share outside of [0, 1), or recurrent dropout of a cell whose output enters otherwise than by
            recurrent weights.
    """
    rates = {"dropout": dropout, "recurrent_dropout": recurrent_dropout, "weight_drop": weight_drop}
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise ConfigError(f"{name}: expected a share from 0 to below 1, got {rate}")
    inner = cell
    while isinstance(inner, Wrapper):
        inner = inner.cell
    if recurrent_dropout and (cell.recurrent_size is None or isinstance(inner, LinearCell)):
        raise ConfigError(
            f"recurrent_dropout: {type(cell).__name__} does not read its output by one matrix product; take a cell "
            "that does (lstm, gru, simple_rnn...), or cells.Zoneout"
        )


def drawn_inputs(sequences: Tensor, rate: float, generator: keras.random.SeedGenerator) -> Tensor:
    """The sequences `(batch, time, features)`, some features of each row 0 and the others scaled up."""
    return sequences * drawn_mask([tf.shape(sequences)[0], 1, sequences.shape[-1]], rate, generator, sequences.dtype)


def drawn_units(sequences: Tensor, size: int, rate: float, generator: keras.random.SeedGenerator) -> Tensor:
    """What to multiply outputs by before recurrent weights read them: `(batch, size)`, 0 or 1 / (1 - rate)."""
    mask = drawn_mask([tf.shape(sequences)[0], size], rate, generator, sequences.dtype)
    return tf.ensure_shape(mask, [sequences.shape[0], size])


def drawn_mask(
    shape: Sequence[Size], rate: float, generator: keras.random.SeedGenerator, dtype: tf.DType, *, of_rows: bool = True
) -> Tensor:
    """0 with the probability `rate`, else 1 / (1 - rate)."""
    keep = random_mask(shape, 1 - rate, generator.next(), of_rows=of_rows)
    return tf.where(keep, tf.constant(1 / (1 - rate), dtype), tf.constant(0, dtype))
