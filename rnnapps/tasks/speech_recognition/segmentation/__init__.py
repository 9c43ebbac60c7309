"""Where a long recording is cut: at pauses, or blindly."""

from __future__ import annotations

__all__: list[str] = []
