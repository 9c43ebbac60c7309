"""What is known of the series met last, and no more of them than were asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Recent"]

ValueT = TypeVar("ValueT")


class Recent(Generic[ValueT]):
    """A mapping by name that drops what was put into it longest ago.

    Args:
        most: names that are kept.

    Attributes:
        dropped: how many were dropped.
    """

    def __init__(self, most: int) -> None:
        self.most, self.dropped = most, 0
        self._values: OrderedDict[str, ValueT] = OrderedDict()

    def __len__(self) -> int:
        """Number of names."""
        return len(self._values)

    def __iter__(self) -> Iterator[tuple[str, ValueT]]:
        """Names and values, the one put longest ago first."""
        return iter(self._values.items())

    def get(self, name: str) -> ValueT | None:
        """What is known of a name."""
        return self._values.get(name)

    def put(self, name: str, value: ValueT) -> str | None:
        """Keeps a value; the name that was dropped for it, if any."""
        self._values[name] = value
        self._values.move_to_end(name)
        if len(self._values) <= self.most:
            return None
        self.dropped += 1
        return self._values.popitem(last=False)[0]
