"""What a text is cut into: characters, words or pieces of words."""

from __future__ import annotations

__all__: list[str] = []
