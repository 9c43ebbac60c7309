"""Search for better settings: successive halving over runs that go on exactly where they rested."""

from __future__ import annotations

__all__: list[str] = []
