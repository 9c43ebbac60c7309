"""Data of text generation."""

from __future__ import annotations

__all__: list[str] = []
