"""Normalisation around a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.normalize import normalize, rms_normalize
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Tensor

__all__ = ["Normalized"]

Norm = Literal["layer", "rms"]
Place = Literal["inputs", "outputs"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Normalized(Wrapper):
    """Normalises what a cell reads or returns, Ba et al. 2016 (arXiv:1607.06450) or Zhang & Sennrich 2019 (1910.07467).

        norm(x) = gain * (x - mean(x)) / sqrt(variance(x) + 1e-5) + bias              "layer"
        norm(x) = gain * x / sqrt(mean(x * x) + 1e-5)                                 "rms"

    over the features of a step. `Residual(Normalized(cell))` is the pre-norm block of Xiong et al. 2020
    (arXiv:2002.04745). All steps are normalised at once, before or behind the recurrence, which stays what it is and
    runs as fast; `LayerNormLSTM` and `LayerNormGRU` normalise within it.

    States: those of the wrapped cell. Weights: those of the cell, norm_gain and, with "layer", norm_bias:
    `(features,)`, or `(output_size,)` of outputs.

    Args:
        cell: the wrapped cell.
        norm: which.
        place: what is normalised, the "inputs" of the cell or its "outputs".
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: there is no such normalisation or place.
    """

    def __init__(self, cell: Cell, norm: Norm = "layer", *, place: Place = "inputs", **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        for name, value, choices in (("norm", norm, get_args(Norm)), ("place", place, get_args(Place))):
            if value not in choices:
                raise ConfigError(f"Normalized: expected {' or '.join(map(repr, choices))} as {name}, got {value!r}")
        self.norm, self.place = norm, place

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the wrapped cell for inputs `(..., features)`, then gain and bias."""
        super().build(inputs_shape, constants_shape)
        shape = (inputs_shape[-1] if self.place == "inputs" else self.output_size,)
        self.norm_gain = self.add_weight(shape, "ones", name="norm_gain")
        self.norm_bias = self.add_weight(shape, "zeros", name="norm_bias") if self.norm == "layer" else None

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> Nest:
        """Returns what the wrapped cell projects of the inputs, normalised if they are to be."""
        return super().project(self._read(inputs), training=training, elapsed=elapsed)

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Returns what the wrapped cell emits, normalised if outputs are to be."""
        emitted = self.cell.emit(self._read(inputs), outputs, training=training)
        return self._normalized(emitted) if self.place == "outputs" else emitted

    def _read(self, inputs: Tensor) -> Tensor:
        """What the wrapped cell reads."""
        return self._normalized(inputs) if self.place == "inputs" else inputs

    def _normalized(self, values: Tensor) -> Tensor:
        """The norm of values `(..., features)`."""
        if self.norm == "rms":
            return rms_normalize(values) * self.norm_gain
        return normalize(values) * self.norm_gain + self.norm_bias

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"norm": self.norm, "place": self.place}
