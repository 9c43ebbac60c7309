"""Preprocessing of music generation."""

from __future__ import annotations

__all__: list[str] = []
