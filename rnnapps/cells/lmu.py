"""The Legendre memory unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from rnnapps.cells.dense import DenseCell
from rnnapps.errors import ConfigError
from rnnapps.types import Array, Tensor

__all__ = ["LMU", "legendre_memory"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LMU(DenseCell):
    """Legendre memory unit, Voelker et al. 2019 (NeurIPS 32), equations 1 to 7: keeps a window as a polynomial.

        u_t = x_t e_x + h_{t-1} e_h + m_{t-1} e_m                        one number
        m_t = m_{t-1} P + u_t q                                          P and q fixed
        h_t = tanh(x_t W + h_{t-1} U + m_t V + b)

    m holds the coefficients of the Legendre polynomials that come nearest to what u was within the window. P and q are
    the paper's A and B for steps of 1 (zero-order hold).

    States: h `(batch, units)`, m `(batch, order)`. Weights: kernel W `(features, units)`, recurrent_kernel U `(units,
    units)`, bias b `(units,)`; memory_kernel V `(order, units)`; input_encoder e_x `(features, 1)`, output_encoder e_h
    `(units, 1)`, memory_encoder e_m `(order, 1)`, which begins as 0.

    Args:
        units: size of the output.
        order: number of coefficients; `units` by default.
        window: how many steps back the memory reaches.
        **kwargs: further arguments of `DenseCell`.

    Raises:
        ConfigError: a size is not a positive integer, or the window is not above 0.
    """

    blocks: ClassVar[int] = 1
    projectable: ClassVar[bool] = False

    def __init__(self, units: int, *, order: int | None = None, window: float = 100.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if not window > 0:
            raise ConfigError(f"LMU: expected a window above 0 steps, got {window!r}")
        self.order, self.window = units if order is None else order, float(window)
        self.declare_states(units, self.order)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        encoder = keras.initializers.LecunUniform
        self.input_encoder = self.add_weight((input_shape[-1], 1), encoder(), name="input_encoder")
        self.output_encoder = self.add_weight((self.units, 1), encoder(), name="output_encoder")
        self.memory_encoder = self.add_weight((self.order, 1), "zeros", name="memory_encoder")
        self.memory_kernel = self.add_weight((self.order, self.units), self.kernel_initializer, name="memory_kernel")
        self._transition, self._entry = legendre_memory(self.order, self.window)

    def project(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns x W + b `(..., units)` and x e_x `(..., 1)`."""
        return super().project(inputs, training=training), keras.ops.matmul(inputs, self.input_encoder)

    def recur(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Returns h U `(..., units)` and h e_h `(..., 1)`."""
        return super().recur(output), keras.ops.matmul(output, self.output_encoder)

    def update(
        self, projected: tuple[Tensor, Tensor], recurrent: tuple[Tensor, Tensor], states: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Returns the new states (h, m)."""
        memory = states[1]
        entering = projected[1] + recurrent[1] + keras.ops.matmul(memory, self.memory_encoder)
        transition, entry = (keras.ops.cast(part, self.compute_dtype) for part in (self._transition, self._entry))
        memory = keras.ops.matmul(memory, transition) + entering * entry
        return keras.ops.tanh(projected[0] + recurrent[0] + keras.ops.matmul(memory, self.memory_kernel)), memory

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"order": self.order, "window": self.window}


def legendre_memory(order: int, window: float) -> tuple[Array, Array]:
    """What a step of 1 does to the coefficients m, a row: m P + u q.

        window * dm/dt = A m + B u         A_ij = (2i + 1) (-1 where i < j, else (-1)^(i-j+1)), B_i = (2i + 1) (-1)^i

    Returns:
        P `(order, order)` and q `(order,)`: exp(A / window) and A^-1 (exp(A / window) - I) B, transposed.
    """
    from scipy.linalg import expm

    row, column = np.ogrid[:order, :order]
    scale = 2.0 * row + 1
    drift = scale * np.where(row < column, -1.0, (-1.0) ** (row - column + 1))
    joined = np.zeros((order + 1, order + 1))  # whose exponential holds both
    joined[:order, :order], joined[:order, order:] = drift / window, scale * (-1.0) ** row / window
    held = expm(joined)
    return held[:order, :order].T.copy(), held[:order, order].copy()
