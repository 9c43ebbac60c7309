"""Figures of merit and the naive baselines they are read against."""

__all__: list[str] = []
