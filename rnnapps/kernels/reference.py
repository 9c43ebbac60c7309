"""Naive twins of the fast kernels: plain loops over time, differentiated by the tape that records them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from rnnapps.kernels.step import beside
from rnnapps.types import Nest, Tensor, Tensors

if TYPE_CHECKING:
    from rnnapps.kernels.step import KernelCell

__all__ = ["hidden_states", "scan"]


def scan(
    cell: KernelCell,
    projected: Nest,
    states: Sequence[Tensor],
    *,
    mask: Tensor | None = None,
    kept: Tensor | None = None,
    constants: tuple[Nest, ...] = (),
    reverse: bool = False,
) -> tuple[Tensor, Tensors]:
    """Runs a cell over a whole sequence, step by step.

    Args:
        cell: a `rnnapps.cells.Cell` whose weights are built.
        projected: what `cell.project` made of the whole sequence, `(batch, time, any)` or a nest of such, with a
            static number of time steps, at least 1.
        states: initial states, each `(batch, size)`.
        mask: bool `(batch, time)`, True where a step is valid; a masked step carries the states through.
        kept: `(batch, output_size)`, what the output is multiplied by before `recur` reads it, in every step.
        constants: what `cell.constants` made, alone in a tuple; empty for a cell that takes none.
        reverse: run from the last step to the first; outputs keep the order of the inputs.

    Returns:
        Outputs `(batch, time, output_size)` and the final states, each `(batch, size)`.
    """
    steps = hidden_states(cell, projected, states, mask=mask, kept=kept, constants=constants, reverse=reverse)
    return tf.stack([step[0] for step in steps], axis=1), steps[0 if reverse else -1]


def hidden_states(
    cell: KernelCell,
    projected: Nest,
    states: Sequence[Tensor],
    *,
    mask: Tensor | None = None,
    kept: Tensor | None = None,
    constants: tuple[Nest, ...] = (),
    reverse: bool = False,
) -> list[Tensors]:
    """The states after every time step, as tensors of their own: a tape that recorded them yields dL/dh_t.

    Arguments as in `scan`.

    Returns:
        For each time step, in the order of the inputs, its list of states, each `(batch, size)`.
    """
    current, history = list(states), []
    times = range(tf.nest.flatten(projected)[0].shape[1])
    for t in reversed(times) if reverse else times:
        step = tf.nest.map_structure(lambda sequence, t=t: sequence[:, t], projected)
        read = current[0] if kept is None else current[0] * kept
        new = list(cell.update(step, cell.recur(read), current, *constants))
        if mask is not None:
            new = [
                tf.where(beside(mask[:, t], after), after, before) for after, before in zip(new, current, strict=True)
            ]
        current = new
        history.append(current)
    return history[::-1] if reverse else history
