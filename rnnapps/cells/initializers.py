"""Initial values that several cells share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.errors import ConfigError
from rnnapps.types import Initializer, Tensor

__all__ = [
    "Blocks",
    "Chrono",
    "DecayLogits",
    "GateConstants",
    "InverseSoftplus",
    "LogUniform",
    "OneGateConstant",
    "RingLogits",
    "Spread",
]


@keras.saving.register_keras_serializable(package="rnnapps")
class GateConstants(keras.initializers.Initializer):
    """Fills a bias made of equal blocks, one a gate, with one constant a block.

    `GateConstants([0, 1, 0, 0])` is the unit forget bias of an LSTM (Jozefowicz et al. 2015).
    """

    def __init__(self, values: Sequence[float]) -> None:
        self.values = [float(value) for value in values]

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the bias `(gates * units,)`."""
        return keras.ops.repeat(keras.ops.convert_to_tensor(self.values, dtype), shape[-1] // len(self.values))

    def get_config(self) -> dict[str, Any]:
        """The constants."""
        return {"values": self.values}


@keras.saving.register_keras_serializable(package="rnnapps")
class OneGateConstant(keras.initializers.Initializer):
    """Fills a bias made of equal blocks, one a gate, by another initialiser, but one block with a constant.

    Args:
        initializer: fills the other blocks.
        blocks: number of blocks.
        place: which one is constant, from 0.
        value: the constant.
    """

    def __init__(self, initializer: Initializer, *, blocks: int, place: int, value: float) -> None:
        self.initializer = keras.initializers.get(initializer)
        self.blocks, self.place, self.value = blocks, place, float(value)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the bias `(..., blocks * units)`."""
        parts = keras.ops.split(self.initializer(shape, dtype=dtype), self.blocks, axis=-1)
        parts[self.place] = keras.ops.full_like(parts[self.place], self.value)
        return keras.ops.concatenate(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        inner = keras.initializers.serialize(self.initializer)
        return {"initializer": inner, "blocks": self.blocks, "place": self.place, "value": self.value}


@keras.saving.register_keras_serializable(package="rnnapps")
class Blocks(keras.initializers.Initializer):
    """Fills a vector made of blocks of any sizes, each by an initialiser of its own.

    Args:
        blocks: pairs of an initialiser and the size of its block.
    """

    def __init__(self, blocks: Sequence[tuple[Initializer, int]]) -> None:
        self.blocks = [(keras.initializers.get(initializer), size) for initializer, size in blocks]

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the vector `(sum of the sizes,)`."""
        return keras.ops.concatenate([initializer((size,), dtype=dtype) for initializer, size in self.blocks])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"blocks": [[keras.initializers.serialize(initializer), size] for initializer, size in self.blocks]}


@keras.saving.register_keras_serializable(package="rnnapps")
class Spread(keras.initializers.Initializer):
    """Fills a vector with values evenly from `first` to `last`, their mean if there is one only."""

    def __init__(self, first: float, last: float) -> None:
        self.first, self.last = float(first), float(last)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the vector `(size,)`."""
        if shape[-1] == 1:
            return keras.ops.full(shape, (self.first + self.last) / 2, dtype=dtype)
        return keras.ops.linspace(self.first, self.last, shape[-1], dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"first": self.first, "last": self.last}


class _Drawn(keras.initializers.Initializer):
    """Base of those that fill a weight with a function of what is drawn between two bounds."""

    def __init__(self, low: float, high: float, seed: int | None = None) -> None:
        self.low, self.high, self.seed = float(low), float(high), seed

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"low": self.low, "high": self.high, "seed": self.seed}


@keras.saving.register_keras_serializable(package="rnnapps")
class LogUniform(_Drawn):
    """Logarithms of what is drawn evenly from `low` to `high`."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the weight."""
        drawn = keras.initializers.RandomUniform(self.low, self.high, seed=self.seed)(shape, dtype=dtype)
        return keras.ops.log(drawn)


@keras.saving.register_keras_serializable(package="rnnapps")
class InverseSoftplus(_Drawn):
    """Values whose softplus lies from `low` to `high`, its logarithm drawn evenly (Gu & Dao 2023, arXiv:2312.00752)."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the weight."""
        bounds = math.log(self.low), math.log(self.high)
        return _inverse_softplus(keras.ops.exp(keras.initializers.RandomUniform(*bounds, seed=self.seed)(shape, dtype)))


@keras.saving.register_keras_serializable(package="rnnapps")
class DecayLogits(_Drawn):
    """Values whose sigmoid to a power is drawn evenly from `low` to `high` (De et al. 2024, arXiv:2402.19427)."""

    def __init__(self, low: float, high: float, *, power: float, seed: int | None = None) -> None:
        super().__init__(low, high, seed)
        self.power = float(power)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the weight."""
        drawn = keras.initializers.RandomUniform(self.low, self.high, seed=self.seed)(shape, dtype=dtype)
        return -_inverse_softplus(-keras.ops.log(drawn) / self.power)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"power": self.power}


@keras.saving.register_keras_serializable(package="rnnapps")
class RingLogits(_Drawn):
    """Values n of radii exp(-exp(n)), their squares even from `low` ** 2 to `high` ** 2 (arXiv:2303.06349)."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the weight."""
        squares = keras.initializers.RandomUniform(self.low**2, self.high**2, seed=self.seed)(shape, dtype=dtype)
        return keras.ops.log(-keras.ops.log(squares) / 2)


def _inverse_softplus(values: Tensor) -> Tensor:
    """What has these softplus."""
    return values + keras.ops.log(-keras.ops.expm1(-values))


@keras.saving.register_keras_serializable(package="rnnapps")
class Chrono(keras.initializers.Initializer):
    """Biases of gates that remember for up to `longest` steps, Tallec & Ollivier 2018 (arXiv:1804.11188), section 3.

    The forget gate's is the logarithm of a number of steps drawn from 1 to `longest` - 1, the input gate's its
    negative, all others 0: `LSTM(64, forget_bias=None, bias_initializer=Chrono(1000, blocks=4, forget=1, input=0))`.

    Args:
        longest: the longest dependence that is expected, in steps, at least 3.
        blocks: number of blocks, one a gate or candidate.
        forget: place of the gate that keeps the state, from 0.
        input: place of the gate that lets the input in; None where the cell has none apart.
        negated: whether an open `forget` gate forgets, as the update gate of `MinGRU` does.
        seed: of the random draws.
    """

    def __init__(
        self,
        longest: float,
        *,
        blocks: int,
        forget: int,
        input: int | None = None,
        negated: bool = False,
        seed: int | None = None,
    ) -> None:
        if not longest >= 3:
            raise ConfigError(f"Chrono: expected a longest dependence of at least 3 steps, got {longest!r}")
        self.longest, self.blocks, self.forget, self.input = float(longest), blocks, forget, input
        self.negated, self.seed = negated, seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Returns the bias `(..., blocks * units)`."""
        parts = keras.ops.split(keras.ops.zeros(shape, dtype=dtype), self.blocks, axis=-1)
        drawn = LogUniform(1.0, self.longest - 1, seed=self.seed)(parts[0].shape, dtype=dtype)
        parts[self.forget] = -drawn if self.negated else drawn
        if self.input is not None:
            parts[self.input] = -parts[self.forget]
        return keras.ops.concatenate(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        names = ("longest", "blocks", "forget", "input", "negated", "seed")
        return {name: getattr(self, name) for name in names}
