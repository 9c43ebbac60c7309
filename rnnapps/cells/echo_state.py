"""The echo state network: a recurrence that is drawn once and never trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from rnnapps.cells.base import Cell
from rnnapps.errors import ConfigError
from rnnapps.types import Initializer, Tensor

__all__ = ["EchoState", "SpectralRadius"]


@keras.saving.register_keras_serializable(package="rnnapps")
class SpectralRadius(keras.initializers.Initializer):
    """A sparse matrix of normal numbers, scaled so that its largest eigenvalue has this size.

    Args:
        radius: size of the largest eigenvalue.
        density: share of the entries that are not 0.
        seed: of the random draws.
    """

    def __init__(self, radius: float = 0.9, *, density: float = 0.1, seed: int | None = None) -> None:
        self.radius, self.density, self.seed = float(radius), float(density), seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the square matrix; without any entry that is not 0 it stays 0."""
        numbers = keras.initializers.RandomNormal(seed=self.seed)(shape, dtype="float32")
        places = keras.initializers.RandomUniform(0, 1, seed=None if self.seed is None else self.seed + 1)(shape)
        matrix = keras.ops.convert_to_numpy(numbers) * (keras.ops.convert_to_numpy(places) < self.density)
        largest = np.abs(np.linalg.eigvals(matrix)).max(initial=0.0)
        return keras.ops.convert_to_tensor(matrix * (self.radius / largest if largest > 0 else 0.0), dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"radius": self.radius, "density": self.density, "seed": self.seed}


@keras.saving.register_keras_serializable(package="rnnapps")
class EchoState(Cell):
    """Echo state network of leaky units, Jaeger et al. 2007 (Neural Networks 20), equation 2: only its readout learns.

        h_t = (1 - a) * h_{t-1} + a * tanh(x_t W + h_{t-1} U + b)

    W, U and b are drawn once and never trained: a layer of such cells has nothing for an optimizer.

    States: h `(batch, units)`. Weights, none of them trainable: kernel W `(features, units)`, recurrent_kernel U
    `(units, units)`, bias b `(units,)`.

    Args:
        units: size of the state.
        leak: a, above 0 and at most 1.
        kernel_initializer: values of W and b.
        recurrent_initializer: values of U; by default `SpectralRadius()`, with which the past fades.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: the leak lies outside of 0 to 1.
    """

    def __init__(
        self,
        units: int,
        *,
        leak: float = 1.0,
        kernel_initializer: Initializer | None = None,
        recurrent_initializer: Initializer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 < leak <= 1:
            raise ConfigError(f"EchoState: expected a leak above 0 and at most 1, got {leak!r}")
        self.declare_states(units)
        self.units, self.leak = units, float(leak)
        self.kernel_initializer = keras.initializers.get(kernel_initializer or keras.initializers.RandomUniform(-1, 1))
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer or SpectralRadius())

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Draws the weights for inputs `(..., features)`."""
        units, first = self.units, self.kernel_initializer
        self.kernel = self.add_weight((input_shape[-1], units), first, name="kernel", trainable=False)
        self.recurrent_kernel = self.add_weight(
            (units, units), self.recurrent_initializer, name="recurrent_kernel", trainable=False
        )
        self.bias = self.add_weight((units,), first, name="bias", trainable=False)

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns x W + b `(..., units)`."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U `(..., units)`."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def recurrent_weights(self) -> list[keras.Variable]:
        """None: with other ones than U its past would fade at another pace."""
        return []

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        return (states[0] + self.leak * (keras.ops.tanh(projected + recurrent) - states[0]),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "leak": self.leak,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
