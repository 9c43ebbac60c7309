"""The contract of a cell whose units are the places of a line or of a picture, each of which sees its neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.base import Cell
from rnnapps.errors import ConfigError
from rnnapps.types import Initializer, Tensor

__all__ = ["MapCell"]


class MapCell(Cell):
    """Base class of cells that read their input and their past by convolutions, all places by the same weights.

    Maps are flat: `(batch, time, height * width * channels)`, as `keras.layers.Reshape` makes of pictures, goes in, and
    `(batch, time, height * width * filters)` comes out; a line has one axis less. Convolutions pad with zeros and keep
    the size. What is projected, and what `recur` returns, is `(..., places, blocks * filters)`.

    A subclass sets `blocks` and writes `update`.

    Weights: kernel `(*size, channels, blocks * filters)`, recurrent_kernel `(*size, filters, blocks * filters)`, bias
    `(blocks * filters,)`.

    Args:
        filters: numbers of a state at each place.
        map_shape: places of a map, `(height, width)`, or `(length,)` of a line.
        kernel_size: places that each convolution sees, along each axis.
        kernel_initializer: initial values of the kernel.
        recurrent_initializer: initial values of the recurrent kernel.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: a size is not a positive integer, or a map has other than one or two axes.

    Attributes:
        blocks: number of gates and candidates.
        places: number of places of a map.
    """

    blocks: ClassVar[int] = 1

    def __init__(
        self,
        filters: int,
        map_shape: Sequence[int],
        *,
        kernel_size: int = 3,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.map_shape, self.kernel_size = filters, tuple(map_shape), kernel_size
        if len(self.map_shape) not in (1, 2):
            raise ConfigError(f"{type(self).__name__}: expected a map_shape of 1 or 2 axes, got {tuple(map_shape)}")
        if any(not isinstance(size, int) or size < 1 for size in (filters, *self.map_shape, kernel_size)):
            raise ConfigError(
                f"{type(self).__name__}: expected positive integers as filters, map_shape and kernel_size, got "
                f"{filters!r}, {self.map_shape!r} and {kernel_size!r}"
            )
        self.places = math.prod(self.map_shape)
        self.declare_states(self.places * filters)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for flat maps `(..., places * channels)`.

        Raises:
            ConfigError: the features are no maps of this shape.
        """
        features = input_shape[-1] or 0
        if features % self.places:
            raise ConfigError(
                f"{type(self).__name__}: {features} features are no maps of {' x '.join(map(str, self.map_shape))} "
                "places; give places times channels"
            )
        size, columns = (self.kernel_size,) * len(self.map_shape), self.blocks * self.filters
        shape = (*size, features // self.places, columns)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        shape = (*size, self.filters, columns)
        self.recurrent_kernel = self.add_weight(shape, self.recurrent_initializer, name="recurrent_kernel")
        self.bias = self.make_bias()

    def make_bias(self) -> keras.Variable:
        """Adds the bias."""
        return self.add_weight((self.blocks * self.filters,), "zeros", name="bias")

    def by_places(self, values: Tensor) -> Tensor:
        """Parts flat maps into places: `(..., places * size)` -> `(..., places, size)`."""
        leading = tuple(keras.ops.shape(values))[:-1]
        return keras.ops.reshape(values, (*leading, self.places, values.shape[-1] // self.places))

    def flat(self, values: Tensor) -> Tensor:
        """Joins places: `(..., places, size)` -> `(..., places * size)`."""
        leading = tuple(keras.ops.shape(values))[:-2]
        return keras.ops.reshape(values, (*leading, self.places * values.shape[-1]))

    def convolved(self, values: Tensor, kernel: Tensor) -> Tensor:
        """Flat maps through a convolution: `(..., places * channels)` -> `(..., places, columns)`."""
        leading = tuple(keras.ops.shape(values))[:-1]
        maps = keras.ops.reshape(values, (-1, *self.map_shape, values.shape[-1] // self.places))
        seen = keras.ops.conv(maps, kernel, padding="same", data_format="channels_last")
        return keras.ops.reshape(seen, (*leading, self.places, kernel.shape[-1]))

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the convolved inputs and the bias `(..., places, blocks * filters)`."""
        return self.convolved(inputs, self.kernel) + self.bias

    def recur(self, output: Tensor) -> Tensor:
        """Returns the convolved output `(..., places, blocks * filters)`."""
        return self.convolved(output, self.recurrent_kernel)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "filters": self.filters,
            "map_shape": list(self.map_shape),
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
