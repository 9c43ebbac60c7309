"""Sentence pairs that Python users give, checked like those of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rnnapps.data.given import MEMORY, given_splits
from rnnapps.data.text.given import require_text
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.files import checked_pair
from rnnapps.tasks.translation.data.pairs import Pair

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["given_pairs"]

EXPECTED = "give pairs (sentence, translation), or a frame of two columns"


def given_pairs(given: object) -> dict[str, list[Pair]]:
    """The pairs of each split that was given.

    Args:
        given: an iterable of pairs of texts, a frame whose two columns are sentences and translations, or a mapping of
            splits of which each is either.

    Raises:
        DataError: it is something else, or a pair is not two texts; the message gives its index.
    """
    parts = {name: list(_pairs(name, part)) for name, part in given_splits(given).items()}
    for name, pairs in parts.items():
        if not pairs:
            raise DataError(MEMORY, f"{name} holds no sentence pair", EXPECTED)
    return parts


def _pairs(split: str, given: object) -> Iterator[Pair]:
    """The pairs of one split."""
    for index, pair in enumerate(_rows(split, given)):
        place = f"{split}[{index}]"
        if isinstance(pair, str | bytes | Mapping) or not hasattr(pair, "__getitem__") or len(pair) != 2:
            raise DataError(MEMORY, f"{place} is {pair!r:.80}", EXPECTED)
        texts = [require_text(text, f"{place}[{side}]") for side, text in enumerate(pair)]
        yield checked_pair(MEMORY, place, *texts)


def _rows(split: str, given: Any) -> Iterable[Any]:
    """What should be pairs."""
    if hasattr(given, "columns"):
        return _frame_rows(split, given)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise DataError(MEMORY, f"{split} is of type {type(given).__name__}", EXPECTED)
    return given


def _frame_rows(split: str, frame: pd.DataFrame) -> Iterable[Any]:
    """The rows of a frame of two columns."""
    if len(frame.columns) != 2:
        listed = ", ".join(map(str, frame.columns)) or "none"
        raise DataError(MEMORY, f"{split} has the columns {listed}", "choose two: sentences and their translations")
    rows: Iterable[Any] = frame.itertuples(index=False, name=None)
    return rows
