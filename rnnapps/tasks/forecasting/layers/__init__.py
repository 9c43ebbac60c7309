"""Layers of forecasting."""

from __future__ import annotations

__all__: list[str] = []
