"""What the cells with a matrix memory have in common: heads of equal sizes, and one kernel for all they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.matrix_linear import MatrixLinearCell, heads_for
from rnnapps.cells.normalize import rms_normalize
from rnnapps.types import Initializer, Tensor, Tensors

__all__ = ["HeadsCell"]


class HeadsCell(MatrixLinearCell):
    """Base class of cells with a memory of `heads` matrices that one kernel W `(features, columns)` feeds.

    Args:
        units: size of the output: that of the values of all heads.
        heads: number of heads, a divisor of `units`; by default that which brings their size nearest to 64.
        key_size: size of a head's keys and queries; by default that of its values, `units / heads`.
        kernel_initializer: initial values of W.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: `heads` is no divisor of `units`, or a size is not a positive integer.
    """

    def __init__(
        self,
        units: int,
        *,
        heads: int | None = None,
        key_size: int | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        count = heads_for(units, heads)
        self.value_size = units // count
        self.key_size = self.value_size if key_size is None else key_size
        # With exponential gates the sum of the keys is kept in a column of its own.
        self.declare_memory(units, count, self.key_size, self.value_size + 1 if self.scaled else self.value_size)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def columns(self) -> list[int]:
        """Sizes of the blocks of W."""
        raise NotImplementedError(f"{type(self).__name__} must define columns()")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weight W for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], sum(self.columns())), self.kernel_initializer, name="kernel")

    def make_gain(self) -> keras.Variable:
        """Adds the gain of `normalized`."""
        return self.add_weight((self.units,), "ones", name="gain")

    def blocks_of(self, values: Tensor) -> Tensors:
        """Cuts `(..., columns)` into the blocks of W."""
        ends = [sum(self.columns()[: n + 1]) for n in range(len(self.columns()) - 1)]
        return list(keras.ops.split(values, ends, axis=-1))

    def normalized(self, values: Tensor, gain: Tensor) -> Tensor:
        """Scales each head `(..., heads, value_size)` to a mean square of 1, and joins them: `(..., units)`."""
        return self.side_by_side(rms_normalize(values)) * gain

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "heads": self.heads,
            "key_size": self.key_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
