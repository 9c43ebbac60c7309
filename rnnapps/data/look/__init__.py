"""What is looked at in data of any kind before anything is trained: spreads, counts, repeats, columns, periods."""

from __future__ import annotations

__all__: list[str] = []
