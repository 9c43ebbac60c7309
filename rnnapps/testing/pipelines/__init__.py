"""The conformance suite of pipelines: one file for each side of the contract."""

from __future__ import annotations

__all__: list[str] = []
