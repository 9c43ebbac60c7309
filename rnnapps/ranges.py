"""What a search may try of a setting, declared at the field of its dataclass.

    @dataclass(frozen=True)
    class ModelConfig(RecurrentConfig):
        code_units: int = searched(16, 2, 256, logarithmic=True, factor=2)
        pooling: Pooling = chosen("mean", "mean", "last")

A class that gives an inherited field another default keeps its range.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

__all__ = ["Choices", "Range", "chosen", "range_of", "searched"]

DIGITS = 6
"""Of bounds that are computed from a value."""

KEY = "rnnapps.search"
"""Where a field keeps what may be tried."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: the least one.
        high: the largest.
        logarithmic: equal ratios are equally likely, instead of equal differences.
        factor: how far from its value in the configuration that is begun with: at most so many times it, and at least
            so many times less. Keeps a search for a small model from training large ones.
    """

    low: float
    high: float
    logarithmic: bool = False
    factor: float = math.inf

    def around(self, value: float) -> Range:
        """The part of it that is near a value, which always belongs to it; with 0 in it, ratios say nothing."""
        low, high = self.low, self.high
        if value and math.isfinite(self.factor):
            low, high = max(low, value / self.factor), min(high, value * self.factor)
        if isinstance(value, int):
            low, high = math.ceil(low), math.floor(high)
        else:
            low, high = float(f"{low:.{DIGITS}g}"), float(f"{high:.{DIGITS}g}")
        low, high = min(low, value), max(high, value)
        return Range(low, high, self.logarithmic and low > 0)


@dataclass(frozen=True)
class Choices:
    """A few values.

    Attributes:
        values: each of them.
    """

    values: tuple[Any, ...]


def searched(default: Any, low: float, high: float, *, logarithmic: bool = False, factor: float = math.inf) -> Any:
    """A field of numbers that a search may change; arguments as in `Range`."""
    return dataclasses.field(default=default, metadata={KEY: Range(low, high, logarithmic, factor)})


def chosen(default: Any, *values: object) -> Any:
    """A field of which a search may try some values."""
    return dataclasses.field(default=default, metadata={KEY: Choices(values)})


def range_of(config_class: type, name: str) -> Range | Choices | None:
    """What may be tried of a field, as the class says it, or the nearest one it inherits from; None for nothing."""
    for owner in config_class.__mro__:
        field = vars(owner).get("__dataclass_fields__", {}).get(name)
        if field is not None and KEY in field.metadata:
            declared: Range | Choices = field.metadata[KEY]
            return declared
    return None
