"""The contract of a linear cell whose state is a matrix a head, and whose time steps are computed by chunks."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.base import Cell
from rnnapps.errors import ConfigError
from rnnapps.kernels.matrix_step import MatrixInputs, is_given, matrix_step
from rnnapps.types import Nest, Tensor

__all__ = ["MatrixInputs", "MatrixLinearCell", "heads_for"]

USUAL_HEAD = 64


class MatrixLinearCell(Cell):
    """Base class of cells that write keys and values into a matrix a head, and read it by a query.

        S_t = a_t * S_{t-1} + k_t v_t'                                  a matrix memory that decays
        S_t = a_t * S_{t-1} + b_t k_t (v_t - (a_t * S_{t-1})' k_t)'     one that corrects what it holds: the delta rule
        S_t = a_t * S_{t-1} - (e_t * r_t) (S_{t-1}' r_t)' + k_t v_t'    one that removes what it holds under other keys
        h_t = read(S_t' q_t)

    A subclass writes `coefficients(inputs)`, which sees the inputs only, and may write `read`. All steps then follow
    from matrix products over chunks of time (`rnnapps.kernels.chunkwise`). `rnnapps.kernels.matrix_step` says what
    each coefficient does; with `scaled` the input gate may be an exponential.

    States: h `(batch, units)`, S `(batch, heads, key_size, value_size)`, and with `scaled` the logarithm m of what S
    is divided by `(batch, heads)`. Subclasses call `declare_memory` in `__init__` and make all weights in `build`.

    Attributes:
        scaled: whether `coefficients` returns `log_input`, the logarithm of an exponential input gate.
        least_log_decay: no `log_decay` is below it, where there is such a bound. Rows that decay by themselves then
            need no more time than those that decay alike.
    """

    scaled: ClassVar[bool] = False
    least_log_decay: float | None = None

    def declare_memory(self, units: int, heads: int, key_size: int, value_size: int) -> None:
        """Sets the sizes of the states; `read` returns `(..., units)`."""
        scale = [(heads,)] if self.scaled else []
        self.declare_states(units, (heads, key_size, value_size), *scale)
        self.units, self.heads = units, heads
        self.log_states = (2,) if self.scaled else ()

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Maps inputs `(..., features)` to queries, keys, values, decays and gates of each step."""
        raise NotImplementedError(f"{type(self).__name__} must define coefficients(inputs, training)")

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Maps what was read `(..., heads, value_size)` to the output `(..., units)`; by default heads side by side.

        Args:
            values: S' q, in float32 or better.
            inputs: what `coefficients` returned.
            log_scale: m `(..., heads)` if the cell is `scaled`.
        """
        return self.side_by_side(values)

    def side_by_side(self, values: Tensor) -> Tensor:
        """Joins heads: `(..., heads, size)` -> `(..., heads * size)` in the compute dtype."""
        leading = tuple(keras.ops.shape(values))[:-2]
        joined = keras.ops.reshape(values, (*leading, values.shape[-2] * values.shape[-1]))
        return keras.ops.cast(joined, self.compute_dtype)

    def by_heads(self, values: Tensor) -> Tensor:
        """Parts into heads: `(..., heads * size)` -> `(..., heads, size)`."""
        leading = tuple(keras.ops.shape(values))[:-1]
        return keras.ops.reshape(values, (*leading, self.heads, values.shape[-1] // self.heads))

    @property
    def takes_elapsed(self) -> bool:
        """Whether `coefficients` reads the time since the step before: whether it has a parameter `elapsed`."""
        return "elapsed" in inspect.signature(type(self).coefficients).parameters

    def project(self, inputs: Tensor, training: bool = False, **elapsed: Any) -> MatrixInputs:
        """Returns the coefficients of each step.

        Raises:
            ConfigError: they are such as no kernel can take together.
        """
        projected = self.coefficients(inputs, training=training, **elapsed)
        if is_given(projected.log_input) != self.scaled:
            raise ConfigError(
                f"{type(self).__name__}: expected log_input of coefficients if scaled is True, and only then; "
                f"scaled is {self.scaled}"
            )
        if self.scaled and (is_given(projected.beta) or projected.log_decay.shape[-1] != 1):
            raise ConfigError(f"{type(self).__name__}: with log_input expected one decay a head, and no beta")
        removes = is_given(projected.removal)
        if removes != is_given(projected.rate) or (removes and (self.scaled or is_given(projected.beta))):
            raise ConfigError(
                f"{type(self).__name__}: expected removal and rate of coefficients together, without beta or log_input"
            )
        return projected

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: the past enters by the memory only."""
        return ()

    def gates(self, projected: MatrixInputs, recurrent: tuple[()], states: Sequence[Tensor]) -> dict[str, Tensor]:
        """Decays of the memory, `(..., heads * 1)` or `(..., heads * key_size)`, and rates of writing or removal."""
        beta = {"input": projected.beta} if is_given(projected.beta) else {}
        rate = {"removal": self.side_by_side(projected.rate)} if is_given(projected.rate) else {}
        return {"forget": self.side_by_side(keras.ops.exp(projected.log_decay)), **beta, **rate}

    def update(self, projected: MatrixInputs, recurrent: tuple[()], states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states: the output, the memory, and the logarithm of its scale if the cell is `scaled`."""
        _, memory, *scale = states
        values, memory, new_scale = matrix_step(projected, memory, scale[0] if scale else ())
        output = self.read(values, projected, new_scale)
        new = [memory, new_scale] if self.scaled else [memory]
        return output, *(keras.ops.cast(state, self.compute_dtype) for state in new)


def heads_for(units: int, heads: int | None) -> int:
    """The number of heads: the given one, or the divisor of `units` that brings their size nearest to 64.

    Raises:
        ConfigError: the heads would differ in size.
    """
    if heads is None:
        sizes = [size for size in range(1, units + 1) if units % size == 0]
        nearest = min(sizes, key=lambda size: max(size, USUAL_HEAD) / min(size, USUAL_HEAD))
        return units // nearest
    if not isinstance(heads, int) or heads < 1 or units % heads:
        raise ConfigError(f"heads: expected a divisor of the {units} units, got {heads!r}")
    return heads
