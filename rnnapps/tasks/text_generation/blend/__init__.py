"""A network and the n-grams of its training text, blended into one model."""

from __future__ import annotations

__all__: list[str] = []
