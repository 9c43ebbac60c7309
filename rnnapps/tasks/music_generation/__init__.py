"""Music generation: pieces continued, as a piano roll or note by note."""

from __future__ import annotations

__all__: list[str] = []
