"""Items of any kind, split before anything is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rnnapps.data.digest import digest_examples

__all__ = ["Item", "ItemSplits"]


class Item(Protocol):
    """A piece, a recording, a video..."""

    def content(self) -> Any:
        """What tells it from any other: bytes, text, arrays, or tuples and mappings of them."""


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True)
class ItemSplits(Generic[ItemT]):
    """Pieces, recordings, videos..., split before anything is learned from them.

    Attributes:
        train: items to learn from.
        validation: held out.
        test: held out, for `evaluate` only.
        source: what a person would call the data.
    """

    train: tuple[ItemT, ...]
    validation: tuple[ItemT, ...]
    test: tuple[ItemT, ...]
    source: str

    def digest(self) -> str:
        """A fingerprint of the training and validation items."""
        return digest_examples(*((item.content() for item in split) for split in (self.train, self.validation)))
