"""Zoneout: states that randomly keep their previous value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.kernels.random_mask import random_mask
from rnnapps.types import Nest, Size, Tensor

__all__ = ["Zoneout"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Zoneout(Wrapper):
    """Keeps random units of each state at their previous value, Krueger et al. 2017 (arXiv:1606.01305), equation 3.

        s_t = w * cell(x_t, s_{t-1}) + (1 - w) * s_{t-1}

    While training w is 0 with probability `rate` and 1 otherwise, drawn for every row, step and unit; at inference it
    is 1 - rate, its mean. States: those of the wrapped cell, `(batch, size)` each.

    Args:
        cell: the wrapped cell.
        rate: probability of keeping the previous value, one number or one a state, 0 <= rate < 1.
        seed: seed of the random draws.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: a rate is outside of [0, 1), or there are not as many rates as states.
    """

    def __init__(self, cell: Cell, rate: float | Sequence[float] = 0.1, *, seed: int | None = None, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self.rates = [float(value) for value in rate] if isinstance(rate, Sequence) else [rate] * len(cell.state_size)
        if len(self.rates) != len(cell.state_size) or not all(0 <= value < 1 for value in self.rates):
            raise ConfigError(
                f"Zoneout: expected one rate, or {len(cell.state_size)} (one a state), from 0 up to but not 1; "
                f"got {rate!r}"
            )
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> tuple[Nest, ...]:
        """Returns what the wrapped cell projects and w of each state, `(..., size)` or, at inference, `(..., 1)`."""
        leading = tuple(keras.ops.shape(inputs))[:-1]
        weights = [
            self._blend(leading, *shapes, training) for shapes in zip(self.state_shapes, self.rates, strict=True)
        ]
        return self.cell.project_after(inputs, elapsed, training=training), *weights

    def _blend(self, leading: tuple[Size, ...], shape: tuple[int, ...], rate: float, training: bool) -> Tensor:
        """W of one state: 0 or 1 for every row, step and unit while training, else its mean."""
        if not training:
            return keras.ops.full((*leading, *(1 for _ in shape)), 1 - rate, dtype=self.compute_dtype)
        mask = random_mask((*leading, *shape), 1 - rate, self.seed_generator.next())
        return keras.ops.cast(mask, self.compute_dtype)

    def update(
        self, projected: tuple[Nest, ...], recurrent: Nest, states: Sequence[Tensor], *constants: Nest
    ) -> tuple[Tensor, ...]:
        """Returns the blended states."""
        inner, *weights = projected
        new = self.cell.update(inner, recurrent, states, *constants)
        return tuple(old + w * (now - old) for old, w, now in zip(states, weights, new, strict=True))

    def gates(
        self, projected: tuple[Nest, ...], recurrent: Nest, states: Sequence[Tensor], *constants: Nest
    ) -> dict[str, Tensor]:
        """The gates of the wrapped cell."""
        return self.cell.named_gates(projected[0], recurrent, states, *constants)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"rate": self.rates, "seed": self.seed}
