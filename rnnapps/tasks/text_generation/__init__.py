"""Text generation: text continued, character by character."""

from __future__ import annotations

__all__: list[str] = []
