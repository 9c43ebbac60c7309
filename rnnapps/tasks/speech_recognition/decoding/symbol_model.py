"""What beam search expects of a language model over symbols."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from rnnapps.types import Tensor

__all__ = ["Memory", "SymbolModel"]

Memory: TypeAlias = Tensor | dict[str, Any]
"""What a language model remembers of prefixes, `(rows, ...)`: a number or vector each, or several by name, nested."""


class SymbolModel(Protocol):
    """A language model over symbols, with an integer or vector for its memory of what was written."""

    def initial(self, rows: Tensor | int) -> Memory:
        """States before the first symbol, `(rows, ...)`."""

    def log_probabilities(self, states: Memory) -> Tensor:
        """float32 `(rows, ids)` of the next symbol; the column of the blank is ignored."""

    def advance(self, states: Memory, symbols: Tensor) -> Memory:
        """States after symbols int32 `(rows,)`."""
