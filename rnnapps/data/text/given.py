"""Texts that Python users give, checked like those that are read from files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rnnapps.data.given import MEMORY
from rnnapps.errors import DataError

__all__ = ["given_texts", "iterate_texts", "require_text"]


def given_texts(given: object, place: str, *, whole: str = MEMORY) -> list[str]:
    """As `iterate_texts`, all at once."""
    return list(iterate_texts(given, place, whole=whole))


def iterate_texts(given: object, place: str, *, whole: str = MEMORY) -> Iterator[str]:
    """Yields one text, or several, as they come.

    Args:
        given: a text, or an iterable of texts: a list, a column of a frame, an array of strings...
        place: what to call it in an error.
        whole: what to call all that was given there.

    Raises:
        DataError: it is something else, or one of them is no text; the message gives its index.
    """
    if isinstance(given, str):
        yield require_text(given, place, whole=whole)
        return
    if isinstance(given, bytes | Mapping) or hasattr(given, "columns") or not isinstance(given, Iterable):
        raise DataError(whole, f"{place} is of type {type(given).__name__}", "give a text or a list of texts")
    for index, text in enumerate(given):
        yield require_text(text, f"{place}[{index}]", whole=whole)


def require_text(text: object, place: str, *, whole: str = MEMORY) -> str:
    """The text, if it is one that UTF-8 can hold; raises DataError. Names in errors as for `given_texts`."""
    if not isinstance(text, str):
        raise DataError(whole, f"{place} is of type {type(text).__name__}", "each must be a text (str)")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        problem = f"{place} has {text[error.start]!r} at index {error.start}, which is no Unicode character"
        raise DataError(whole, problem, "decode it as UTF-8") from None
    return text
