"""What a task and the code shared by all tasks agree on: types only."""

from __future__ import annotations

__all__: list[str] = []
