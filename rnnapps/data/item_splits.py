"""Items of any kind, split before anything is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["ItemSplits"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class ItemSplits(Generic[Item]):
    """Pieces, recordings, videos..., split before anything is learned from them.

    Attributes:
        train: items to learn from.
        validation: held out.
        test: held out, for `evaluate` only.
        source: what a person would call the data.
    """

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    test: tuple[Item, ...]
    source: str
