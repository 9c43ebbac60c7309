"""Sentence pairs: read, filtered, split, and built-in phrases."""

__all__: list[str] = []
