"""Anomaly detection: what is normal in sensors or transactions, and what is not."""

from __future__ import annotations

__all__: list[str] = []
