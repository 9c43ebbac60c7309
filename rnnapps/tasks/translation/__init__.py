"""Translation: sentences of one kind turned into sentences of another."""

from __future__ import annotations

__all__: list[str] = []
