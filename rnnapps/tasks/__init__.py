"""The tasks: a folder each, with everything that only this task needs."""

from __future__ import annotations

__all__: list[str] = []
