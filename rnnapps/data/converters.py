"""Readers of other packages: files of a format that nothing here reads, brought into one that is read."""

from __future__ import annotations

import abc
import functools
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal, TypeVar

from rnnapps.atomic import write_atomically
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.file_kinds import HEAD_BYTES
from rnnapps.data.sources import read_head
from rnnapps.data.temporary import place_beside
from rnnapps.errors import ConfigError, DataError
from rnnapps.printable import printable

__all__ = ["Converter", "Kind", "converted", "converter_suffixes", "file_converters", "offered", "reason_of"]

Kind = Literal["text", "pair", "sound", "video", "music"]
"""What the files of a task hold."""

OfferedT = TypeVar("OfferedT")


class Converter(abc.ABC):
    """Brings files of one format into another that a task reads.

    A package offers one by an entry point of the group `rnnapps.text_readers`, `rnnapps.pair_readers`,
    `rnnapps.sound_readers`, `rnnapps.video_readers` or `rnnapps.music_readers` that names an instance.

    Attributes:
        title: what such a file is called: "a Guitar Pro file".
        suffixes: endings of their names, in lower case.
        magic: how they begin.
        into: the ending of what they are brought into: ".txt", ".tsv", ".wav", ".mp4" or ".mid".
    """

    title: str = "a file"
    suffixes: tuple[str, ...] = ()
    magic: tuple[bytes, ...] = ()
    into: str = ".txt"

    def recognises(self, head: bytes) -> bool:
        """Whether a file is of this format by its first bytes, whatever its name."""
        return bool(self.magic) and head.startswith(self.magic)

    @abc.abstractmethod
    def convert(self, path: Path) -> bytes:
        """What a file of the other format holds; raises DataError where this one is damaged."""


def offered(group: str, kind: type[OfferedT], noun: str) -> dict[str, OfferedT]:
    """The instances of a class that other packages offer, by the names of their entry points, in their order.

    Args:
        group: of the entry points.
        kind: the class.
        noun: what they are, for errors: "table reader".

    Raises:
        ConfigError: one cannot be loaded, or is of another class.
    """
    found: dict[str, OfferedT] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            reader = entry.load()
        except Exception as error:
            reason = f"{type(error).__name__}: {reason_of(error)}"
            raise ConfigError(f"the {noun} {entry.name!r} ({entry.value}) cannot be loaded: {reason}") from error
        if not isinstance(reader, kind):
            told = f"is no {kind.__name__}; name an instance of a subclass in its entry point"
            raise ConfigError(f"{entry.value}: {told}")
        found[entry.name] = reader
    return found


@functools.cache
def file_converters(kind: Kind) -> tuple[Converter, ...]:
    """Those of one kind; looked for once in a process."""
    return tuple(offered(f"rnnapps.{kind}_readers", Converter, f"{kind} reader").values())  # type: ignore[type-abstract]


def converter_suffixes(kind: Kind) -> tuple[str, ...]:
    """The endings of files that readers of other packages know."""
    return tuple(dict.fromkeys(suffix for own in file_converters(kind) for suffix in own.suffixes))


def converted(path: Path, kind: Kind) -> Path:
    """The file to read: the same, or, of a format that a package reads, what that makes of it.

    What is made is removed when the process ends.

    Args:
        path: any file.
        kind: what it should hold.

    Raises:
        DataError: a reader cannot read its own format.
    """
    converters = file_converters(kind)
    if not converters or not path.is_file():
        return path
    head, suffix = read_head(path, HEAD_BYTES), plain_suffix(path)
    by_name = (own for own in converters if suffix in own.suffixes)
    found = next((own for own in converters if own.recognises(head)), None) or next(by_name, None)
    if found is None:
        return path
    target, made = place_beside(path, "converted", f"{path.stem}{found.into}")
    if not made:
        write_atomically(target, _content(path, found))
    return target


def _content(path: Path, converter: Converter) -> bytes:
    """What a reader makes of a file."""
    try:
        return converter.convert(path)
    except DataError:
        raise
    except Exception as error:  # whatever a reader of another package runs into
        raise DataError(path, f"cannot be read as {converter.title}: {reason_of(error)}", "write it again") from None


def reason_of(error: Exception) -> str:
    """What a library says of a file, as one short line."""
    return printable(" ".join(str(error).split()))[:200] or type(error).__name__
