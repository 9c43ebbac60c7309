"""Training: one loop for every pipeline, crash-safe state, fine-tuning and diagnostics."""

from __future__ import annotations

__all__: list[str] = []
