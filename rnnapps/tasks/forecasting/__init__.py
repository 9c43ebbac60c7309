"""Forecasting: from the past of series what comes next, with intervals."""

from __future__ import annotations

__all__: list[str] = []
