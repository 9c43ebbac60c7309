"""What a text can be cut into. Imports nothing heavy."""

from __future__ import annotations

from typing import Literal

__all__ = ["NOUNS", "TokenKind"]

TokenKind = Literal["characters", "words", "subwords"]

NOUNS = {"characters": "character", "words": "token", "subwords": "token"}
"""What one token is called: a word that is rare is several."""
