"""The GRU for values that are missing at irregular times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.timed import elapsed_of
from rnnapps.errors import ConfigError
from rnnapps.types import Initializer, Nest, Tensor

__all__ = ["GRUD"]


@keras.saving.register_keras_serializable(package="rnnapps")
class GRUD(Cell):
    """GRU with trainable decays, Che et al. 2016, "GRU-D" (arXiv:1606.01865): missing values fade towards the mean.

        m    = 1 where x_t has a value, 0 where it is NaN
        d_t  = elapsed_t + (1 - m_{t-1}) * d_{t-1}                    time since each feature was last seen
        x'   = m * x_t + (1 - m) * (g_x * last + (1 - g_x) * mean)    g_x = exp(-max(0, w_x * d_t + b_x))
        h'   = g_h * h_{t-1}                                          g_h = exp(-max(0, d_t W_h + b_h))
        z, r = split(sigmoid(x' W_zr + h' U_zr + m V_zr + b_zr))
        h_t  = (1 - z) * h' + z * tanh(x' W_c + (r * h') U_c + m V_c + b_c)

    Missing values are NaN, and need neither filling nor a mask of their own; `Recurrent` takes the time since the step
    before as `elapsed` `(batch, time)`, 1 by default. A row whose features come one at a time is read as it is.

    States: h `(batch, units)`; last seen value less the mean, time since it was seen, and m of the step before, each
    `(batch, features)`. Weights: kernel W, mask_kernel V `(features, 3 * units)`, recurrent_kernel U `(units, 3 *
    units)`, bias b `(3 * units,)`; fading_kernel W_h `(features, units)`, fading_bias b_h `(units,)`, input_rate w_x
    and input_offset b_x `(features,)`.

    Args:
        units: size of the output.
        features: number of input features.
        means: mean of each feature, `(features,)`; 0 for all by default, as of inputs that are scaled.
        half_life: time after which half of a missing value's distance to the mean is left, at the beginning.
        kernel_initializer: initial values of W and V.
        recurrent_initializer: initial values of U.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: a size is not a positive integer, `half_life` is not above 0, or there are not as many means as
            features.
    """

    def __init__(
        self,
        units: int,
        features: int,
        *,
        means: Sequence[float] | None = None,
        half_life: float = 10.0,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units, features, features, features)
        self.units, self.features, self.half_life = units, features, half_life
        self.means = [0.0] * features if means is None else [float(mean) for mean in means]
        if len(self.means) != features:
            raise ConfigError(f"GRUD: expected {features} means, one a feature, got {len(self.means)}")
        if not half_life > 0:
            raise ConfigError(f"GRUD: expected a half_life above 0, got {half_life!r}")
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`.

        Raises:
            ConfigError: the inputs have another number of features.
        """
        if input_shape[-1] != self.features:
            raise ConfigError(f"GRUD: made for {self.features} features, got inputs of {input_shape[-1]}")
        units, features = self.units, self.features
        self.kernel = self.add_weight((features, 3 * units), self.kernel_initializer, name="kernel")
        self.mask_kernel = self.add_weight((features, 3 * units), self.kernel_initializer, name="mask_kernel")
        self.recurrent_kernel = self.add_weight((units, 3 * units), self.recurrent_initializer, name="recurrent_kernel")
        self.bias = self.add_weight((3 * units,), "zeros", name="bias")
        rate = math.log(2) / self.half_life
        self.fading_kernel = self.add_weight(
            (features, units), keras.initializers.Constant(rate / features), name="fading_kernel"
        )
        self.fading_bias = self.add_weight((units,), "zeros", name="fading_bias")
        self.input_rate = self.add_weight((features,), keras.initializers.Constant(rate), name="input_rate")
        self.input_offset = self.add_weight((features,), "zeros", name="input_offset")

    def project(
        self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Returns the values less their means, 0 where missing, m, m V + b, and the time since the step before."""
        seen = keras.ops.logical_not(keras.ops.isnan(inputs))
        mask = keras.ops.cast(seen, self.compute_dtype)
        means = keras.ops.cast(self.means, self.compute_dtype)
        values = keras.ops.where(seen, inputs, means) - means
        driven = keras.ops.matmul(mask, self.mask_kernel) + self.bias
        return values, mask, driven, elapsed_of(inputs, elapsed, self.compute_dtype)

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: how much of the output is left depends on the step."""
        return ()

    def recurrent_weights(self) -> list[keras.Variable]:
        """U, which `update` reads."""
        return [self.recurrent_kernel]

    def gates(self, projected: tuple[Tensor, ...], recurrent: Nest, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """What is left of the output, the update and the reset gate, and the candidate, each `(..., units)`."""
        return self._step(projected, states)[0]

    def update(self, projected: tuple[Tensor, ...], recurrent: Nest, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, last, time, m)."""
        gates, last, gap = self._step(projected, states)
        faded = gates["left"] * states[0]
        return faded + gates["update"] * (gates["candidate"] - faded), last, gap, projected[1]

    def _step(
        self, projected: tuple[Tensor, ...], states: Sequence[Tensor]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The gates, the last seen values less their means, and the times since they were seen."""
        values, mask, driven, elapsed = projected
        output, last, gap, seen = states
        gap = elapsed + (1 - seen) * gap
        filled = values + (1 - mask) * _left(gap * self.input_rate + self.input_offset) * last
        left = _left(keras.ops.matmul(gap, self.fading_kernel) + self.fading_bias)
        faded, units = left * output, self.units
        # W x' of values that were never scaled: the mean's share is taken in by adding it again.
        means = keras.ops.cast(self.means, self.compute_dtype)
        driven = driven + keras.ops.matmul(filled + means, self.kernel)
        past = keras.ops.matmul(faded, self.recurrent_kernel[:, : 2 * units])
        z, r = keras.ops.split(keras.ops.sigmoid(driven[..., : 2 * units] + past), 2, axis=-1)
        past = keras.ops.matmul(r * faded, self.recurrent_kernel[:, 2 * units :])
        candidate = keras.ops.tanh(driven[..., 2 * units :] + past)
        kept = mask * values + (1 - mask) * last
        return {"left": left, "update": z, "reset": r, "candidate": candidate}, kept, gap

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "features": self.features,
            "means": self.means,
            "half_life": self.half_life,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }


def _left(rates: Tensor) -> Tensor:
    """What is left: exp(-max(0, rates))."""
    return keras.ops.exp(-keras.ops.relu(rates))
