"""The blend of a forecaster's network with linear forecasts of the same history."""

from __future__ import annotations

__all__: list[str] = []
