"""What beam search expects of a language model over symbols."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["SymbolModel"]


class SymbolModel(Protocol):
    """A language model over symbols, with an integer or vector for its memory of what was written."""

    def initial(self, rows: Any) -> Any:
        """States before the first symbol, `(rows, ...)`."""

    def log_probabilities(self, states: Any) -> Any:
        """float32 `(rows, ids)` of the next symbol; the column of the blank is ignored."""

    def advance(self, states: Any, symbols: Any) -> Any:
        """States after symbols int32 `(rows,)`."""
