"""What a recurrent layer runs on, once its arguments were checked and completed."""

from __future__ import annotations

from typing import NamedTuple

from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["Running"]


class Running(NamedTuple):
    """One call of a layer.

    Attributes:
        sequences: inputs `(batch, time, features)`.
        states: states before the first step, each `(batch, *shape)`.
        mask: bool `(batch, time)`, True where a step is valid, or None.
        kept: `(batch, output_size)`, what the output is multiplied by before recurrent weights read it, or None.
        memory: what the cell's `constants` are made of, or None.
        elapsed: time since the step that ran before, `(batch, time, 1)`, or None.
        dropped: what stands for the cell's recurrent weights, some of their entries 0, or None.
    """

    sequences: Tensor
    states: Tensors
    mask: Tensor | None = None
    kept: Tensor | None = None
    memory: Nest = None
    elapsed: Tensor | None = None
    dropped: Tensors | None = None
