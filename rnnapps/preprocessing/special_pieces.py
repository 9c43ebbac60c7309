"""Ids that stand for no text of their own: the first of every vocabulary of pieces."""

from __future__ import annotations

__all__ = ["END", "PADDING", "SPECIAL", "START", "UNKNOWN"]

PADDING, UNKNOWN, START, END = range(4)
SPECIAL = ("<padding>", "<unknown>", "<start>", "<end>")
"""What they are called."""
