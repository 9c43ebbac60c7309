"""Texts that Python users give, checked like those that are read from files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rnnapps.data.given import MEMORY
from rnnapps.errors import DataError

__all__ = ["given_texts", "require_text"]


def given_texts(given: object, place: str, *, whole: str = MEMORY) -> list[str]:
    """One text, or several, as a list.

    Args:
        given: a text, or an iterable of texts: a list, a column of a frame, an array of strings...
        place: what to call it in an error.
        whole: what to call all that was given there.

    Raises:
        DataError: it is something else, or one of them is no text; the message gives its index.
    """
    if isinstance(given, str):
        return [require_text(given, place, whole=whole)]
    if isinstance(given, bytes | Mapping) or hasattr(given, "columns") or not isinstance(given, Iterable):
        raise DataError(whole, f"{place} is of type {type(given).__name__}", "give a text or a list of texts")
    return [require_text(text, f"{place}[{index}]", whole=whole) for index, text in enumerate(given)]


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
