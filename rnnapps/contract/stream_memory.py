"""What a stream knows of the runs of the command before it, and leaves for the next one."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rnnapps.errors import ConfigError
from rnnapps.types import Array

__all__ = ["Remembered", "StreamMemory"]


PieceT = TypeVar("PieceT")


@dataclass(frozen=True)
class Remembered:
    """What one part of a stream remembers.

    Attributes:
        facts: what JSON can hold.
        arrays: name -> array of numbers.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array] = field(default_factory=dict)


class StreamMemory:
    """Remembers nothing: a stream that begins at the beginning and leaves nothing. `--state` brings one that does.

    Each part of a stream (its input, its network...) has a name. It asks for what it knew `before`, and says by `watch`
    how to find out what it knows now; that is asked between two steps alone, never in the middle of one.

    Attributes:
        keeps: whether what is watched will be kept, so that the end of the input is a pause.
    """

    keeps: bool = False

    def before(self, name: str) -> Remembered | None:
        """What a part remembered when the last run of the command ended; None where there was none."""
        return None

    def watch(self, name: str, now: Callable[[], Remembered]) -> None:
        """Registers how to find out what a part knows between two steps."""

    def passed(self) -> None:
        """A step is done, and what it gave has been taken: a good moment to keep what is watched, or to stop."""

    def after_given(self, pieces: Iterable[PieceT], name: str = "pieces", *, of: str = "") -> Iterator[PieceT]:
        """Those pieces that were not given out before; for streams whose pieces can be made again from their beginning.

        Args:
            pieces: all pieces.
            name: of this part of the stream.
            of: what they are made from.

        Raises:
            ConfigError: those of before were made from something else.
        """
        before = self.before(name)
        made_from = hashlib.sha256(of.encode("utf-8", errors="surrogatepass")).hexdigest()
        if before is not None and before.facts["of"] != made_from:
            raise ConfigError("the state is that of a stream of another input; give that, or another state")
        known = int(before.facts["given"]) if before is not None else 0
        facts: dict[str, Any] = {"given": known, "of": made_from}
        self.watch(name, lambda: Remembered(dict(facts)))
        for number, piece in enumerate(pieces, start=1):
            if number > known:
                facts["given"] = number
                yield piece
            self.passed()

    def going_on(self, pieces: Callable[[StreamMemory], Iterator[PieceT]], *, of: str | None) -> Iterator[PieceT]:
        """Pieces of what goes on where it stopped, or of a whole that is gone through again from its beginning.

        Args:
            pieces: makes them, with a memory of its own.
            of: what the whole is; None for what goes on, such as a microphone.

        Raises:
            ConfigError: as for `after_given`.
        """
        return pieces(self) if of is None else self.after_given(pieces(StreamMemory()), of=of)

    def waiting(self) -> contextlib.AbstractContextManager[None]:
        """Surrounds waiting for input, in which the command may be stopped at once."""
        return contextlib.nullcontext()
