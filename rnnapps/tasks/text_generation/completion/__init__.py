"""The likeliest ends of a word or of a line."""

from __future__ import annotations

__all__: list[str] = []
