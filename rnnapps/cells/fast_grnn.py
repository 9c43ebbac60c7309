"""A gated recurrent network for small devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.errors import ConfigError
from rnnapps.types import Tensor

__all__ = ["FastGRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class FastGRNN(DenseCell):
    """FastGRNN, Kusupati et al. 2018 (arXiv:1901.02358), section 3: gate and candidate share their matrices.

        z   = sigmoid(x_t W + h_{t-1} U + b_z)
        g   = tanh(x_t W + h_{t-1} U + b_g)
        h_t = (sigmoid(s) * (1 - z) + sigmoid(n)) * g + z * h_{t-1}

    States: h `(batch, units)`. Weights, biases in the order z, g: kernel W `(features, units)`, recurrent_kernel U
    `(units, units)`, bias b `(2 * units,)`, scale s and shift n, each `(1,)`. With a rank, W or U is the product of
    kernel `(features, rank)` and kernel_up `(rank, units)`, or of recurrent_kernel and recurrent_kernel_up alike.

    Args:
        units: size of the state.
        rank: rank of W; None leaves it whole.
        recurrent_rank: rank of U.
        **kwargs: further arguments of `DenseCell`.

    Raises:
        ConfigError: a rank is not a positive integer.
    """

    blocks: ClassVar[int] = 2

    def __init__(
        self, units: int, *, rank: int | None = None, recurrent_rank: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        for name, value in (("rank", rank), ("recurrent_rank", recurrent_rank)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ConfigError(f"FastGRNN: expected a positive integer or None as {name}, got {value!r}")
        self.rank, self.recurrent_rank = rank, recurrent_rank

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        units, rows = self.units, self.recurrent_size or self.units
        self.kernel = self.make_kernel((input_shape[-1], self.rank or units))
        self.recurrent_kernel = self.make_recurrent_kernel((rows, self.recurrent_rank or units))
        self.kernel_up = self.recurrent_kernel_up = None
        if self.rank:
            self.kernel_up = self.add_weight((self.rank, units), self.kernel_initializer, name="kernel_up")
        if self.recurrent_rank:
            shape = (self.recurrent_rank, units)
            self.recurrent_kernel_up = self.add_weight(shape, self.recurrent_initializer, name="recurrent_kernel_up")
        self.bias = self.make_bias() if self.use_bias else None
        self.scale = self.add_weight((1,), keras.initializers.Constant(1.0), name="scale")
        self.shift = self.add_weight((1,), keras.initializers.Constant(-4.0), name="shift")

    def project(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, ...]:
        """Returns x W + b_z and x W + b_g, each `(..., units)`."""
        both = _product(inputs, self.kernel, self.kernel_up)
        return tuple(keras.ops.split(self.with_bias(keras.ops.concatenate([both, both], axis=-1)), 2, axis=-1))

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U `(..., units)`."""
        return _product(output, self.recurrent_kernel, self.recurrent_kernel_up)

    def gates(self, projected: tuple[Tensor, ...], recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gate and of the candidate, each `(..., units)`."""
        z, candidate = projected
        return {"update": keras.ops.sigmoid(z + recurrent), "candidate": keras.ops.tanh(candidate + recurrent)}

    def update(self, projected: tuple[Tensor, ...], recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        taken = keras.ops.sigmoid(self.scale) * (1 - gates["update"]) + keras.ops.sigmoid(self.shift)
        return (taken * gates["candidate"] + gates["update"] * states[0],)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"rank": self.rank, "recurrent_rank": self.recurrent_rank}


def _product(values: Tensor, kernel: Tensor, up: Tensor | None) -> Tensor:
    """Values times a matrix or times a product of two."""
    first = keras.ops.matmul(values, kernel)
    return first if up is None else keras.ops.matmul(first, up)
