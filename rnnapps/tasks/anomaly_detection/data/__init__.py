"""Data of anomaly detection."""

from __future__ import annotations

__all__: list[str] = []
