"""Items of any kind, split before anything is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rnnapps.contract.bad_examples import BadExample
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
        skipped: those that could not be read.
        dealt: names of the parts that the source has not, whose items were dealt out of its training items.
    """

    train: tuple[ItemT, ...]
    validation: tuple[ItemT, ...]
    test: tuple[ItemT, ...]
    source: str
    skipped: tuple[BadExample, ...] = ()
    dealt: tuple[str, ...] = ()

    def named(self) -> dict[str, tuple[ItemT, ...]]:
        """The items of each part by its name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def digest(self) -> str:
        """A fingerprint of the training and validation items."""
        return digest_examples(*((item.content() for item in split) for split in (self.train, self.validation)))
