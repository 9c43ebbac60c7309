"""Video activity recognition: what happens in a video."""

from __future__ import annotations

__all__: list[str] = []
