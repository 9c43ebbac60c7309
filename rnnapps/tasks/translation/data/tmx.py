"""Translation memories (TMX): the two languages of each unit, without its inline codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from rnnapps.data.archives import unpacked_source
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.pair_lines import PairLine

__all__ = ["TMX_SUFFIX", "tmx_lines"]

TMX_SUFFIX = ".tmx"
CODES = ("bpt", "ept", "ph", "it", "ut")
"""Elements within a sentence that hold codes of its formatting, not words."""

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def tmx_lines(path: str | Path, columns: Sequence[str | int] = ()) -> Iterator[PairLine]:
    """Yields the units of a translation memory, each with what finds its two sides.

    Args:
        path: the file, of any size.
        columns: the two languages to read; by default there are two. `en` stands for `en-US` too.

    Raises:
        DataError: it is no XML, or has other languages.
    """
    languages = [str(column).lower() for column in columns]
    try:
        with open(unpacked_source(path), "rb") as file:
            for number, texts in enumerate(_units(file), start=1):
                if not languages:
                    languages = _only_two(path, number, texts)
                    print(f"note: {path}: pairs are read from {languages[0]!r} and {languages[1]!r}", file=sys.stderr)
                place = f"unit {number}"
                yield PairLine(place, partial(_sides, path, place, texts, languages))
    except ElementTree.ParseError as error:
        raise DataError(path, f"line {error.position[0]}: is no XML: {error}", "restore the file") from None
    except (LookupError, ValueError) as error:  # of the encoding that it names
        raise DataError(path, f"is no XML: {' '.join(str(error).split())}", "restore the file") from None
    except RecursionError:
        raise DataError(path, "has elements within elements without end", "restore the file") from None
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}", "check the path") from None


def _units(file: IO[bytes]) -> Iterator[dict[str, str]]:
    """The texts of each unit by their languages in lower case; those that were read are let go."""
    body: ElementTree.Element | None = None
    for event, element in ElementTree.iterparse(file, events=("start", "end")):
        tag = element.tag.rpartition("}")[2]
        if event == "start":
            body = element if tag == "body" else body
        elif tag == "tu":
            yield {language: text for language, text in map(_variant, element.iterfind("{*}tuv")) if language}
            if body is not None:
                body.clear()


def _variant(element: ElementTree.Element) -> tuple[str, str]:
    """Language and text of a variant."""
    language = element.get(_LANGUAGE) or element.get("lang") or ""
    segment = element.find("{*}seg")
    return language.lower(), "" if segment is None else " ".join(_words(segment).split())


def _words(element: ElementTree.Element) -> str:
    """What an element says, without codes."""
    inside = (
        ("" if child.tag.rpartition("}")[2] in CODES else _words(child)) + (child.tail or "") for child in element
    )
    return (element.text or "") + "".join(inside)


def _only_two(path: str | Path, number: int, texts: Mapping[str, str]) -> list[str]:
    """The languages of a unit that has two."""
    if len(texts) != 2:
        problem = f"unit {number} has the languages {', '.join(texts) or 'none'}; expected two"
        raise DataError(path, problem, "name two of them, as --data.columns '[en, de]'")
    return list(texts)


def _sides(path: str | Path, place: str, texts: Mapping[str, str], languages: Sequence[str]) -> tuple[str, str]:
    """The texts of a unit in both languages."""
    found = [
        next(
            (text for own, text in texts.items() if own == wanted or own.startswith((f"{wanted}-", f"{wanted}_"))), None
        )
        for wanted in languages
    ]
    for wanted, text in zip(languages, found, strict=True):
        if text is None:
            problem = f"{place} has the languages {', '.join(texts) or 'none'}, and not {wanted!r}"
            raise DataError(path, problem, "name others by --data.columns, or remove it")
    return str(found[0]), str(found[1])
