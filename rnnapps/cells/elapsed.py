"""States that fade with the time between two steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.timed import elapsed_of
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["Elapsed"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Elapsed(Wrapper):
    """Fades the states of a cell as time goes by between two steps, as GRU-D does, Che et al. 2016 (arXiv:1606.01865).

        g_t = exp(-max(0, w * d_t + b))                            d_t the time since the step before
        s_t = cell(x_t, g_t * s_{t-1})

    with a w and a b for each unit of each state; for a state of several axes, for each entry of its first, so that a
    matrix memory fades by heads. States that hold logarithms of scales stay as they are. `Recurrent` takes the time as
    `elapsed`, `(batch, time)`; without it each step follows the one before by 1.

    States: those of the wrapped cell. Weights: those of the cell; fading_rate w and fading_offset b, `(any,)`, those of
    all states side by side.

    Args:
        cell: the wrapped cell. Its recurrent weights read the faded output, in `update`.
        half_life: time after which half of a state is left, at the beginning of training. Choose the unit of time so
            that gaps are about 1: what is learned is w.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: `half_life` is not above 0.
    """

    def __init__(self, cell: Cell, *, half_life: float = 10.0, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        if not half_life > 0:
            raise ConfigError(f"Elapsed: expected a half_life above 0, got {half_life!r}")
        self.half_life, self.recurrent_size = half_life, None

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the wrapped cell for inputs `(..., features)`, then w and b."""
        self.cell.build_for(inputs_shape, constants_shape)
        shape = (sum(self._fading_sizes()),)
        rate = keras.initializers.Constant(math.log(2) / self.half_life)
        self.fading_rate = self.add_weight(shape, rate, name="fading_rate")
        self.fading_offset = self.add_weight(shape, "zeros", name="fading_offset")

    @property
    def takes_elapsed(self) -> bool:
        """True."""
        return True

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> tuple[Nest, Tensor]:
        """Returns what the wrapped cell projects, and the time since the step before `(..., 1)`."""
        inner = self.cell.project_after(inputs, elapsed if self.cell.takes_elapsed else None, training=training)
        return inner, elapsed_of(inputs, elapsed, self.compute_dtype)

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: how much of the output is left depends on the step."""
        return ()

    def update(
        self, projected: tuple[Nest, Tensor], recurrent: tuple[()], states: Sequence[Tensor], *constants: Nest
    ) -> tuple[Tensor, ...]:
        """Returns the new states of the wrapped cell."""
        faded = self._faded(projected[1], states)
        return self.cell.update(projected[0], self.cell.recur(faded[0]), faded, *constants)

    def gates(
        self, projected: tuple[Nest, Tensor], recurrent: tuple[()], states: Sequence[Tensor], *constants: Nest
    ) -> dict[str, Tensor]:
        """The gates of the wrapped cell, and what is left of the output `(..., units)`."""
        faded = self._faded(projected[1], states)
        left = {"left": self._left(projected[1])[..., : self.output_size]}
        return self.cell.named_gates(projected[0], self.cell.recur(faded[0]), faded, *constants) | left

    def _fading_sizes(self) -> list[int]:
        """How many entries of w each state has."""
        shapes = self.state_shapes
        return [0 if place in self.log_states else shape[0] for place, shape in enumerate(shapes)]

    def _left(self, elapsed: Tensor) -> Tensor:
        """What is left of all states side by side `(..., any)` after a time `(..., 1)`."""
        return keras.ops.exp(-keras.ops.relu(elapsed * self.fading_rate + self.fading_offset))

    def _faded(self, elapsed: Tensor, states: Sequence[Tensor]) -> Tensors:
        """The states before a step, after a time `(..., 1)`."""
        left, sizes = self._left(elapsed), self._fading_sizes()
        leading, faded = tuple(keras.ops.shape(left))[:-1], []
        for place, (state, size) in enumerate(zip(states, sizes, strict=True)):
            begin, axes = sum(sizes[:place]), len(self.state_shapes[place])
            part = keras.ops.reshape(left[..., begin : begin + size], (*leading, size, *([1] * (axes - 1))))
            faded.append(state if place in self.log_states else part * state)
        return faded

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"half_life": self.half_life}
