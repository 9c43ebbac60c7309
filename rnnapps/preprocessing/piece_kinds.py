"""What text can be cut into."""

from __future__ import annotations

from typing import Literal

__all__ = ["PieceKind"]

PieceKind = Literal["subwords", "wordpieces", "words", "characters"]
