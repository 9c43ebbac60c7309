"""Reports: what a person looks at after training."""

from __future__ import annotations

__all__: list[str] = []
