"""How much of a source is read into memory, and how much room what is kept on disk instead may take."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from rnnapps.config import require
from rnnapps.data.bad_examples import BadExamplesConfig

__all__ = ["LARGE_DATA_SETTINGS", "LargeDataConfig"]

LARGE_DATA_SETTINGS = frozenset({"data.memory_megabytes", "data.cache_megabytes"})
"""What a run may change: where data are kept says nothing of what they are."""

MOST_MEGABYTES = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class LargeDataConfig(BadExamplesConfig):
    """Settings of data that may be larger than memory.

    Attributes:
        memory_megabytes: size of a source, as its files are, from which on it is read once in pieces, kept in the cache
            folder in the form that training needs, and read from there; smaller ones are kept in memory.
        cache_megabytes: disk space for what is kept there; beyond it what was not used for longest is removed.

    Raises:
        ConfigError: a value is out of range.
    """

    memory_megabytes: int = 500
    cache_megabytes: int = 100_000

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        for name, least in (("memory_megabytes", 0), ("cache_megabytes", 1)):
            value = getattr(self, name)
            require(f"data.{name}", value, f"from {least} to {MOST_MEGABYTES:,}", least <= value <= MOST_MEGABYTES)

    def keeps_in_memory(self, source: str, size: int) -> bool:
        """Whether so many bytes are; where not, it is told."""
        if size <= self.memory_megabytes << 20:
            return True
        told = f"{size / 2**20:,.0f} MB are more than --data.memory_megabytes {self.memory_megabytes:,}"
        print(f"note: {source}: {told}; they are read from the cache folder, not kept in memory", file=sys.stderr)
        return False
